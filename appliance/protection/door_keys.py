"""Content keys for the doors: looked up for every answer, opened once.

A licence is asked for more often than anything else here, and unwrapping the same keys
again and again is most of what it would cost. What is kept counts for exactly the rows
and the key-encryption keys it was opened from: a key that is retired or replaced, or
whose key-encryption key is lost, leaves no door any more from that moment on.
"""

from dataclasses import dataclass, field
from typing import Any

from appliance.db import Database
from appliance.protection import kek, keys
from appliance.protection.kek import Ring
from appliance.protection.keys import ContentKey
from appliance.settings import Settings

_MOST_FILMS = 256

_ROWS = """
select kid, kek, wrapped
from content_keys
where asset_id = ? and retired_at is null
order by generation, id
"""


@dataclass(frozen=True, slots=True)
class _Opened:
    """The keys of one film, and what they were opened from."""

    rows: list[Any] = field(repr=False)
    ring: Ring
    keys: tuple[ContentKey, ...]


_opened: dict[int, _Opened] = {}


def of_asset(db: Database, settings: Settings, asset_id: int) -> tuple[ContentKey, ...]:
    """Return every key of the asset that is not retired, the oldest first.

    Errors: those of :func:`appliance.protection.keys.of_asset`.
    """
    rows = db.conn.execute(_ROWS, (asset_id,)).fetchall()
    ring = kek.load(settings)
    kept = _opened.get(asset_id)
    if kept is None or kept.ring is not ring or kept.rows != rows:
        found = keys.of_asset(db, settings, asset_id)
        kept = _opened[asset_id] = _Opened(rows, ring, found)
        for oldest in list(_opened)[:-_MOST_FILMS]:
            _opened.pop(oldest, None)
    return kept.keys
