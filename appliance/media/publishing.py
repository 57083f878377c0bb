"""Publishing: the one way to show a title, for pages, API, commands and jobs alike."""

from appliance.catalog import reviewing, states
from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.media import reviews
from appliance.permissions import Actor
from appliance.settings import Settings


def publish(db: Database, settings: Settings, actor: Actor, slug: str) -> Title:
    """Show a title in the portal whose film passed what it must.

    Errors: ``NotFound``, ``Forbidden``; ``Conflict`` when it can't be played yet, is
    archived, or did not pass (``quality.*``).
    """

    def passes(db: Database, title: Title) -> None:
        reviews.require_publishable(db, settings, title)
        reviewing.require_approved(db, settings, title)

    return states.publish(db, actor, slug, passes=passes)
