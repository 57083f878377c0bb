"""Turns: whoever would only get in another's way waits in line, for a little while.

These are courtesies, not locks: who has waited long enough goes on, and SQLite's own
lock is what keeps things right. Without them a busy server wastes most of its time on
waiting. Between any two statements a thread may have to wait for the interpreter, and
if it holds the lock of the database meanwhile, every other process waits too; and
SQLite makes who finds that lock taken sleep for a millisecond, then two, then five,
where the turn would come in a tenth of one.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_SECONDS = 0.05
_LOOK_SECONDS = 0.0001


class Turn:
    """One at a time among the threads of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, patience: float = PATIENCE_SECONDS) -> Iterator[bool]:
        """Wait for the turn, but not for long; say whether it came."""
        got = self._lock.acquire(timeout=patience)
        try:
            yield got
        finally:
            if got:
                self._lock.release()


class _Line:
    """The open file at which a thread waits among all others, of any process.

    It is not the database itself: closing that would drop the locks that SQLite holds.
    """

    def __init__(self, database: Path) -> None:
        self.database = database
        path = database.with_name(f"{database.name}-turn")
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __del__(self) -> None:
        os.close(self.file)


_threads = threading.local()
_here = Turn()


@contextmanager
def to_write(database: Path, patience: float = PATIENCE_SECONDS) -> Iterator[None]:
    """Wait for the turn among all threads and processes that write to a database.

    First among the threads of this process, who are woken when it comes: only one of
    them looks again and again whether another process is done.
    """
    until = time.monotonic() + patience
    with _here.taken(patience) as first:
        line = _line(database)
        got = first and _in_front(line.file, until)
        try:
            yield
        finally:
            if got:
                fcntl.flock(line.file, fcntl.LOCK_UN)


def _line(database: Path) -> _Line:
    line: _Line | None = getattr(_threads, "line", None)
    if line is None or line.database != database:
        line = _threads.line = _Line(database)
    return line


def _in_front(line: int, until: float) -> bool:
    while True:
        try:
            fcntl.flock(line, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(_LOOK_SECONDS)
        else:
            return True
