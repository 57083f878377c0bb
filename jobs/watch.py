"""The watch folder: a film that is put there becomes a title.

A file is taken once it has been still for a while. It stays where it is until its job
has ended, and then moves into ``done/``, or into ``failed/`` beside a file with the
reason. The upload row tells a film that was taken from one that was not, so that a
restart takes none twice.
"""

import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from appliance.db import Database
from appliance.errors import MatineeError, StorageFull, TryAgain
from appliance.media import jobs, uploads
from appliance.media.jobs import JobState
from appliance.media.uploads import Upload
from appliance.permissions import SYSTEM
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import queue

_DONE, _FAILED = "done", "failed"
# What browsers, rsync, lftp and others call a file that is still arriving.
_PARTIAL = re.compile(
    r"\.(part|partial|filepart|crdownload|download|tmp|temp|!ut|aria2|opdownload)$"
    r"|~$|^~",
    re.IGNORECASE,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a file was when it last changed, and since when it has been so."""

    identity: str
    since: datetime


@dataclass(slots=True)
class WatchFolder:
    """Looks at the folder again and again; the settings may name none."""

    db: Database
    storage: Storage
    settings: Settings
    seen: dict[str, _Seen] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Take what is still, and put away what has ended."""
        if not self.settings.uploads.watch_folder:
            return
        folder = Path(self.settings.uploads.watch_folder)
        found = dict(_films(folder))
        self.seen = {name: self._look_at(name, found[name]) for name in found}
        self.refused &= found.keys()
        for name, status in found.items():
            try:
                self._treat(folder / name, _identity(status), status.st_size)
            except OSError as error:
                self._complain(name, error)

    def _treat(self, path: Path, identity: str, size: int) -> None:
        taken = uploads.watched(self.db, path.name, identity)
        if taken is not None:
            self._put_away(path, taken)
        elif self._is_still(path.name):
            self._take(path, identity, size)

    def _complain(self, name: str, error: OSError | MatineeError) -> None:
        """Say once that a film can't be treated now; the others go on."""
        if name not in self.refused:
            self.refused.add(name)
            logger.error("%r in the watch folder can't be treated: %s", name, error)

    def _look_at(self, name: str, status: os.stat_result) -> _Seen:
        identity = _identity(status)
        before = self.seen.get(name)
        if before is not None and before.identity == identity:
            return before
        return _Seen(identity, self.db.clock.now())

    def _is_still(self, name: str) -> bool:
        still = self.db.clock.now() - self.seen[name].since
        return still.total_seconds() >= self.settings.uploads.watch_still_seconds

    def _take(self, path: Path, identity: str, size: int) -> None:
        try:
            self.storage.require_room(size)
            self.storage.require_takes(self.settings.disk, size)
        except StorageFull as error:
            # It stays where it is, and is taken when there is room.
            self._complain(path.name, error)
            return
        upload = uploads.start_watched(self.db, path.name, identity, size)
        try:
            arrival = uploads.take_in(
                self.db,
                self.storage,
                self.settings,
                SYSTEM,
                path,
                path.name,
                keep_source=True,
                publish=self.settings.uploads.watch_publish,
                upload=upload.public_id,
            )
        except (TryAgain, StorageFull) as error:
            uploads.failed(self.db, upload.public_id, error.message)
            self._complain(path.name, error)
            return
        except MatineeError as error:
            uploads.failed(self.db, upload.public_id, error.message)
            self._reject(path, error.message)
            return
        logger.info("took %r from the watch folder: job %s", path.name, arrival.job)
        queue.wake(self.settings, arrival.job)

    def _put_away(self, path: Path, upload: Upload) -> None:
        """Move the original of a film whose job has ended."""
        job = None
        if upload.asset_id is not None:
            job = jobs.latest_of_asset(self.db, upload.asset_id)
        if job is not None and job.open:
            return
        if job is None:
            self._reject(path, "Its title was removed before the film was processed.")
        elif job.state is JobState.DONE:
            self._move(path, _DONE)
        elif job.state is JobState.FAILED:
            self._reject(path, job.error_message)
        else:
            self._reject(path, "Its job was cancelled.")
        uploads.put_away(self.db, upload.public_id)

    def _reject(self, path: Path, reason: str) -> None:
        """Move a film to ``failed/``; the reason is there before the film is."""
        name = self._free_name(path, _FAILED)
        told = path.parent / _FAILED / f"{name}.reason.txt"
        told.write_text(f"{reason}\n", encoding="utf-8")
        self._move(path, _FAILED, name)

    def _move(self, path: Path, subfolder: str, name: str = "") -> None:
        target = path.parent / subfolder / (name or self._free_name(path, subfolder))
        try:
            # A link and an unlink: renaming would write over a name just taken.
            os.link(path, target)
        except OSError:  # a file system without links
            path.rename(target)
        else:
            path.unlink()

    def _free_name(self, path: Path, subfolder: str) -> str:
        """Return the name, dated when another film of that name lies there."""
        folder = path.parent / subfolder
        folder.mkdir(exist_ok=True)
        stamp = self.db.clock.now().strftime("%Y-%m-%d-%H%M%S")
        names = [path.name, f"{path.stem}.{stamp}{path.suffix}"]
        names += [f"{path.stem}.{stamp}-{n}{path.suffix}" for n in range(2, 100)]
        return next(name for name in names if not (folder / name).exists())


def _films(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the files that may be films, with what is known of each."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith(".") or _PARTIAL.search(path.name):
            continue
        if path.name in (_DONE, _FAILED):
            continue
        try:
            if path.is_symlink() or not path.is_file():
                continue
            yield path.name, path.stat()
        except FileNotFoundError:
            continue


def _identity(status: os.stat_result) -> str:
    # Neither device nor inode: both may change when a network folder is mounted again.
    return f"{status.st_size}:{status.st_mtime_ns}"
