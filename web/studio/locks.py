"""Locks of uploads that hold across threads and across web processes.

The library brings a lock for one process and one for Redis. This one is ``flock``: the
kernel lets go of it when its holder dies, however it dies, so nobody waits for a lease
to run out after a crash.
"""

import fcntl
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from resumable_upload.locks import LockBackend

from appliance.errors import Locked

_POLL_SECONDS = 0.02


class FileLocks(LockBackend):  # type: ignore[misc] # the library has no types
    """Exclusive locks in a fixed set of 256 files, so none needs to be cleaned up.

    Two uploads that share a file wait for each other for the length of one chunk.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._held: dict[str, IO[str]] = {}
        self._guard = threading.Lock()

    def acquire(
        self,
        key: str,
        ttl_seconds: float,  # noqa: ARG002 the kernel frees the lock of the dead
        wait_timeout: float = 0.0,
    ) -> str | None:
        """Return a token, or None when another held the lock all the time."""
        file = (self._folder / key[:2]).open("w")
        deadline = time.monotonic() + wait_timeout
        while not _taken(file):
            if time.monotonic() >= deadline:
                file.close()
                return None
            time.sleep(_POLL_SECONDS)
        token = secrets.token_hex(8)
        with self._guard:
            self._held[token] = file
        return token

    def release(self, key: str, token: str) -> None:  # noqa: ARG002
        """Let go; a token that is not held is let go of already."""
        with self._guard:
            file = self._held.pop(token, None)
        if file is not None:
            file.close()

    @contextmanager
    def holding(self, key: str, wait_seconds: float) -> Iterator[None]:
        """Hold the lock for a block. Errors: ``Locked`` when it can't be had."""
        token = self.acquire(key, 0, wait_seconds)
        if token is None:
            raise Locked(
                "upload.busy", "This upload is busy in another window: try again."
            )
        try:
            yield
        finally:
            self.release(key, token)


def _taken(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
