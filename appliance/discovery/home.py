"""The home page: what was begun, what goes on, what is new, what somebody arranged.

A few reads by an index, whatever the size of the catalogue: this is the page that
everybody opens first.
"""

from dataclasses import dataclass

from appliance.db import Database
from appliance.discovery import audience as audiences
from appliance.discovery import personal, shelves
from appliance.discovery.cards import Card, Row
from appliance.discovery.home_rows import RowKind
from appliance.permissions import Action, Actor, check
from appliance.settings import Settings

__all__ = ["Card", "Home", "Row", "home"]


@dataclass(frozen=True, slots=True)
class Home:
    """The page: one film in large, and rows in the order they are shown."""

    hero: Card | None
    rows: tuple[Row, ...]


def home(db: Database, settings: Settings, actor: Actor, language: str = "") -> Home:
    """Return the home page of the actor's profile: only what it may see as a viewer.

    Errors: ``Unauthenticated``, ``Forbidden``.
    """
    check(actor, Action.PORTAL_SEE)
    viewer = audiences.viewer(actor)
    audience = audiences.of(db, viewer, language)
    ours = shelves.shelves(db, settings, viewer, audience)
    mine = personal.rows(db, settings, viewer, language)
    rows = (mine.get(row) if isinstance(row, RowKind) else row for row in ours.rows)
    return Home(ours.hero, tuple(row for row in rows if row is not None))
