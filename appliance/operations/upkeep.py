"""What keeps the database small and quick; it may be used meanwhile."""

from dataclasses import dataclass
from pathlib import Path

from appliance.db import Database


@dataclass(frozen=True, slots=True)
class Kept:
    """What there was to do, in bytes: of the log before, of the database, unused."""

    log: int
    database: int
    unused: int


def keep_up(db: Database, path: Path) -> Kept:
    """Write the log into the database, and learn anew how its tables are filled.

    While somebody reads what is old the log stays: the next time will do.
    """
    log = path.with_name(f"{path.name}-wal")
    before = log.stat().st_size if log.exists() else 0
    db.conn.execute("pragma optimize")
    db.conn.execute("pragma wal_checkpoint(truncate)").fetchone()
    page = db.value("pragma page_size")
    return Kept(
        before,
        page * db.value("pragma page_count"),
        page * db.value("pragma freelist_count"),
    )
