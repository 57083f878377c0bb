"""Housekeeping that nobody waits for: what was left behind, and what has run out."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from appliance.accounts import sessions
from appliance.clock import from_text
from appliance.db import Database
from appliance.media import leftovers, uploads
from appliance.objects import Stores
from appliance.playback import sessions as playback
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import scratch

_EVERY = timedelta(minutes=10)
# Copying a long film in takes hours; only then do its rows follow.
_ORPHAN_SECONDS = 2 * 24 * 3600

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Chores:
    """The chores of one installation."""

    db: Database
    storage: Storage
    settings: Settings
    done_at: str = field(default="")

    def do_what_is_due(self) -> None:
        """Empty the trash, and every ten minutes do everything else."""
        scratch.empty_trash(self.storage)
        now = self.db.clock.now()
        if self.done_at and now - from_text(self.done_at) < _EVERY:
            return
        self.done_at = self.db.now()
        chores: tuple[Callable[[], None], ...] = (
            self.drop_abandoned_uploads,
            self.drop_orphans,
            self.drop_ended_sessions,
            self.end_silent_playback,
            self.drop_leftovers,
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

    def drop_leftovers(self) -> None:
        """Remove copies of tracks that nothing names, also in the object storage."""
        leftovers.sweep(self.db, Stores(self.storage, self.settings))

    def _ids(self, sql: str) -> set[str]:
        return {row["public_id"] for row in self.db.rows(sql)}

    def _is_old(self, path: Path) -> bool:
        age = self.db.clock.now().timestamp() - path.stat().st_mtime
        return age > _ORPHAN_SECONDS
