"""What accompanies a title: trailers, interviews, deleted scenes."""

from appliance.catalog import titles
from appliance.catalog.kinds import EXTRAS
from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.permissions import Actor


def of_title(db: Database, actor: Actor, title: Title) -> tuple[Title, ...]:
    """Return the trailers, then the extras of a title, as the actor may see them."""
    parts = titles.children(db, actor, title)
    return tuple(each for each in parts if each.kind in EXTRAS)
