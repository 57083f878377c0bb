"""What a request needs from outside: settings, storage, a connection, the actor."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from flask import Flask, current_app, g

from appliance.clock import Clock
from appliance.db import Database
from appliance.permissions import ANONYMOUS, Actor
from appliance.settings import Settings
from appliance.storage import Storage


@dataclass(frozen=True, slots=True)
class Installation:
    """The parts of an installation that outlive a request."""

    settings: Settings
    storage: Storage
    clock: Clock
    database: Path


def install(app: Flask, settings: Settings, clock: Clock) -> None:
    """Give the application its installation, and end transactions with requests."""
    app.extensions["matinee"] = Installation(
        settings, Storage(settings.media, settings.home), clock, settings.database
    )
    app.teardown_appcontext(_release)


def installation() -> Installation:
    return of(current_app)


def of(app: Flask) -> Installation:
    """Return the installation of an application, also outside of its requests."""
    return cast(Installation, app.extensions["matinee"])


def settings() -> Settings:
    return installation().settings


def storage() -> Storage:
    return installation().storage


def db() -> Database:
    """Return the connection of this request; it is the thread's own.

    Opening one costs more than all the reads of a page, so a thread keeps the one it
    has from request to request, as long as the file is the same.
    """
    found: Database | None = g.get("db")
    if found is None:
        found = g.db = of_this_thread(installation())
    return found


def of_this_thread(here: Installation) -> Database:
    """Return the connection that this thread keeps."""
    if not hasattr(_threads, "keeper"):
        _threads.keeper = Keeper()
    keeper: Keeper = _threads.keeper
    return keeper.connection(here)


def actor() -> Actor:
    """Return who acts; the guard has found out before the view runs."""
    return cast(Actor, g.get("actor", ANONYMOUS))


@dataclass(frozen=True, slots=True)
class _Kept:
    path: Path
    file: tuple[int, int]
    clock: Clock
    db: Database


class Keeper:
    """Keeps a connection for one user at a time, as long as the file is the same."""

    def __init__(self) -> None:
        self._kept: _Kept | None = None

    def connection(self, here: Installation) -> Database:
        path, clock, kept = here.database, here.clock, self._kept
        file = _file(path)
        if kept is not None:
            if (kept.path, kept.file, kept.clock) == (path, file, clock):
                return kept.db
            kept.db.close()
        db = Database(path, clock)
        self._kept = _Kept(path, _file(path), clock, db)
        return db


_threads = threading.local()


def _file(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return found.st_dev, found.st_ino


def _release(_error: BaseException | None) -> None:
    """Leave no transaction open for the thread's next request."""
    database: Database | None = g.pop("db", None)
    if database is not None and database.conn.in_transaction:
        database.conn.execute("rollback")
