"""Where films stand while they arrive: the parts, their index, and the tus server.

Everything lies in ``uploads/`` of the storage: ``parts/<upload>`` the bytes so far,
``index.db`` how many of them are safe, ``locks/`` who writes. The account, the title
and the fate of an upload stand in the database of the installation.
"""

import errno
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from resumable_upload import SQLiteStorage, TusServerCore

from appliance.errors import StorageFull
from appliance.settings import Settings
from appliance.storage import Storage
from web.studio.locks import FileLocks

BASE = "/studio/uploads"
# As long as a chunk takes to be written; then the page is told to come back.
WAIT_SECONDS = 2.0
_PUBLIC_ID = re.compile(r"[0-9a-f]{16}")
_Index = dict[str, Any]


class Parts:
    """The partial films of an installation; one object per web process."""

    def __init__(self, settings: Settings, storage: Storage) -> None:
        folder = storage.path("uploads")
        self._storage = storage
        self.max_chunk = settings.uploads.chunk_megabytes * 1024**2
        self.locks = FileLocks(folder / "locks")
        self._folder = folder / "parts"
        # Several processes start at once, and only one may lay out the index.
        with self.locks.holding("index", WAIT_SECONDS * 10):
            self._index = _DurableIndex(
                db_path=str(folder / "index.db"), upload_dir=str(self._folder)
            )
        self.server = _Server(
            storage=self._index,
            base_path=BASE,
            max_size=settings.uploads.max_gigabytes * 1000**3,
            max_chunk_size=self.max_chunk,
            lock_backend=self.locks,
            lock_wait_seconds=WAIT_SECONDS,
            checksum_algorithms=("sha256", "sha1"),
            disable_concatenation=True,
        )

    def begin(self, upload: str, size: int, metadata: Mapping[str, str]) -> None:
        """Make room in the index for a film of ``size`` bytes."""
        self._storage.require_mounted()
        self._index.create_upload(upload, size, dict(metadata))

    def path(self, upload: str) -> Path:
        """Return where the bytes of an upload lie."""
        return self._folder / upload

    def received(self, upload: str) -> int:
        """Return how many bytes of an upload are safe on the disk."""
        return int(self._known(upload).get("offset", 0))

    def whole(self, upload: str) -> bool:
        """Say whether every byte of an upload has arrived."""
        known = self._known(upload)
        return bool(known) and known["offset"] == known["upload_length"]

    def metadata(self, upload: str) -> dict[str, str]:
        """Return what the page said about an upload when it began."""
        return dict(self._known(upload).get("metadata", {}))

    def all(self) -> set[str]:
        """Return the uploads of which something lies here, bytes or a line."""
        with closing(sqlite3.connect(self._index.db_path)) as index:
            lines = {row[0] for row in index.execute("select upload_id from uploads")}
        return lines | {each.name for each in self._folder.iterdir()}

    def forget(self, upload: str) -> None:
        """Remove the bytes of an upload and its line in the index."""
        self._index.delete_upload(upload)

    def _known(self, upload: str) -> _Index:
        return self._index.get_upload(upload) or {}


class _Server(TusServerCore):  # type: ignore[misc] # the library has no types
    """The protocol, less what no client of ours needs; uploads have our public ids."""

    SUPPORTED_EXTENSIONS = ("creation", "termination", "checksum", "concatenation")

    def _validate_upload_id(self, upload_id: str) -> bool:
        return bool(_PUBLIC_ID.fullmatch(upload_id))


class _DurableIndex(SQLiteStorage):  # type: ignore[misc] # the library has no types
    """An index that counts a chunk only when it is on the disk."""

    def write_chunk(self, upload_id: str, offset: int, data: bytes) -> None:
        # The index syncs its own commits. Without this, a power cut could leave an
        # offset that counts bytes which never reached the disk.
        super().write_chunk(upload_id, offset, data)
        with Path(self.get_file_path(upload_id)).open("rb") as file:
            os.fdatasync(file.fileno())


@contextmanager
def full_disk_explained() -> Iterator[None]:
    """Turn a disk that fills up while bytes arrive into a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise _full() from error
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_FULL:
            raise
        raise _full() from error


def _full() -> StorageFull:
    return StorageFull(
        "upload.full",
        "The disk is full. What has arrived is kept: free some room, then resume.",
    )
