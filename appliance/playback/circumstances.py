"""What a decision depends on, gathered for somebody who watches a title."""

from dataclasses import dataclass
from functools import lru_cache

from appliance.access import availability, entitlements, territory
from appliance.access.evaluate import Limits, Request
from appliance.catalog import ratings
from appliance.catalog.titles import TitleState
from appliance.db import Database
from appliance.permissions import ROLES, Action, Role
from appliance.settings import Settings


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who watches: an account with its ``roles`` (with commas between), a profile.

    ``rating_limit`` is the age of the profile, ``address`` where its player is.
    """

    account_id: int
    roles: str
    active: bool
    rating_limit: int | None
    address: str
    signed_in: bool = True


@dataclass(frozen=True, slots=True)
class Watched:
    """The title, as far as the decision depends on it."""

    title_id: int
    state: TitleState
    rating: str
    created_by: int | None


def gather(
    db: Database, settings: Settings, watcher: Watcher, watched: Watched, now: str
) -> Request:
    """Read rights and windows; the country only where a window asks for it."""
    windows = availability.of_title(db, watched.title_id, watcher.account_id)
    by_country = any(each.territories for each in windows)
    return Request(
        account_active=watcher.active,
        signed_in=watcher.signed_in,
        title_state=watched.state,
        may_edit=_may_edit(watcher.roles, watched.created_by == watcher.account_id),
        entitlements=entitlements.applying(db, watcher.account_id, watched.title_id),
        windows=windows,
        territory=territory.of_address(settings, watcher.address)
        if by_country
        else None,
        rating_age=ratings.age(watched.rating),
        rating_limit=watcher.rating_limit,
        now=now,
        usual=Limits(settings.playback.streams, settings.playback.uhd_streams),
    )


@lru_cache(maxsize=64)
def _may_edit(roles: str, own: bool) -> bool:
    wanted = Action.TITLE_EDIT_OWN if own else Action.TITLE_EDIT
    return any(wanted in ROLES[Role(role)] for role in roles.split(",") if role)
