"""What is changed while it runs, in the Studio: preferences, one document each.

Settings are the machine's and stand in a file; preferences are the house's and stand
in the database.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from appliance.db import Database, write
from appliance.errors import Conflict
from appliance.permissions import Actor

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Preference:
    """A document; ``revision`` is 0 as long as nobody has changed it."""

    key: str
    value: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    revision: int = 0
    changed_by: str = ""
    changed_at: str = ""


def read(db: Database, key: str) -> Preference:
    """Return a preference, empty when nobody has changed it."""
    row = db.one("select * from preferences where key = ?", (key,))
    if row is None:
        return Preference(key)
    return Preference(**row | {"value": json.loads(row["value"])})


def change(
    db: Database,
    actor: Actor,
    key: str,
    value: Mapping[str, Any],
    revision: int | None = None,
) -> Preference:
    """Write a preference whole; whoever calls checks the permission and records it.

    ``revision`` is the one that was seen; None takes any. Errors: ``Conflict``.
    """
    with write(db):
        before = read(db, key)
        if revision is not None and revision != before.revision:
            raise Conflict(
                "preference.changed",
                f"{before.changed_by} changed this while you were at it."
                " Nothing was saved: look at what stands there now.",
                {"revision": before.revision, "changed_by": before.changed_by},
            )
        row = {
            "key": key,
            "value": json.dumps(dict(value), ensure_ascii=False),
            "revision": before.revision + 1,
            "changed_by": actor.username,
            "changed_at": db.now(),
        }
        db.table("preferences").upsert(row, pk="key")
        return read(db, key)
