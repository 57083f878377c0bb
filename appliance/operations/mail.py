"""E-mail: what is sent to whom when something happens, and one at a time on request.

Rules say who is written to about which events; what they ask for is written down in
the transaction that reads the audit log on, and sent after. Without ``mail.host``
nothing is written down, and nothing is sent.
"""

import json
import re
import secrets
import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from enum import StrEnum
from fnmatch import fnmatchcase

from appliance import outbound, preferences
from appliance.clock import to_text
from appliance.db import Database, Row, write
from appliance.errors import InvalidInput, MatineeError, PreconditionFailed
from appliance.events import Event, record, since
from appliance.operations import alerted, letters
from appliance.permissions import SYSTEM, Action, Actor, check
from appliance.secret_file import SecretFile
from appliance.settings import Settings

WAITS = tuple(timedelta(minutes=minutes) for minutes in (2, 10, 60, 240, 720))
"""How long after each failed attempt the next one is made; after the last, none."""

_RULES, _CURSOR = "mail", "mail-cursor"
_ADDRESS = re.compile(r"[^@\s<>,;\"]{1,64}@[A-Za-z0-9.-]{1,253}")
_MOST_RECIPIENTS = 50
_AT_ONCE = 200
_KEPT_DAYS = 30


class MailState(StrEnum):
    """How a letter stands."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Letter:
    """One e-mail; ``problem`` is what went wrong last."""

    id: str
    recipient: str
    template: str
    subject: str
    state: MailState
    attempts: int
    problem: str
    next_at: str | None
    created_at: str


@dataclass(frozen=True, slots=True)
class Rules:
    """Who is written to about what: addresses by the pattern of an event's name."""

    recipients: Mapping[str, tuple[str, ...]]
    revision: int


def rules(db: Database, actor: Actor) -> Rules:
    """Return who is written to. Errors: ``Forbidden``."""
    check(actor, Action.INTEGRATION_MANAGE)
    kept = preferences.read(db, _RULES)
    found = {name: tuple(to) for name, to in kept.value.items()}
    return Rules(found, kept.revision)


def in_force(db: Database, settings: Settings) -> Mapping[str, tuple[str, ...]]:
    """Return the rules, with what ``mail.alerts`` says of alerts that none names."""
    kept = {name: tuple(to) for name, to in preferences.read(db, _RULES).value.items()}
    return kept | alerted.usually(db, settings, kept)


def told_of(found: Mapping[str, tuple[str, ...]], event: str) -> list[str]:
    """Return who is written to about an event, each once; nobody about letters."""
    if event == Event.MAIL_FAIL:
        return []
    named = (to for pattern, to in found.items() if fnmatchcase(event, pattern))
    return sorted({address for to in named for address in to})


def set_rule(
    db: Database,
    actor: Actor,
    pattern: str,
    recipients: tuple[str, ...],
    revision: int | None = None,
) -> Rules:
    """Write to these addresses about events of that name; to none: no longer.

    Errors: ``InvalidInput``, ``Conflict``, ``Forbidden``.
    """
    check(actor, Action.INTEGRATION_MANAGE)
    name = pattern.strip()
    if not any(fnmatchcase(event, name) for event in Event):
        raise _refusal("event", f"There is no event “{name[:60]}”.")
    wanted = tuple(dict.fromkeys(each.strip() for each in recipients if each.strip()))
    if len(wanted) > _MOST_RECIPIENTS:
        raise _refusal("recipients", f"{_MOST_RECIPIENTS} addresses at most.")
    for each in wanted:
        _require_address(each)
    with write(db):
        kept = dict(rules(db, actor).recipients)
        kept.pop(name, None)
        if wanted:
            kept[name] = wanted
        preferences.change(db, actor, _RULES, kept, revision)
        if not preferences.read(db, _CURSOR).revision:
            _move_on(db, _newest(db))
        return rules(db, actor)


def queue(
    db: Database,
    recipient: str,
    template: str,
    data: Mapping[str, object],
    language: str = "en",
) -> str:
    """Write a letter down, to be sent soon; return its id. Errors: ``InvalidInput``."""
    _require_address(recipient)
    public_id = secrets.token_hex(8)
    with write(db):
        row = {
            "public_id": public_id,
            "recipient": recipient,
            "template": template,
            "language": language,
            "data": json.dumps(dict(data), ensure_ascii=False),
            "next_at": db.now(),
            "created_at": db.now(),
        }
        db.table("mails").insert(row)
    return public_id


def listing(db: Database, actor: Actor, limit: int = 50) -> list[Letter]:
    """Return the last letters, the newest first. Errors: ``Forbidden``."""
    check(actor, Action.INTEGRATION_MANAGE)
    rows = db.rows("select * from mails order by id desc limit ?", (limit,))
    return [_letter(row) for row in rows]


def send_test(settings: Settings, actor: Actor, recipient: str) -> None:
    """Send a letter now, and say what goes wrong.

    Errors: ``InvalidInput``, ``PreconditionFailed`` with what the server said.
    """
    check(actor, Action.INTEGRATION_MANAGE)
    if not settings.mail.host:
        raise PreconditionFailed(
            "mail.off", "No e-mail is sent: set mail.host and mail.sender first."
        )
    _require_address(recipient)
    named = {"portal": settings.portal.name, "by": actor.username}
    problem = _sent(settings, recipient, letters.write("test", named, "en"))
    if problem:
        raise PreconditionFailed("mail.failed", problem)


def gather(db: Database, settings: Settings) -> int:
    """Write down the letters that the rules ask for; return how many there are."""
    if not settings.mail.host:
        return 0
    reached = preferences.read(db, _CURSOR)
    if not reached.revision:
        # Nobody is written to of what was before e-mail was sent at all.
        with write(db):
            _move_on(db, _newest(db))
        return 0
    happened = since(db, int(reached.value["event"]), _AT_ONCE)
    if not happened:
        return 0
    told = 0
    with write(db):
        wanted = in_force(db, settings)
        for event in happened:
            for address in told_of(wanted, event.name):
                template = letters.template_of(event)
                queue(db, address, template, letters.of_event(db, settings, event))
                told += 1
        _move_on(db, happened[-1].id)
    return told


def send_due(db: Database, settings: Settings, most: int = 20) -> int:
    """Send what is due, outside of any transaction; return how many were tried."""
    if not settings.mail.host:
        return 0
    rows = db.rows(
        """
        select * from mails where state = 'waiting' and next_at <= ?
        order by next_at limit ?
        """,
        (db.now(), most),
    )
    for row in rows:
        text = letters.write(row["template"], json.loads(row["data"]), row["language"])
        _finish(db, row, _sent(settings, row["recipient"], text))
    return len(rows)


def failed(db: Database, since: str) -> int:
    """Return how many letters could not be sent since a moment."""
    return int(
        db.value(
            "select count(*) from mails where state = 'failed' and finished_at >= ?",
            (since,),
        )
    )


def forget_old(db: Database) -> None:
    """Remove letters that ended a month ago."""
    with write(db):
        db.conn.execute(
            "delete from mails where finished_at < ?", (db.now(days=-_KEPT_DAYS),)
        )


def trouble(settings: Settings) -> str:
    """Speak to the mail server without sending anything; return what goes wrong."""
    return _tried(settings, lambda server: server.noop())


def _sent(settings: Settings, recipient: str, letter: tuple[str, str]) -> str:
    """Send one; return what went wrong, empty when nothing did."""
    message = EmailMessage()
    message["From"] = settings.mail.sender
    message["To"] = recipient
    message["Subject"], body = letter
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=settings.mail.sender.partition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body)
    return _tried(settings, lambda server: server.send_message(message))


def _tried(settings: Settings, say: Callable[[smtplib.SMTP], object]) -> str:
    try:
        with _server(settings) as server:
            say(server)
    except smtplib.SMTPAuthenticationError:
        return "The mail server refused the user name or the password."
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error
        words = said.decode(errors="replace") if isinstance(said, bytes) else said
        return f"The mail server refused it with {error.smtp_code}: {words[:200]}"
    except smtplib.SMTPRecipientsRefused:
        return "The mail server refused the recipient."
    except (smtplib.SMTPException, ssl.SSLError):
        return "The mail server can't be used: look at mail.security and mail.port."
    except OSError:
        return "The mail server cannot be reached: look at mail.host and mail.port."
    except MatineeError as error:
        return error.message
    return ""


@contextmanager
def _server(settings: Settings) -> Iterator[smtplib.SMTP]:
    mail = settings.mail
    trust = outbound.of(settings).context()
    if mail.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            mail.host, mail.port, timeout=mail.timeout_seconds, context=trust
        )
    else:
        server = smtplib.SMTP(mail.host, mail.port, timeout=mail.timeout_seconds)
    with server:
        if mail.security == "starttls":
            server.starttls(context=trust)
        _sign_in(settings, server)
        yield server


def _sign_in(settings: Settings, server: smtplib.SMTP) -> None:
    named = settings.mail.credentials
    if not named and not (settings.keys / "mail.toml").exists():
        return
    secret = SecretFile("mail.toml", settings.keys, named, "mail.credentials", "mail")
    section = secret.section("smtp")
    server.login(section["username"], section["password"])


def _finish(db: Database, row: Row, problem: str) -> None:
    attempts = row["attempts"] + 1
    over = not problem or attempts > len(WAITS)
    state = MailState.FAILED if problem else MailState.SENT
    again = None if over else to_text(db.clock.now() + WAITS[attempts - 1])
    with write(db):
        db.table("mails").update(
            row["id"],
            {
                "state": (state if over else MailState.WAITING).value,
                "attempts": attempts,
                "problem": problem,
                "next_at": again,
                "finished_at": db.now() if over else None,
            },
        )
        if over and problem:
            subject = f"mail/{row['public_id']}"
            record(db, SYSTEM, Event.MAIL_FAIL, subject, template=row["template"])


def _newest(db: Database) -> int:
    return int(db.value("select coalesce(max(id), 0) from events"))


def _move_on(db: Database, event_id: int) -> None:
    preferences.change(db, SYSTEM, _CURSOR, {"event": event_id})


def _require_address(address: str) -> None:
    if not _ADDRESS.fullmatch(address):
        raise _refusal("recipients", f"“{address[:80]}” is no e-mail address.")


def _letter(row: Row) -> Letter:
    subject, _ = letters.write(
        row["template"], json.loads(row["data"]), row["language"]
    )
    return Letter(
        id=row["public_id"],
        recipient=row["recipient"],
        template=row["template"],
        subject=subject,
        state=MailState(row["state"]),
        attempts=row["attempts"],
        problem=row["problem"],
        next_at=row["next_at"],
        created_at=row["created_at"],
    )


def _refusal(field: str, sentence: str) -> InvalidInput:
    return InvalidInput(f"mail.{field}", sentence, {"field": field})
