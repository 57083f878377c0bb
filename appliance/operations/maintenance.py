"""Maintenance: the portal closed for a while, for everybody but the Studio.

What plays goes on: segments, licences and heartbeats know nothing of it.
"""

from dataclasses import dataclass

from appliance import preferences
from appliance.access import moments
from appliance.db import Database, write
from appliance.errors import InvalidInput
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check

_KEY = "maintenance"
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Maintenance:
    """When the portal is closed, UTC text; None: not at all, or with no end set."""

    planned: bool = False
    starts_at: str | None = None
    ends_at: str | None = None
    message: str = ""

    def closed(self, now: str) -> bool:
        """Say whether the portal is closed at ``now``; it opens when the end comes."""
        begun = self.planned and (self.starts_at or "") <= now
        return begun and (self.ends_at is None or now < self.ends_at)


def read(db: Database) -> Maintenance:
    """Return what is planned, or an empty plan."""
    return Maintenance(**preferences.read(db, _KEY).value)


def close(
    db: Database,
    actor: Actor,
    *,
    starts_at: str | None = None,
    ends_at: str | None = None,
    message: str = "",
) -> Maintenance:
    """Close the portal, at once or from a time on. Errors: ``InvalidInput``."""
    begins, ends = moments.span(starts_at, ends_at)
    sentence = " ".join(message.split())
    if len(sentence) > _LONGEST or not sentence.isprintable():
        raise InvalidInput(
            "maintenance.message",
            f"The message may have {_LONGEST} characters at most.",
            {"field": "message"},
        )
    planned = Maintenance(True, begins or db.now(), ends, sentence)
    return _store(db, actor, planned, "close")


def open_again(db: Database, actor: Actor) -> Maintenance:
    """Open the portal, or drop the plan to close it."""
    return _store(db, actor, Maintenance(), "open")


def _store(
    db: Database, actor: Actor, planned: Maintenance, change: str
) -> Maintenance:
    check(actor, Action.PORTAL_ANNOUNCE)
    value = {
        "planned": planned.planned,
        "starts_at": planned.starts_at,
        "ends_at": planned.ends_at,
        "message": planned.message,
    }
    with write(db):
        if read(db) != planned:
            preferences.change(db, actor, _KEY, value)
            record(
                db,
                actor,
                Event.MAINTENANCE_CHANGE,
                "portal/maintenance",
                change=change,
                starts_at=planned.starts_at,
                ends_at=planned.ends_at,
            )
    return planned
