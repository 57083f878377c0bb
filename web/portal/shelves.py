"""The shelves of the home page as they are drawn: once for everybody of an audience.

A process keeps them for each audience until something changes that they show. What is
drawn may depend on the audience, the mode and the language, and on nothing else.
"""

from collections import OrderedDict
from dataclasses import dataclass

from flask import current_app, get_template_attribute
from flask_babel import get_locale
from markupsafe import Markup

from appliance.discovery import shelves as discovery
from appliance.discovery.audience import Audience
from appliance.discovery.cards import Card, Row
from appliance.discovery.home_rows import RowKind
from appliance.permissions import Actor
from web import context, templating

_KEPT = "matinee.shelves"
# Some 60 kB each: ages, groups, countries and languages make a handful of audiences.
_AUDIENCES = 64
_Key = tuple[Audience, str, str]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A row in full, and as a heading whose cards are fetched when they are near."""

    key: str
    full: Markup
    later: Markup


@dataclass(frozen=True, slots=True, eq=False)
class Shelves:
    """What an audience sees; a personal row is only named."""

    edition: int
    until: str
    hero: Card | None
    rows: tuple[Drawn | RowKind, ...]


def of_audience(viewer: Actor, audience: Audience) -> Shelves:
    """Return the shelves as drawn, and draw them anew when they have changed."""
    kept: OrderedDict[_Key, Shelves]
    kept = current_app.extensions.setdefault(_KEPT, OrderedDict())
    key = (audience, templating.mode(), str(get_locale()))
    edition, now = discovery.edition(context.db()), context.db().now()
    found = kept.get(key)
    if found is None or found.edition != edition or found.until <= now:
        found = kept[key] = draw(viewer, audience, edition)
        while len(kept) > _AUDIENCES:
            kept.popitem(last=False)
    return found


def draw(viewer: Actor, audience: Audience, edition: int = 0) -> Shelves:
    """Draw the shelves of an audience."""
    found = discovery.shelves(context.db(), context.settings(), viewer, audience)
    first = next((row for row in found.rows if isinstance(row, Row)), None)
    return Shelves(
        edition,
        found.until,
        hero=found.hero,
        rows=tuple(
            row if isinstance(row, RowKind) else _drawn(row, eager=row is first)
            for row in found.rows
        ),
    )


def _drawn(row: Row, *, eager: bool) -> Drawn:
    full = get_template_attribute("macros/cards.html", "row")
    later = get_template_attribute("macros/cards.html", "later")
    return Drawn(row.key, full(row, eager=eager), later(row))
