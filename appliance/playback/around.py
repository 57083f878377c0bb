"""What lies around a title that is watched: its series, and the episodes beside it."""

from collections.abc import Callable
from dataclasses import dataclass

from appliance.catalog import series, titles
from appliance.catalog.kinds import Kind
from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.errors import NotFound
from appliance.media import assets
from appliance.permissions import Actor

_MOST_SKIPPED = 12


@dataclass(frozen=True, slots=True)
class Around:
    """``whole`` is the series of an episode, or what a trailer or an extra is of.

    ``previous`` and ``next`` are the nearest episodes that can be played now.
    """

    title: Title
    whole: Title | None = None
    previous: Title | None = None
    next: Title | None = None


def of_title(db: Database, actor: Actor, slug: str) -> Around:
    """Return a title with what lies around it. Errors: ``NotFound``."""
    title = titles.by_slug(db, actor, slug)
    if title.parent_id is None:
        return Around(title)
    whole = _seen(db, actor, title.parent_id)
    if title.kind is not Kind.EPISODE:
        return Around(title, whole)
    before, after = series.neighbours(db, actor, title)
    return Around(
        title,
        whole,
        _playable(db, before, lambda each: series.neighbours(db, actor, each)[0]),
        _playable(db, after, lambda each: series.neighbours(db, actor, each)[1]),
    )


def _seen(db: Database, actor: Actor, title_id: int) -> Title | None:
    """Return a title if the actor may see it."""
    try:
        return titles.by_slug(db, actor, titles.by_id(db, title_id).slug)
    except NotFound:
        return None


def _playable(
    db: Database, found: Title | None, beyond: Callable[[Title], Title | None]
) -> Title | None:
    """Return an episode that has a film, else the nearest one beyond it that has."""
    for _ in range(_MOST_SKIPPED):
        if found is None or assets.playable(db, found.id) is not None:
            return found
        found = beyond(found)
    return None
