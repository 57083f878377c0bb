"""What a request needs from outside: settings, storage, a connection, the actor."""

from dataclasses import dataclass
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


def install(app: Flask, settings: Settings, clock: Clock) -> None:
    """Give the application its installation, and close connections after requests."""
    app.extensions["matinee"] = Installation(settings, Storage(settings.media), clock)
    app.teardown_appcontext(_close)


def installation() -> Installation:
    return cast(Installation, current_app.extensions["matinee"])


def settings() -> Settings:
    return installation().settings


def storage() -> Storage:
    return installation().storage


def db() -> Database:
    """Return the connection of this request; it is opened when first asked for."""
    if "db" not in g:
        g.db = Database(settings().database, installation().clock)
    return cast(Database, g.db)


def actor() -> Actor:
    """Return who acts; the guard has found out before the view runs."""
    return cast(Actor, g.get("actor", ANONYMOUS))


def _close(_error: BaseException | None) -> None:
    database = g.pop("db", None)
    if database is not None:
        database.close()
