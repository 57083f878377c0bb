"""Announcements: what an installation tells everybody for a while."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from appliance.access import moments
from appliance.db import Database, Row, write
from appliance.errors import InvalidInput, NotFound
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check

_LONGEST = 300
_MOST_SHOWN = 3


class Level(StrEnum):
    """How much it matters."""

    INFO = "info"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Announcement:
    """One sentence, shown from ``starts_at`` until before ``ends_at``, UTC text."""

    id: str
    text: str
    level: Level
    dismissible: bool
    starts_at: str | None
    ends_at: str | None
    created_by: str
    created_at: str


def shown(db: Database) -> list[Announcement]:
    """Return what is announced now, the newest first."""
    rows = db.rows(
        """
        select * from announcements
        where coalesce(starts_at, '') <= :now and (ends_at is null or ends_at > :now)
        order by id desc limit :most
        """,
        {"now": db.now(), "most": _MOST_SHOWN},
    )
    return [_announcement(row) for row in rows]


def listing(db: Database, actor: Actor) -> list[Announcement]:
    """Return every announcement, also past and future ones, the newest first."""
    check(actor, Action.PORTAL_ANNOUNCE)
    rows = db.rows("select * from announcements order by id desc limit 200")
    return [_announcement(row) for row in rows]


def add(
    db: Database,
    actor: Actor,
    text: str,
    *,
    level: Level | str = Level.INFO,
    dismissible: bool = True,
    starts_at: str | None = None,
    ends_at: str | None = None,
) -> Announcement:
    """Announce something. Errors: ``InvalidInput``, ``Forbidden``."""
    check(actor, Action.PORTAL_ANNOUNCE)
    begins, ends = moments.span(starts_at, ends_at)
    if level not in tuple(Level):
        raise _refusal("level", f"The level is one of: {', '.join(Level)}.")
    row = {
        "public_id": secrets.token_hex(8),
        "text": _sentence(text),
        "level": str(level),
        "dismissible": int(dismissible),
        "starts_at": begins,
        "ends_at": ends,
        "created_by": actor.username,
        "created_at": db.now(),
    }
    with write(db):
        db.table("announcements").insert(row)
        _record(db, actor, str(row["public_id"]), {"text": row["text"]}, "add")
        return by_id(db, str(row["public_id"]))


def remove(db: Database, actor: Actor, public_id: str) -> Announcement:
    """Take an announcement back. Errors: ``NotFound``, ``Forbidden``."""
    check(actor, Action.PORTAL_ANNOUNCE)
    with write(db):
        gone = by_id(db, public_id)
        db.conn.execute("delete from announcements where public_id = ?", (public_id,))
        _record(db, actor, public_id, {"text": gone.text}, "remove")
    return gone


def by_id(db: Database, public_id: str) -> Announcement:
    """Return one announcement. Errors: ``NotFound``."""
    row = db.one("select * from announcements where public_id = ?", (public_id,))
    if row is None:
        raise NotFound("announcement.missing", "There is no such announcement.")
    return _announcement(row)


def _record(
    db: Database, actor: Actor, public_id: str, data: Mapping[str, object], change: str
) -> None:
    subject = f"announcement/{public_id}"
    record(db, actor, Event.ANNOUNCEMENT_CHANGE, subject, change=change, **data)


def _sentence(text: str) -> str:
    sentence = " ".join(text.split())
    if not sentence or len(sentence) > _LONGEST or not sentence.isprintable():
        raise _refusal("text", f"Write a sentence of {_LONGEST} characters at most.")
    return sentence


def _announcement(row: Row) -> Announcement:
    return Announcement(
        id=row["public_id"],
        text=row["text"],
        level=Level(row["level"]),
        dismissible=bool(row["dismissible"]),
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        created_by=row["created_by"],
        created_at=row["created_at"],
    )


def _refusal(field: str, sentence: str) -> InvalidInput:
    return InvalidInput(f"announcement.{field}", sentence, {"field": field})
