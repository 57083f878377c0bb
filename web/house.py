"""What stands around every page: brand, announcements, and whether it is closed."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from flask import Flask, g, render_template, request
from flask.typing import ResponseReturnValue

from appliance import clock
from appliance.errors import MatineeError
from appliance.operations import announcements, brand, maintenance
from appliance.operations.announcements import Announcement
from appliance.operations.brand import Brand
from appliance.operations.maintenance import Maintenance
from appliance.permissions import Action
from web import context

_DISMISSED = "matinee_dismissed"
_OPEN_WHILE_CLOSED = frozenset(
    f"portal.{name}"
    for name in ("brand_style", "logo", "text", "manifest", "worker", "offline")
)


@dataclass(frozen=True, slots=True)
class House:
    """What was read once for this request; ``edition`` changes with all of it."""

    brand: Brand
    announcements: tuple[Announcement, ...]

    @property
    def edition(self) -> tuple[int, tuple[str, ...]]:
        return self.brand.revision, tuple(each.id for each in self.announcements)


def install(app: Flask) -> None:
    """Tell the templates, and close the portal while it is maintained."""
    app.context_processor(_told)
    app.before_request(_refuse_while_closed)


def of_request() -> House:
    """Return the house as this visitor sees it: without what they have dismissed."""
    found: House | None = g.get("house")
    if found is None:
        found = g.house = _read()
    return found


def _read() -> House:
    db, settings = context.db(), context.settings()
    try:
        dismissed = set(request.cookies.get(_DISMISSED, "").split("."))
        shown = announcements.shown(db)
        return House(
            brand.read(db, settings),
            tuple(
                each
                for each in shown
                if each.id not in dismissed or not each.dismissible
            ),
        )
    except (sqlite3.Error, MatineeError):
        # The page that says so must still be drawn.
        return House(Brand(settings.portal.name), ())


def _told() -> dict[str, Any]:
    house = of_request()
    return {"portal": house.brand, "announcements": house.announcements}


def _refuse_while_closed() -> ResponseReturnValue | None:
    """Answer for a closed portal; what plays goes on, and so does the Studio."""
    endpoint = request.endpoint or ""
    if request.blueprint != "portal" or endpoint in _OPEN_WHILE_CLOSED:
        return None
    now = context.db().now()
    planned = maintenance.read(context.db())
    if not planned.closed(now) or context.actor().may(Action.STUDIO_SEE):
        return None
    page = render_template("closed.html", planned=planned)
    return page, 503, _retry(planned, now)


def _retry(planned: Maintenance, now: str) -> dict[str, str]:
    if planned.ends_at is None:
        return {}
    left = clock.from_text(planned.ends_at) - clock.from_text(now)
    return {"Retry-After": str(max(1, round(left.total_seconds())))}


def edition() -> tuple[int, tuple[str, ...]]:
    """Return what a page that is kept must be drawn anew for."""
    return of_request().edition
