"""Chores about older versions: when they are to go, and the sources they came from."""

import logging
from collections.abc import Iterator
from pathlib import Path

from appliance.db import Database
from appliance.media import assets, versions
from appliance.playback import sessions
from appliance.settings import Settings
from appliance.storage import Storage
from jobs.making import protection

# Copying a long film in takes hours; only then do its rows follow.
_ORPHAN_SECONDS = 2 * 24 * 3600
# As in sources/<asset>/source.mp4; what came to replace it has a folder of its own.
_PLAIN = 2

logger = logging.getLogger(__name__)


def drop_tracks(db: Database, settings: Settings) -> None:
    """Forget tracks that were replaced long ago, and keys that only those had.

    Their files go with other leftovers.
    """
    days = settings.encode.keep_versions_days
    for asset_id in versions.drop_expired(db, days, sessions.watched_since(db)):
        protection.retire_unused(db, assets.by_id(db, asset_id))


def drop_sources(db: Database, storage: Storage, settings: Settings) -> None:
    """Remove sources that nobody can go back to or try again any more."""
    days = settings.encode.keep_versions_days
    known = {
        *(row["source_path"] for row in db.rows(_IN_USE, {"ago": db.now(days=-days)})),
        *_of_versions(db),
    }
    for path in (*_named(db), *_replacements(db, storage)):
        if path not in known and storage.path(path).exists():
            logger.info("removing %s, which no version needs any more", path)
            storage.remove(path if path.count("/") == _PLAIN else Path(path).parent)


_IN_USE = """
select source_path from assets
union
select request ->> '$.source_path' as source_path from jobs
where kind = 'replace'
    and (state in ('queued', 'running') or (state != 'done' and ended_at > :ago))
"""


def _of_versions(db: Database) -> Iterator[str]:
    """Yield the sources of versions that can be put back."""
    rows = db.rows(
        """
        select distinct asset_id from asset_versions v
        join assets a on a.id = v.asset_id
        where v.source_path != a.source_path
        """
    )
    for row in rows:
        for version in versions.listing(db, assets.by_id(db, row["asset_id"])):
            if version.restorable:
                yield version.source_path


def _named(db: Database) -> Iterator[str]:
    """Yield the sources of older versions, and those that came to nothing."""
    rows = db.rows(
        """
        select v.source_path from asset_versions v
        join assets a on a.id = v.asset_id
        where v.source_path != a.source_path
        union
        select request ->> '$.source_path' as source_path from jobs
        where kind = 'replace' and state in ('failed', 'cancelled')
        """
    )
    for row in rows:
        yield row["source_path"]


def _replacements(db: Database, storage: Storage) -> Iterator[str]:
    """Yield sources that came to replace others, unless they are just arriving."""
    now = db.clock.now().timestamp()
    for path in storage.path("sources").glob("*/*/*"):
        if now - path.parent.stat().st_mtime > _ORPHAN_SECONDS:
            yield str(Path("sources", *path.parts[-3:]))
