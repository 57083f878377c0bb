"""Webhooks: whom an installation tells what happened in it.

:mod:`appliance.operations.deliveries` tells them.
"""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from appliance import calls
from appliance.db import Database, Row, write
from appliance.errors import InvalidInput, NotFound
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check
from appliance.protection import sealing
from appliance.settings import Settings

PURPOSE = "webhook"
"""What the secrets of webhooks are sealed for."""

_LONGEST_URL = 500
_MOST_HOOKS = 20


@dataclass(frozen=True, slots=True)
class Webhook:
    """Whom to tell; ``events`` are names or patterns as ``title:*``, none: all."""

    id: str
    url: str
    events: tuple[str, ...]
    enabled: bool
    created_at: str
    waiting: int
    failed: int


def listing(db: Database, actor: Actor) -> list[Webhook]:
    """Return every webhook, the oldest first. Errors: ``Forbidden``."""
    check(actor, Action.INTEGRATION_MANAGE)
    return [_webhook(row) for row in db.rows(f"{_SELECT} order by w.id")]


def by_id(db: Database, actor: Actor, public_id: str) -> Webhook:
    """Return one webhook. Errors: ``NotFound``, ``Forbidden``."""
    check(actor, Action.INTEGRATION_MANAGE)
    return _webhook(row_of(db, public_id))


def add(
    db: Database,
    settings: Settings,
    actor: Actor,
    url: str,
    events: Iterable[str] = (),
) -> tuple[Webhook, str]:
    """Tell ``url`` from now on what happens; return also the secret, shown only now.

    Errors: ``InvalidInput``, ``Forbidden``.
    """
    check(actor, Action.INTEGRATION_MANAGE)
    address, patterns = _address(url), _patterns(events)
    secret = secrets.token_urlsafe(32)
    public_id = secrets.token_hex(8)
    with write(db):
        if int(db.value("select count(*) from webhooks")) >= _MOST_HOOKS:
            raise _refusal("url", f"There are {_MOST_HOOKS} webhooks: remove one.")
        row = {
            "public_id": public_id,
            "url": address,
            "secret": sealing.seal(settings.keys, {"secret": secret}, PURPOSE),
            "events": json.dumps(patterns),
            "cursor": int(db.value("select coalesce(max(id), 0) from events")),
            "created_at": db.now(),
        }
        db.table("webhooks").insert(row)
        _record(db, actor, public_id, change="add", host=urlsplit(address).hostname)
        return by_id(db, actor, public_id), secret


def change(
    db: Database,
    actor: Actor,
    public_id: str,
    *,
    url: str | None = None,
    events: Iterable[str] | None = None,
    enabled: bool | None = None,
) -> Webhook:
    """Change what is given; one that is enabled again is not told what it missed.

    Errors: ``InvalidInput``, ``NotFound``, ``Forbidden``.
    """
    check(actor, Action.INTEGRATION_MANAGE)
    changes: dict[str, Any] = {}
    if url is not None:
        changes["url"] = _address(url)
    if events is not None:
        changes["events"] = json.dumps(_patterns(events))
    if enabled is not None:
        changes["enabled"] = int(enabled)
    with write(db):
        row = row_of(db, public_id)
        if changes.get("enabled") and not row["enabled"]:
            changes["cursor"] = int(db.value("select coalesce(max(id), 0) from events"))
        if changes:
            db.table("webhooks").update(row["id"], changes)
            _record(db, actor, public_id, change=sorted(changes))
        return by_id(db, actor, public_id)


def remove(db: Database, actor: Actor, public_id: str) -> Webhook:
    """Remove a webhook with its deliveries. Errors: ``NotFound``, ``Forbidden``."""
    check(actor, Action.INTEGRATION_MANAGE)
    with write(db):
        gone = _webhook(row_of(db, public_id))
        db.conn.execute("delete from webhooks where public_id = ?", (public_id,))
        _record(db, actor, public_id, change="remove")
    return gone


_SELECT = """
select w.*,
    (select count(*) from webhook_deliveries d
        where d.webhook_id = w.id and d.state = 'waiting') as waiting,
    (select count(*) from webhook_deliveries d
        where d.webhook_id = w.id and d.state = 'failed') as failed
from webhooks w
"""


def _address(url: str) -> str:
    address = url.strip()
    try:
        parts = urlsplit(address)
        right = bool(parts.hostname) and parts.username is None
    except ValueError:
        right = False
    if not right or len(address) > _LONGEST_URL or not address.isascii():
        raise _refusal("url", "Write an address like https://host/path.")
    calls.check_address(address, "The webhook", "webhook")
    return address


def _patterns(events: Iterable[str]) -> list[str]:
    wanted = sorted({each.strip() for each in events if each.strip()})
    for each in wanted:
        if not any(fnmatchcase(event, each) for event in Event):
            raise _refusal(
                "events",
                f"There is no event “{each[:60]}”: `matinee audit --help` names them,"
                " and title:* stands for all of titles.",
            )
    return wanted


def row_of(db: Database, public_id: str) -> Row:
    """Return a webhook as it stands in its table. Errors: ``NotFound``."""
    row = db.one(f"{_SELECT} where w.public_id = ?", (public_id,))
    if row is None:
        raise NotFound("webhook.missing", "There is no such webhook.")
    return row


def _webhook(row: Row) -> Webhook:
    return Webhook(
        id=row["public_id"],
        url=row["url"],
        events=tuple(json.loads(row["events"])),
        enabled=bool(row["enabled"]),
        created_at=row["created_at"],
        waiting=row["waiting"],
        failed=row["failed"],
    )


def _record(db: Database, actor: Actor, public_id: str, **data: object) -> None:
    record(db, actor, Event.WEBHOOK_CHANGE, f"webhook/{public_id}", **data)


def _refusal(field: str, sentence: str) -> InvalidInput:
    return InvalidInput(f"webhook.{field}", sentence, {"field": field})
