"""Housekeeping that nobody waits for: what was left behind, and what has run out."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from appliance.accounts import sessions
from appliance.catalog import imports, trash
from appliance.clock import from_text
from appliance.db import Database
from appliance.discovery import indexing
from appliance.media import keeping, leftovers, uploads
from appliance.objects import Stores
from appliance.operations import alerts, deliveries, mail
from appliance.operations.backups import runs
from appliance.playback import sessions as playback
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import fetching, scratch
from jobs.making import older

_EVERY = timedelta(minutes=10)
# Copying a long film in takes hours; only then do its rows follow.
_ORPHAN_SECONDS = 2 * 24 * 3600
# The watch folder waits as long.
_INDEXING_SECONDS = 5.0

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Chores:
    """The chores of one installation."""

    db: Database
    storage: Storage
    settings: Settings
    done_at: str = field(default="")

    def do_what_is_due(self) -> None:
        """Empty the trash and index what changed; every ten minutes everything else."""
        scratch.empty_trash(self.storage)
        indexing.catch_up(
            self.db, Stores(self.storage, self.settings), _INDEXING_SECONDS
        )
        now = self.db.clock.now()
        if self.done_at and now - from_text(self.done_at) < _EVERY:
            return
        self.done_at = self.db.now()
        chores: tuple[Callable[[], None], ...] = (
            self.drop_abandoned_uploads,
            self.drop_orphans,
            self.drop_ended_sessions,
            self.end_silent_playback,
            self.drop_older_versions,
            self.drop_sources,
            self.drop_leftovers,
            self.empty_trash,
            self.drop_tables,
            self.forget_messages,
        )
        for chore in chores:
            chore()

    def drop_abandoned_uploads(self) -> None:
        """End uploads that nobody went on with, and remove what has arrived of them."""
        for upload in uploads.abandoned(self.db, self.settings):
            message = "Nobody went on with this upload, so it was removed."
            uploads.failed(self.db, upload.public_id, message)
            if upload.origin == "browser":
                self.storage.remove(f"uploads/parts/{upload.public_id}")

    def drop_orphans(self) -> None:
        """Remove files whose rows were never written, or were removed before them."""
        assets = self._ids("select public_id from assets")
        titles = self._ids("select public_id from titles")
        pictures = self._ids("select public_id from artwork")
        for known, pattern in (
            (assets, "sources/*"),
            (assets, "packages/*"),
            (titles, "artwork/*"),
            (pictures, "artwork/*/*"),
        ):
            for path in self.storage.root.glob(pattern):
                if path.name not in known and self._is_old(path):
                    logger.warning("removing %s, which belongs to nothing", path)
                    self.storage.remove(path.relative_to(self.storage.root))

    def drop_ended_sessions(self) -> None:
        """Forget sessions that have run out long ago."""
        sessions.forget_ended(self.db)

    def end_silent_playback(self) -> None:
        """End playback sessions that fell silent, or whose device was signed out."""
        playback.expire(self.db)

    def drop_older_versions(self) -> None:
        """Forget what was replaced encode.keep_versions_days ago."""
        older.drop_tracks(self.db, self.settings)
        older.drop_sources(self.db, self.storage, self.settings)

    def drop_sources(self) -> None:
        """Remove sources of finished films that are not to be kept."""
        keeping.remove_due(self.db, self.storage, self.settings)

    def drop_leftovers(self) -> None:
        """Remove copies of tracks that nothing names, also in the object storage."""
        leftovers.sweep(self.db, Stores(self.storage, self.settings))

    def empty_trash(self) -> None:
        """Remove titles for good that have been in the trash for their days."""
        for slug in trash.purge_due(self.db, self.storage, self.settings):
            logger.info("removed %s, whose days in the trash are over", slug)

    def drop_tables(self) -> None:
        """Remove tables of titles that nobody imported, or that were imported."""
        imports.drop_old(self.db, self.storage)
        fetching.drop_old(self.db, self.storage)

    def forget_messages(self) -> None:
        """Forget what was told a month ago, and backups that are long gone."""
        deliveries.forget_old(self.db)
        mail.forget_old(self.db)
        alerts.forget_old(self.db)
        runs.forget_old(self.db)

    def _ids(self, sql: str) -> set[str]:
        return {row["public_id"] for row in self.db.rows(sql)}

    def _is_old(self, path: Path) -> bool:
        age = self.db.clock.now().timestamp() - path.stat().st_mtime
        return age > _ORPHAN_SECONDS
