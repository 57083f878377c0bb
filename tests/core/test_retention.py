"""Which backups stay: the last of so many days, weeks and months."""

from datetime import UTC, datetime, timedelta

from appliance.host_sections import Backup
from appliance.operations.backups import manifest, retention

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def names(*hours_ago: float) -> list[str]:
    return [manifest.new_name(NOON - timedelta(hours=each)) for each in hours_ago]


def wishes(daily: int = 0, weekly: int = 0, monthly: int = 0) -> Backup:
    return Backup(keep_daily=daily, keep_weekly=weekly, keep_monthly=monthly)


def test_the_last_of_each_day_stays() -> None:
    now, morning, yesterday, before = names(0, 6, 24, 48)
    kept = retention.kept([morning, before, yesterday, now], wishes(daily=2))
    assert kept == {now, yesterday}


def test_after_a_pause_there_are_as_many_as_before_it() -> None:
    old = names(*(24 * (400 + day) for day in range(7)))
    assert retention.kept(old, wishes(daily=7)) == set(old)


def test_years_of_daily_backups_become_days_weeks_and_months() -> None:
    daily = names(*(24 * day for day in range(3 * 365)))
    kept = retention.kept(daily, wishes(daily=7, weekly=4, monthly=6))
    assert len(kept) <= 7 + 4 + 6
    ages = sorted((NOON - manifest.made_at(each)).days for each in kept)
    assert ages[:7] == [0, 1, 2, 3, 4, 5, 6]
    assert ages[-1] > 120


def test_the_newest_stays_whatever_is_wished() -> None:
    (one,) = names(24 * 1000)
    assert retention.kept([one], wishes(monthly=0, daily=0)) == {one}
    assert retention.kept([], wishes(daily=1)) == set()
