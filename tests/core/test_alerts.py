"""Alerts: raised once after a while, cleared once, and told to who wants to know."""

import json
from dataclasses import replace

import pytest

from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import Forbidden
from appliance.events import Event, before
from appliance.operations import alerts, deliveries, letters, mail, webhooks
from appliance.operations.findings import Finding, Level
from appliance.permissions import SYSTEM, Role
from appliance.sections import Mail
from appliance.settings import Monitoring, Settings
from tests.builders import Builders
from tests.conftest import Matinee

MINUTE = 60
MAIL = Mail(host="mail.example.org", sender="matinee@example.org")
LITTLE = Finding("disk.media", Level.WARN, "little is free", "add a disk")
NONE = replace(LITTLE, level=Level.FAIL, sentence="nothing is free")
WELL = replace(LITTLE, level=Level.OK, sentence="much is free", fix="")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return replace(settings, monitoring=Monitoring(alert_minutes=5))


def told(db: Database) -> list[tuple[str, str]]:
    """Return what was raised and cleared, oldest first."""
    events = [*before(db, name=Event.ALERT_RAISE), *before(db, name=Event.ALERT_CLEAR)]
    events.sort(key=lambda each: each.id)
    return [(each.name, each.data["level"]) for each in events]


class Looks:
    """Looks at an installation, a minute after one another."""

    def __init__(self, db: Database, settings: Settings, clock: FixedClock) -> None:
        self.db, self.settings, self.clock = db, settings, clock

    def find(self, finding: Finding, minutes: int = 1) -> None:
        for _ in range(minutes):
            alerts.note(self.db, self.settings, [finding])
            self.clock.advance(seconds=MINUTE)


@pytest.fixture
def looks(db: Database, settings: Settings, clock: FixedClock) -> Looks:
    return Looks(db, settings, clock)


def test_what_is_wrong_for_long_enough_is_told_once(looks: Looks, db: Database) -> None:
    looks.find(LITTLE, minutes=5)
    assert told(db) == []

    looks.find(LITTLE, minutes=60)

    assert told(db) == [("alert:raise", "warn")]
    (alert,) = alerts.listing(db, SYSTEM)
    assert (alert.name, alert.level, alert.fix) == ("disk.media", "warn", "add a disk")
    assert alert.raised_at > alert.began_at


def test_what_is_right_again_for_long_enough_is_told_once(
    looks: Looks, db: Database
) -> None:
    looks.find(LITTLE, minutes=10)
    looks.find(WELL, minutes=4)
    assert told(db) == [("alert:raise", "warn")]

    looks.find(WELL, minutes=60)

    assert told(db) == [("alert:raise", "warn"), ("alert:clear", "warn")]
    assert alerts.listing(db, SYSTEM) == []
    (over,) = alerts.listing(db, SYSTEM, over=True)
    assert over.cleared_at is not None


def test_what_comes_and_goes_is_one_alert(looks: Looks, db: Database) -> None:
    for _ in range(30):
        looks.find(LITTLE, minutes=2)
        looks.find(WELL, minutes=2)
    assert told(db) == [("alert:raise", "warn")]

    looks.find(WELL, minutes=10)
    assert told(db) == [("alert:raise", "warn"), ("alert:clear", "warn")]


def test_a_moment_of_trouble_is_told_to_nobody(looks: Looks, db: Database) -> None:
    looks.find(LITTLE, minutes=3)
    looks.find(WELL, minutes=10)

    assert told(db) == []
    assert db.value("select count(*) from alerts") == 0


def test_what_gets_worse_is_told_once_more_and_stays_so_until_it_is_over(
    looks: Looks, db: Database
) -> None:
    looks.find(LITTLE, minutes=10)
    for _ in range(5):
        looks.find(NONE)
        looks.find(LITTLE)

    assert told(db) == [("alert:raise", "warn"), ("alert:raise", "fail")]
    assert alerts.listing(db, SYSTEM)[0].level is Level.FAIL


def test_while_nobody_looked_nothing_is_known(
    looks: Looks, db: Database, clock: FixedClock
) -> None:
    looks.find(LITTLE, minutes=2)
    clock.advance(seconds=3600)

    looks.find(LITTLE)
    assert told(db) == []
    looks.find(LITTLE, minutes=5)
    assert told(db) == [("alert:raise", "warn")]


def test_no_patience_tells_at_once(
    looks: Looks, db: Database, settings: Settings
) -> None:
    looks.settings = replace(settings, monitoring=Monitoring(alert_minutes=0))

    looks.find(LITTLE)
    looks.find(WELL)
    looks.find(LITTLE)

    events = ["alert:raise", "alert:clear", "alert:raise"]
    assert [name for name, _ in told(db)] == events


def test_a_check_that_is_gone_holds_no_alert_open_for_ever(
    looks: Looks, db: Database, clock: FixedClock, settings: Settings
) -> None:
    looks.find(LITTLE, minutes=10)
    alerts.note(db, settings, [])
    assert len(alerts.listing(db, SYSTEM)) == 1
    clock.advance(seconds=25 * 3600)

    alerts.note(db, settings, [])

    assert told(db)[-1] == ("alert:clear", "warn")


def test_who_wants_to_know_gets_a_letter_and_a_delivery(
    looks: Looks, db: Database, settings: Settings
) -> None:
    named = replace(
        settings, mail=Mail(host="mail.example.org", sender="m@example.org")
    )
    mail.set_rule(db, SYSTEM, "alert:*", ("admin@example.org",))
    hook, _secret = webhooks.add(
        db, settings, SYSTEM, "https://hook.example.org/", ["alert:*"]
    )

    looks.find(NONE, minutes=7)
    mail.gather(db, named)
    deliveries.gather(db)
    looks.find(WELL, minutes=7)
    mail.gather(db, named)
    deliveries.gather(db)

    over, raised = mail.listing(db, SYSTEM)
    assert raised.subject == "Matinee: disk.media – nothing is free"
    assert over.subject == "Matinee: disk.media is well again"
    row = db.one("select * from mails where public_id = ?", (raised.id,))
    assert row is not None
    _, body = letters.write(row["template"], json.loads(row["data"]), "en")
    assert "To do: add a disk" in body
    assert "needs somebody now" in body
    sent = deliveries.listing(db, SYSTEM, hook.id)
    assert [each.event for each in sent] == ["alert:clear", "alert:raise"]


def test_what_a_finding_says_writes_no_letter_of_its_own(
    looks: Looks, db: Database, settings: Settings
) -> None:
    named = replace(
        settings, mail=Mail(host="mail.example.org", sender="m@example.org")
    )
    mail.set_rule(db, SYSTEM, "alert:raise", ("admin@example.org",))

    looks.find(replace(NONE, sentence="bad\nBcc: all@example.org\n\nBuy"), minutes=7)
    mail.gather(db, named)

    (letter,) = mail.listing(db, SYSTEM)
    assert letter.subject == "Matinee: disk.media – bad Bcc: all@example.org Buy"


def test_not_everybody_sees_alerts(db: Database, make: Builders) -> None:
    with pytest.raises(Forbidden):
        alerts.listing(db, make.actor(Role.VIEWER))


def test_the_command_lists_what_is_wrong(looks: Looks, matinee: Matinee) -> None:
    assert json.loads(matinee("alert", "list", "--json").stdout) == []
    looks.find(NONE, minutes=7)

    (listed,) = json.loads(matinee("alert", "list", "--json").stdout)

    assert (listed["name"], listed["level"]) == ("disk.media", "fail")
    assert "nothing is free" in matinee("alert", "list", "--all").stdout


def test_old_alerts_are_forgotten(
    looks: Looks, db: Database, clock: FixedClock
) -> None:
    looks.find(LITTLE, minutes=10)
    looks.find(WELL, minutes=10)
    clock.advance(seconds=91 * 86400)

    alerts.forget_old(db)

    assert alerts.listing(db, SYSTEM, over=True) == []
