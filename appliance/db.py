"""The database: one connection per request, task or command; one way to write.

``db.atomic()`` of sqlite-utils opens a deferred transaction: under WAL, a read
followed by a write inside it fails with SQLITE_BUSY_SNAPSHOT as soon as somebody
else wrote in between. So :func:`write` begins IMMEDIATE, and nothing else opens a
transaction.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlite_utils

from appliance import clock as clocks
from appliance.clock import Clock, SystemClock
from appliance.errors import StorageFull, TryAgain

Params = Sequence[Any] | Mapping[str, Any]
Row = dict[str, Any]

_PRAGMAS = (
    "pragma journal_mode = wal",
    "pragma foreign_keys = on",
    "pragma busy_timeout = 10000",
    "pragma synchronous = normal",
)


class Database(sqlite_utils.Database):
    """A connection that knows the time and reads rows without a savepoint each."""

    clock: Clock

    def __init__(self, path: Path | str, clock: Clock | None = None) -> None:
        connection = sqlite3.connect(
            str(path), isolation_level=None, check_same_thread=False
        )
        super().__init__(connection, execute_plugins=False)
        self.clock = clock or SystemClock()
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    def now(self, **later: float) -> str:
        """Return the time as text, ``timedelta(**later)`` from now."""
        now = self.clock.now()
        return clocks.to_text(now + timedelta(**later) if later else now)

    def rows(self, sql: str, params: Params = ()) -> list[Row]:
        """Return every row of a reading statement as a dict."""
        cursor = self.conn.execute(sql, params)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def one(self, sql: str, params: Params = ()) -> Row | None:
        """Return the first row of a reading statement, or None."""
        cursor = self.conn.execute(sql, params)
        row = cursor.fetchone()
        if row is None:
            return None
        return {c[0]: v for c, v in zip(cursor.description, row, strict=True)}

    def value(self, sql: str, params: Params = ()) -> Any:
        """Return the first column of the first row, or None."""
        row = self.conn.execute(sql, params).fetchone()
        return None if row is None else row[0]


@contextmanager
def connect(path: Path, clock: Clock | None = None) -> Iterator[Database]:
    """Open the database for one request, task or command, and close it."""
    db = Database(path, clock)
    try:
        yield db
    finally:
        db.close()


@contextmanager
def write(db: Database) -> Iterator[Database]:
    """Open the one transaction that writes; inside another it joins that one.

    Errors: ``TryAgain`` when another writer held the lock for ten seconds,
    ``StorageFull`` when the disk is full. Everything is rolled back on any error.
    """
    if db.conn.in_transaction:
        yield db
        return
    try:
        db.conn.execute("begin immediate")
        yield db
        db.conn.execute("commit")
    except sqlite3.OperationalError as error:
        _rollback(db)
        raise _explained(error) from error
    except BaseException:
        _rollback(db)
        raise


@contextmanager
def snapshot(db: Database) -> Iterator[Database]:
    """Read one moment of the database, in however many statements.

    Nothing may be written inside; inside another transaction it joins that one.
    """
    if db.conn.in_transaction:
        yield db
        return
    db.conn.execute("begin")
    try:
        yield db
    finally:
        db.conn.execute("rollback")


def _rollback(db: Database) -> None:
    if db.conn.in_transaction:
        db.conn.execute("rollback")


def _explained(error: sqlite3.OperationalError) -> Exception:
    if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL:
        return StorageFull(
            "database.full", "The disk that holds the database is full: free some room."
        )
    if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return TryAgain("database.busy", "The database is busy: try again in a moment.")
    return error
