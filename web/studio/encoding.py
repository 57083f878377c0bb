"""How a film was encoded, for the page of its title: what was chosen, what it saved."""

from dataclasses import dataclass, field
from typing import Any

from flask import request

from appliance.catalog import libraries
from appliance.catalog.libraries import Library
from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.media import savings
from appliance.media.assets import Asset
from appliance.media.savings import Savings
from appliance.media.tracks import Track


@dataclass(frozen=True, slots=True)
class Panel:
    """``libraries`` are all that a title may belong to; ``library`` is its own.

    ``renditions`` are those that samples were encoded for; ``note`` says why none were.
    """

    libraries: list[Library]
    library: Library | None
    kind: str = ""
    note: str = ""
    renditions: list[dict[str, Any]] = field(default_factory=list)
    savings: Savings | None = None


def typed(db: Database) -> dict[str, Any]:
    """Return the library that the form of a title names, where it asks for one."""
    if "library" not in request.form:
        return {}
    slug = request.form["library"]
    return {"library_id": libraries.by_slug(db, slug).id if slug else None}


def of_title(
    db: Database, title: Title, asset: Asset | None, served: list[Track]
) -> Panel:
    """Return the panel of a title; ``served`` are the tracks of its film."""
    known = libraries.listing(db)
    own = next((each for each in known if each.id == title.library_id), None)
    analysis = asset.analysis if asset is not None else None
    if asset is None or analysis is None:
        return Panel(known, own)
    return Panel(
        known,
        own,
        kind=analysis["kind"],
        note=analysis.get("note", ""),
        renditions=analysis["renditions"],
        savings=savings.of(analysis, served, asset.duration),
    )
