"""``matinee access``: explain, grant, withdraw, limits and windows."""

import json
from typing import Any

import pytest

from appliance.access import availability, entitlements
from appliance.accounts import profiles
from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.permissions import SYSTEM, Actor, Role
from appliance.playback import sessions
from appliance.settings import Settings
from tests.builders import Builders
from tests.conftest import Matinee


@pytest.fixture
def ada(make: Builders) -> Actor:
    return make.actor(Role.VIEWER, username="ada")


@pytest.fixture
def title(make: Builders) -> Title:
    title = make.title("Solaris", slug="solaris", rating="FSK 12")
    make.asset(title)
    return title


def _json(matinee: Matinee, *args: str) -> Any:
    result = matinee(*args, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_explain_says_yes_with_everything_considered(
    matinee: Matinee, ada: Actor, title: Title
) -> None:
    result = matinee("access", "explain", "ada", "solaris")

    assert result.exit_code == 0
    assert "ada may watch “Solaris” at" in result.stdout
    assert "installation  always  none of its own  [counts]" in result.stdout
    assert "Windows: none, so always and everywhere." in result.stdout
    assert "FSK 12, age: 12" in result.stdout


def test_explain_says_no_with_every_reason_and_still_ends_with_0(
    matinee: Matinee, db: Database, ada: Actor, title: Title
) -> None:
    availability.add(
        db, SYSTEM, "solaris", starts_at="2090-02-01", territories=["DE", "AT"]
    )
    profiles.limit(db, SYSTEM, profiles.named(db, "ada").public_id, 6)

    result = matinee("access", "explain", "ada", "solaris", "--address", "81.2.69.1")

    assert result.exit_code == 0
    for line in (
        "ada may not watch “Solaris”",
        "not-yet-available: This title can’t be watched yet.",
        "territory-unknown: This title is for some countries only",
        "rating-too-high: This title is not for the age of this profile.",
        "81.2.69.1, country: unknown",
        "[does not count: not-yet-available, territory-unknown]",
    ):
        assert line in result.stdout, result.stdout


def test_explain_answers_for_programs_and_for_another_time(
    matinee: Matinee, db: Database, ada: Actor, title: Title
) -> None:
    availability.add(db, SYSTEM, "solaris", starts_at="2090-02-01", max_height=720)
    ask = ("access", "explain", "ada", "solaris")

    now = _json(matinee, *ask)
    later = _json(matinee, *ask, "--at", "2090-02-01T01:00+01:00")

    assert now["allowed"] is False
    assert [each["code"] for each in now["reasons"]] == ["not-yet-available"]
    assert now["reasons"][0]["begins_at"] == "2090-02-01T00:00:00.000000Z"
    assert (later["allowed"], later["reasons"]) == (True, [])
    assert later["limits"]["max_height"] == 720
    assert later["windows"][0]["counts"] is True


def test_explain_counts_what_plays_now(
    matinee: Matinee,
    settings: Settings,
    db: Database,
    make: Builders,
    ada: Actor,
    title: Title,
) -> None:
    # The command has the machine's own time, so the session must still live then.
    sessions.open(db, settings, ada, title="solaris")
    db.conn.execute("update playback_sessions set expires_at = '2099'")
    entitlements.grant(db, SYSTEM, "account:ada", source="plan:basic", streams=1)

    found = _json(matinee, "access", "explain", "ada", "solaris")

    assert (found["watching"], found["limits"]["streams"]) == (1, 1)
    assert [each["code"] for each in found["reasons"]] == ["stream-limit"]


def test_explain_refuses_what_it_can_t_answer(
    matinee: Matinee, ada: Actor, title: Title
) -> None:
    for args, code, says in (
        (("nobody", "solaris"), 4, "no account “nobody”"),
        (("ada", "nothing"), 4, "no title “nothing”"),
        (("ada", "solaris", "--profile", "Kids"), 4, "There are: ada."),
        (("ada", "solaris", "--at", "soon"), 2, "“soon” is no time"),
    ):
        result = matinee("access", "explain", *args)
        assert result.exit_code == code
        assert says in result.stderr


def test_rights_are_granted_listed_and_withdrawn(
    matinee: Matinee, db: Database, ada: Actor, title: Title
) -> None:
    granted = _json(
        matinee,
        *("access", "grant", "account:ada", "--title", "solaris"),
        *("--source", "voucher:SPRING", "--from", "2026-02-01"),
        *("--until", "2026-03-01", "--streams", "2", "--max-height", "1080"),
    )

    assert granted["subject"] == "account:ada"
    assert granted["title"] == "solaris"
    listed = _json(matinee, "access", "list", "--subject", "account:ada")
    assert listed == [granted]
    table = matinee("access", "list").stdout
    assert "from 2026-02-01 00:00 until 2026-03-01 00:00" in table
    assert "2 streams, up to 1080p" in table

    withdrawn = matinee("access", "withdraw", granted["id"])
    assert withdrawn.stdout == f"account:ada no longer has the right {granted['id']}.\n"
    assert _json(matinee, "access", "list", "--title", "solaris") == []
    assert matinee("access", "withdraw", granted["id"]).exit_code == 4


def test_a_grant_says_what_it_gave(matinee: Matinee, ada: Actor, title: Title) -> None:
    one = matinee("access", "grant", "role:viewer", "--title", "solaris").stdout
    every = matinee("access", "grant", "everyone").stdout

    assert one.startswith("role:viewer may watch “solaris”: right ")
    assert every.startswith("everyone may watch every title: right ")
    refused = matinee("access", "grant", "ada")
    assert refused.exit_code == 2
    assert "account:NAME" in refused.stderr


def test_a_profile_is_limited_and_freed(
    matinee: Matinee, db: Database, ada: Actor
) -> None:
    said = matinee("access", "limit", "ada", "12")
    assert said.stdout == "“ada” of ada watches up to 12.\n"
    assert profiles.named(db, "ada").rating_limit == 12

    freed = _json(matinee, "access", "limit", "ada", "none", "--profile", "ada")
    assert freed == {"username": "ada", "profile": "ada", "limit": None}
    assert profiles.named(db, "ada").rating_limit is None

    for age in ("twelve", "99", "-1", "1.5"):
        assert matinee("access", "limit", "--", "ada", age).exit_code == 2
    assert matinee("access", "limit", "ada", "6", "--profile", "Kids").exit_code == 4


def test_windows_are_opened_listed_and_removed(
    matinee: Matinee, db: Database, title: Title
) -> None:
    added = _json(
        matinee,
        *("access", "window", "add", "solaris", "--in", "de,at"),
        *("--from", "2026-02-01", "--max-height", "720"),
    )

    assert added["territories"] == ["AT", "DE"]
    assert _json(matinee, "access", "window", "list") == [added]
    table = matinee("access", "window", "list", "--title", "solaris").stdout
    assert "from 2026-02-01 00:00\teverybody\tAT, DE\tup to 720p" in table

    removed = matinee("access", "window", "remove", added["id"])
    assert removed.exit_code == 0
    assert availability.listing(db) == []
    assert matinee("access", "window", "remove", added["id"]).exit_code == 4
    assert matinee("access", "window", "add", "solaris").exit_code == 2
    assert matinee("access", "window", "add", "solaris", "--in", "UK").exit_code == 2
