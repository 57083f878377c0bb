"""E-mail: sent by rules to whom it concerns, through a real mail server."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from appliance.catalog import titles
from appliance.clock import FixedClock
from appliance.db import Database, write
from appliance.errors import ConfigError, Forbidden, InvalidInput, PreconditionFailed
from appliance.events import Event, record, since
from appliance.operations import mail
from appliance.operations.mail import WAITS, MailState
from appliance.permissions import SYSTEM, Role
from appliance.settings import Settings, load
from tests.builders import Builders
from tests.doubles.mail_server import MailServer, mail_server

ADA = "ada@example.org"


@pytest.fixture
def post() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def sending(settings: Settings, post: MailServer) -> Settings:
    """The settings of an installation that sends through that server."""
    found = replace(
        settings.mail,
        host=post.host,
        port=post.port,
        security="none",
        sender="matinee@example.org",
    )
    return replace(settings, mail=found)


def deliver(db: Database, settings: Settings) -> int:
    mail.gather(db, settings)
    return mail.send_due(db, settings)


def test_whom_it_concerns_gets_a_letter(
    db: Database, sending: Settings, post: MailServer
) -> None:
    mail.set_rule(db, SYSTEM, "title:create", (ADA, "bob@example.org"))
    titles.create(db, SYSTEM, "Sintel")

    deliver(db, sending)

    assert sorted(post.recipients) == [ADA, "bob@example.org"]
    letter = post.letters[0]
    assert "Sintel" in letter["Subject"]
    assert letter["From"] == "matinee@example.org"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert "A title was created." in letter.get_content()
    assert {each.state for each in mail.listing(db, SYSTEM)} == {MailState.SENT}


def test_nobody_is_written_to_of_the_past_or_twice(
    db: Database, sending: Settings, post: MailServer
) -> None:
    titles.create(db, SYSTEM, "Before")
    mail.set_rule(db, SYSTEM, "title:*", (ADA,))
    titles.create(db, SYSTEM, "After")

    deliver(db, sending)
    deliver(db, sending)

    assert len(post.letters) == 1


def test_a_name_cannot_write_a_letter_of_its_own(
    db: Database, sending: Settings, post: MailServer
) -> None:
    mail.set_rule(db, SYSTEM, "title:create", (ADA,))
    hostile = "Sintel\r\nBcc: eve@example.org\r\n\r\n{{ 7 * 7 }}"
    db.conn.execute("update titles set name = name")
    made = titles.create(db, SYSTEM, "x")
    db.conn.execute("update titles set name = ? where id = ?", (hostile, made.id))

    deliver(db, sending)

    assert post.recipients == [ADA]
    assert post.letters[0]["Bcc"] is None
    assert "49" not in post.letters[0].get_content()


def test_without_a_server_nothing_is_written_down(
    db: Database, settings: Settings
) -> None:
    mail.set_rule(db, SYSTEM, "title:create", (ADA,))
    titles.create(db, SYSTEM, "Sintel")

    assert deliver(db, settings) == 0
    assert mail.listing(db, SYSTEM) == []
    with pytest.raises(PreconditionFailed, match=r"mail\.host"):
        mail.send_test(settings, SYSTEM, ADA)


def test_a_letter_is_tried_again_and_then_given_up(
    db: Database, sending: Settings, clock: FixedClock, post: MailServer
) -> None:
    mail.set_rule(db, SYSTEM, "title:create", (ADA,))
    titles.create(db, SYSTEM, "Sintel")
    post.answer = "451 come back later"
    deliver(db, sending)
    (waiting,) = mail.listing(db, SYSTEM)

    assert waiting.state is MailState.WAITING
    assert "451" in waiting.problem
    for wait in WAITS:
        clock.advance(seconds=wait.total_seconds())
        deliver(db, sending)

    assert mail.listing(db, SYSTEM)[0].state is MailState.FAILED
    assert [each.name for each in since(db)][-1] == Event.MAIL_FAIL


def test_a_test_says_what_goes_wrong(
    db: Database, sending: Settings, post: MailServer
) -> None:
    mail.send_test(sending, SYSTEM, ADA)
    post.answer = "550 no such mailbox"

    assert post.recipients == [ADA]
    with pytest.raises(PreconditionFailed, match="550"):
        mail.send_test(sending, SYSTEM, ADA)
    secured = replace(sending, mail=replace(sending.mail, security="starttls"))
    with pytest.raises(PreconditionFailed, match=r"mail\.security"):
        mail.send_test(secured, SYSTEM, ADA)
    nowhere = replace(sending, mail=replace(sending.mail, port=1))
    with pytest.raises(PreconditionFailed, match="cannot be reached"):
        mail.send_test(nowhere, SYSTEM, ADA)
    with pytest.raises(PreconditionFailed, match="has no section"):
        secret = sending.keys / "mail.toml"
        secret.parent.mkdir(parents=True, exist_ok=True)
        secret.write_text("[imap]\n")
        secret.chmod(0o600)
        mail.send_test(sending, SYSTEM, ADA)


@pytest.mark.parametrize(
    ("event", "recipients"),
    [
        ("film:begin", (ADA,)),
        ("title:*", ("ada",)),
        ("title:*", ("ada@example.org\r\nBcc: eve@example.org",)),
        ("title:*", tuple(f"a{number}@example.org" for number in range(51))),
    ],
)
def test_what_cannot_be_a_rule_is_refused(
    db: Database, event: str, recipients: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidInput):
        mail.set_rule(db, SYSTEM, event, recipients)

    assert mail.rules(db, SYSTEM).recipients == {}


def test_only_who_may_sees_the_rules(db: Database, make: Builders) -> None:
    with pytest.raises(Forbidden):
        mail.rules(db, make.actor(Role.PUBLISHER))


@pytest.mark.parametrize(
    "environment",
    [
        {"MATINEE_MAIL_SECURITY": "ssl"},
        {"MATINEE_MAIL_HOST": "mail.example.org"},
        {"MATINEE_MAIL_PORT": "0"},
        {"MATINEE_MAIL_ALERTS": "everybody"},
        {"MATINEE_WEBHOOKS_TIMEOUT_SECONDS": "0"},
    ],
)
def test_settings_that_cannot_work_are_refused(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        load(environ=environment)


def test_administrators_are_told_of_alerts_as_soon_as_there_is_a_server(
    db: Database, sending: Settings, post: MailServer, make: Builders
) -> None:
    make.account("ada", roles=(Role.ADMINISTRATOR,), email=ADA)
    make.account("silent", roles=(Role.ADMINISTRATOR,))
    make.account("vera", email="vera@example.org")
    _alert(db, "before")
    deliver(db, sending)

    _alert(db, "disk.media")
    titles.create(db, SYSTEM, "Sintel")
    deliver(db, sending)

    assert post.recipients == [ADA]
    assert "disk.media is full" in post.letters[0].get_content()


def test_a_rule_for_alerts_holds_in_place_of_the_usual(
    db: Database, sending: Settings, post: MailServer, make: Builders
) -> None:
    make.account("ada", roles=(Role.ADMINISTRATOR,), email=ADA)
    mail.set_rule(db, SYSTEM, "alert:*", ("ops@example.org",))

    _alert(db, "disk.media")
    with write(db):
        said = {"failures": 1, "warnings": 0, "changes": []}
        record(db, SYSTEM, Event.HEALTH_CHANGE, "system/health", **said)
    deliver(db, sending)

    assert sorted(post.recipients) == [ADA, "ops@example.org"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("nobody", []),
        ("one@example.org, two@example.org", ["one@example.org", "two@example.org"]),
    ],
)
def test_the_settings_say_who_is_told_of_alerts(
    db: Database, sending: Settings, post: MailServer, said: str, told: list[str]
) -> None:
    settings = replace(sending, mail=replace(sending.mail, alerts=said))
    deliver(db, settings)

    _alert(db, "disk.media")
    deliver(db, settings)

    assert post.recipients == told


def _alert(db: Database, name: str) -> None:
    said = {"level": "fail", "sentence": f"{name} is full", "fix": "make room"}
    with write(db):
        said["began_at"] = db.now()
        record(db, SYSTEM, Event.ALERT_RAISE, f"alert/{name}", **said)
