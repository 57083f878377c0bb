"""What the doctor finds is told when it differs from the last time, and only then."""

import json
from dataclasses import replace

import pytest

from appliance.db import Database
from appliance.errors import Forbidden
from appliance.events import Event, before
from appliance.operations import check_ups, letters, mail
from appliance.operations.findings import Finding, Level
from appliance.permissions import SYSTEM, Role
from appliance.settings import Settings
from tests.builders import Builders
from tests.conftest import Matinee
from tests.doubles.mail_server import mail_server

GOOD = Finding("disk.media", Level.OK, "1000 GB are free")
FULL = Finding("disk.media", Level.FAIL, "1 GB is free", "remove films")
SLOW = Finding("db.integrity", Level.WARN, "it is odd", "look at it")
KNOWN = ("disk.media", "db.integrity")


def told(db: Database) -> list[dict[str, object]]:
    return [dict(each.data) for each in before(db, name=Event.HEALTH_CHANGE)]


def test_the_same_state_twice_is_told_once(db: Database) -> None:
    first = check_ups.note(db, SYSTEM, [FULL], KNOWN)
    again = check_ups.note(
        db, SYSTEM, [replace(FULL, sentence="0.9 GB are free")], KNOWN
    )

    assert [(each.before, each.finding) for each in first] == [(Level.OK, FULL)]
    assert again == []
    assert len(told(db)) == 1


def test_what_is_well_from_the_first_is_not_told(db: Database) -> None:
    assert check_ups.note(db, SYSTEM, [GOOD], KNOWN) == []
    assert told(db) == []
    assert check_ups.last(db).findings == (GOOD,)


def test_getting_well_is_told_as_well(db: Database) -> None:
    check_ups.note(db, SYSTEM, [FULL], KNOWN)

    (change,) = check_ups.note(db, SYSTEM, [GOOD], KNOWN)

    assert (change.before, change.finding.level) == (Level.FAIL, Level.OK)
    assert told(db)[0]["failures"] == 0


def test_a_check_that_was_not_run_keeps_what_it_found(db: Database) -> None:
    check_ups.note(db, SYSTEM, [FULL, SLOW], KNOWN)

    assert check_ups.note(db, SYSTEM, [FULL], KNOWN) == []
    assert check_ups.last(db).findings == (FULL, SLOW)


def test_a_check_that_is_gone_is_forgotten(db: Database) -> None:
    check_ups.note(db, SYSTEM, [FULL, SLOW], KNOWN)

    check_ups.note(db, SYSTEM, [FULL], ("disk.media",))

    assert check_ups.last(db).findings == (FULL,)


def test_only_who_manages_the_system_may_note(db: Database, make: Builders) -> None:
    with pytest.raises(Forbidden):
        check_ups.note(db, make.actor(Role.VIEWER), [FULL], KNOWN)


def test_a_letter_names_what_changed_with_the_repair(
    db: Database, settings: Settings
) -> None:
    with mail_server() as post:
        sending = replace(
            settings,
            mail=replace(
                settings.mail,
                host=post.host,
                port=post.port,
                security="none",
                sender="matinee@example.org",
            ),
            portal=replace(settings.portal, public_url="https://films.example.org"),
        )
        mail.set_rule(db, SYSTEM, "health:change", ("ada@example.org",))
        for _ in range(2):
            check_ups.note(db, SYSTEM, [SLOW, FULL], KNOWN)
            mail.gather(db, sending)
            mail.send_due(db, sending)

        (letter,) = post.letters
    text = letter.get_content()

    assert "1 failures, 1 warnings" in letter["Subject"]
    assert "FAIL disk.media (was ok): 1 GB is free – fix: remove films" in text
    assert text.index("disk.media") < text.index("db.integrity")
    assert "https://films.example.org/studio/status" in text


def test_a_sentence_stays_on_its_line() -> None:
    hostile = ["one\nBcc: eve@example.org", "two"]
    data: dict[str, object] = {
        "portal": "p\nq",
        "failures": 1,
        "warnings": 0,
        "changes": hostile,
        "address": "",
        "event": "health:change",
    }

    subject, body = letters.write("health", data, "en")

    assert "\n" not in subject
    assert "one Bcc: eve@example.org" in body


def test_the_command_shows_the_difference_and_records_it(
    matinee: Matinee, settings: Settings, db: Database
) -> None:
    matinee("init", "--yes")
    matinee("doctor", "--changes")
    quiet = matinee("doctor", "--changes")
    (settings.keys / "web.key").chmod(0o644)
    loud = matinee("doctor", "--changes", "--json")

    document = json.loads(loud.stdout)
    assert quiet.stdout == "Nothing differs from the last time.\n"
    assert loud.exit_code == 1
    assert [each["id"] for each in document["changes"]] == ["keys.private"]
    assert len(told(db)) == 2


def test_one_check_can_be_asked_alone(matinee: Matinee) -> None:
    one = json.loads(matinee("doctor", "--only", "tools.ffmpeg", "--json").stdout)
    unknown = matinee("doctor", "--only", "tools.hammer")

    assert [each["id"] for each in one["checks"]] == ["tools.ffmpeg"]
    assert unknown.exit_code == 4
    assert "tools.ffmpeg" in unknown.stderr
