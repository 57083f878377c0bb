"""Which backups are kept: the last of so many days, weeks and months."""

from collections.abc import Callable, Iterable
from datetime import datetime

from appliance.host_sections import Backup
from appliance.operations.backups import manifest

_Span = Callable[[datetime], tuple[int, ...]]


def kept(names: Iterable[str], wishes: Backup) -> set[str]:
    """Return which of the backups stay; the newest always does.

    Days, weeks and months without a backup do not count: after a pause there are as
    many as before it.
    """
    newest_first = sorted(names, reverse=True)
    stay = set(newest_first[:1])
    for count, span in (
        (wishes.keep_daily, _day),
        (wishes.keep_weekly, _week),
        (wishes.keep_monthly, _month),
    ):
        stay |= _last_of_each(newest_first, count, span)
    return stay


def _last_of_each(newest_first: list[str], count: int, span: _Span) -> set[str]:
    found: dict[tuple[int, ...], str] = {}
    for name in newest_first:
        found.setdefault(span(manifest.made_at(name)), name)
    return set(list(found.values())[:count])


def _day(at: datetime) -> tuple[int, ...]:
    return at.year, at.month, at.day


def _week(at: datetime) -> tuple[int, ...]:
    return at.isocalendar()[:2]


def _month(at: datetime) -> tuple[int, ...]:
    return at.year, at.month
