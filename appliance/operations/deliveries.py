"""Deliveries: what webhooks are told, again and again until somebody takes it.

Each hook keeps a cursor into the audit log. What it asked for is written down as a
delivery, in the transaction that moves the cursor, and sent after: nothing is lost when
a process ends in between, and a delivery that somebody gets twice has the same id.
"""

import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from appliance import calls, outbound
from appliance.clock import to_text
from appliance.db import Database, Row, write
from appliance.errors import MatineeError, NotFound
from appliance.events import Event, Recorded, record, since
from appliance.operations.webhooks import PURPOSE, row_of
from appliance.permissions import SYSTEM, Action, Actor, check
from appliance.protection import sealing
from appliance.settings import Settings

WAITS = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480, 1440, 1440)
)
"""How long after each failed attempt the next one is made; after the last, none."""

_AT_ONCE = 200
_KEPT_DAYS = 30
_ANSWER = 300
# What hooks cause must not be told to hooks, for ever and ever.
_UNTOLD = frozenset({Event.WEBHOOK_FAIL})


class DeliveryState(StrEnum):
    """How a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way; ``status`` and ``answer`` are what was last answered."""

    id: str
    event: str
    subject: str
    state: DeliveryState
    attempts: int
    status: int | None
    answer: str
    next_at: str | None
    created_at: str
    finished_at: str | None
    body: str


def listing(
    db: Database, actor: Actor, public_id: str, limit: int = 50
) -> list[Delivery]:
    """Return the last deliveries of a webhook, the newest first."""
    check(actor, Action.INTEGRATION_MANAGE)
    rows = db.rows(
        f"{_DELIVERIES} where webhook_id = ? order by id desc limit ?",
        (row_of(db, public_id)["id"], limit),
    )
    return [_delivery(row) for row in rows]


def test(db: Database, actor: Actor, public_id: str) -> Delivery:
    """Send a delivery that says nothing happened. Errors: ``NotFound``."""
    check(actor, Action.INTEGRATION_MANAGE)
    with write(db):
        row = row_of(db, public_id)
        told = Recorded(0, db.now(), "webhook:test", actor.username, "", "test", {})
        return _delivery(_write_down(db, row["id"], told))


def replay(db: Database, actor: Actor, public_id: str, delivery: str) -> Delivery:
    """Send a delivery again, at once, with the id that it had. Errors: ``NotFound``."""
    check(actor, Action.INTEGRATION_MANAGE)
    with write(db):
        hook = row_of(db, public_id)
        found = db.one(
            f"{_DELIVERIES} where webhook_id = ? and public_id = ?",
            (hook["id"], delivery),
        )
        if found is None:
            raise NotFound("webhook.delivery", "There is no such delivery any more.")
        db.conn.execute(
            """
            update webhook_deliveries
            set state = 'waiting', attempts = 0, next_at = ?, finished_at = null
            where public_id = ?
            """,
            (db.now(), delivery),
        )
        again = db.one(f"{_DELIVERIES} where public_id = ?", (delivery,))
        return _delivery(again or found)


def gather(db: Database) -> int:
    """Write down what the enabled hooks are to be told; return how much that is."""
    newest = int(db.value("select coalesce(max(id), 0) from events"))
    behind = "select * from webhooks where enabled = 1 and cursor < ?"
    if not db.rows(behind, (newest,)):
        return 0
    told = 0
    with write(db):
        for hook in db.rows(behind, (newest,)):
            patterns = json.loads(hook["events"])
            happened = since(db, hook["cursor"], _AT_ONCE)
            for event in happened:
                if event.name not in _UNTOLD and _matches(event.name, patterns):
                    _write_down(db, hook["id"], event)
                    told += 1
            reached = happened[-1].id if happened else newest
            db.table("webhooks").update(hook["id"], {"cursor": reached})
    return told


def send_due(db: Database, settings: Settings, most: int = 20) -> int:
    """Send what is due, outside of any transaction; return how many were tried."""
    rows = db.rows(
        """
        select d.*, w.url, w.secret, w.public_id as hook
        from webhook_deliveries d join webhooks w on w.id = d.webhook_id
        where d.state = 'waiting' and d.next_at <= ? and w.enabled = 1
        order by d.next_at limit ?
        """,
        (db.now(), most),
    )
    for row in rows:
        _finish(db, row, *_sent(settings, row, db.now()))
    return len(rows)


def forget_old(db: Database) -> None:
    """Remove deliveries that ended a month ago."""
    with write(db):
        db.conn.execute(
            "delete from webhook_deliveries where finished_at < ?",
            (db.now(days=-_KEPT_DAYS),),
        )


def signature(secret: str, moment: str, body: str) -> str:
    """Return what proves that ``body`` is ours, as the header ``Matinee-Signature``.

    HMAC-SHA256 over the moment, a dot and the body; compare it in constant time.
    """
    made = hmac.new(secret.encode(), f"{moment}.{body}".encode(), "sha256")
    return f"t={moment},v1={made.hexdigest()}"


_DELIVERIES = "select * from webhook_deliveries"


def _sent(settings: Settings, row: Row, moment: str) -> tuple[int | None, str]:
    """Send one; return the status and what was answered, or why there is none."""
    try:
        secret = sealing.unseal(settings.keys, row["secret"], PURPOSE)["secret"]
        answer = calls.ask(
            "POST",
            row["url"],
            ways=outbound.of(settings),
            headers={
                "Content-Type": "application/json",
                "Matinee-Delivery": row["public_id"],
                "Matinee-Signature": signature(secret, moment, row["body"]),
            },
            body=row["body"].encode(),
            timeout=settings.webhooks.timeout_seconds,
            service="The webhook",
            code="webhook",
        )
    except MatineeError as error:
        return None, error.message
    return answer.status, answer.body[:_ANSWER].decode(errors="replace")


def _finish(db: Database, row: Row, status: int | None, answer: str) -> None:
    attempts = row["attempts"] + 1
    well = status is not None and 200 <= status < 300
    over = well or attempts > len(WAITS)
    again = None if over else to_text(db.clock.now() + WAITS[attempts - 1])
    state = DeliveryState.DELIVERED if well else DeliveryState.FAILED
    with write(db):
        db.table("webhook_deliveries").update(
            row["id"],
            {
                "state": (state if over else DeliveryState.WAITING).value,
                "attempts": attempts,
                "status": status,
                "answer": answer.replace("\0", ""),
                "next_at": again,
                "finished_at": db.now() if over else None,
            },
        )
        if over and not well:
            subject = f"webhook/{row['hook']}"
            record(db, SYSTEM, Event.WEBHOOK_FAIL, subject, delivery=row["public_id"])


def _write_down(db: Database, hook_id: int, event: Recorded) -> Row:
    public_id = secrets.token_hex(8)
    body = {
        "id": public_id,
        "event": event.name,
        "at": event.at,
        "actor": event.actor,
        "subject": event.subject,
        "data": event.data,
    }
    row = {
        "public_id": public_id,
        "webhook_id": hook_id,
        "event_id": event.id,
        "body": json.dumps(body, ensure_ascii=False),
        "next_at": db.now(),
        "created_at": db.now(),
    }
    db.table("webhook_deliveries").insert(row)
    return db.one(f"{_DELIVERIES} where public_id = ?", (public_id,)) or {}


def _matches(name: str, patterns: list[str]) -> bool:
    return not patterns or any(fnmatchcase(name, each) for each in patterns)


def _delivery(row: Row) -> Delivery:
    body = json.loads(row["body"])
    return Delivery(
        id=row["public_id"],
        event=body["event"],
        subject=body["subject"],
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        status=row["status"],
        answer=row["answer"],
        next_at=row["next_at"],
        created_at=row["created_at"],
        finished_at=row["finished_at"],
        body=row["body"],
    )
