"""What a decision depends on, gathered for somebody who watches a title."""

from dataclasses import dataclass, replace
from functools import lru_cache

from appliance.access import availability, entitlements, territory
from appliance.access.evaluate import Limits, Request
from appliance.catalog.titles import Title, TitleState
from appliance.db import Database
from appliance.permissions import ROLES, Action, Role
from appliance.settings import Settings


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who watches: an account with its ``roles`` (with commas between), a profile.

    ``rating_limit`` is the age of the profile, ``address`` where its player is. A
    child's profile (``kids``) has no other role than to watch.
    """

    account_id: int
    roles: str
    active: bool
    rating_limit: int | None
    address: str
    signed_in: bool = True
    kids: bool = False


@dataclass(frozen=True, slots=True)
class Watched:
    """The title, as far as the decision depends on it.

    ``whole_id`` is what it is a part of, as an episode is of its series: it counts as
    published only while that is, and as for the older age of both. ``windowed`` says
    that it, or the whole, has windows of availability.
    """

    title_id: int
    state: TitleState
    age: int | None
    created_by: int | None
    windowed: bool
    removed: bool = False
    whole_id: int | None = None
    whole_state: TitleState = TitleState.PUBLISHED
    whole_age: int | None = None
    whole_removed: bool = False

    @property
    def shown_as(self) -> TitleState:
        """The state that viewers meet: a part is shown with the whole only."""
        shown = self.state is TitleState.PUBLISHED
        return self.whole_state if shown and self.whole_id else self.state

    @property
    def least_age(self) -> int | None:
        """From which age on it may be watched; None when nobody can say."""
        ages = (self.age, self.whole_age) if self.whole_id else (self.age,)
        known = [each for each in ages if each is not None]
        return max(known) if len(known) == len(ages) else None


def watched(db: Database, title: Title) -> Watched:
    """Return what a decision about a title depends on."""
    whole = None
    if title.parent_id is not None:
        whole = db.one(
            "select state, age, removed_at from titles where id = ?", (title.parent_id,)
        )
    own = Watched(
        title.id,
        title.state,
        title.age,
        title.created_by,
        title.windowed,
        removed=title.removed_at is not None,
    )
    if whole is None:
        return own
    return replace(
        own,
        whole_id=title.parent_id,
        whole_state=TitleState(whole["state"]),
        whole_age=whole["age"],
        whole_removed=whole["removed_at"] is not None,
    )


def gather(
    db: Database, settings: Settings, watcher: Watcher, watched: Watched, now: str
) -> Request:
    """Read rights and windows; the country only where a window asks for it."""
    account, title, whole = watcher.account_id, watched.title_id, watched.whole_id
    windows = (
        availability.of_title(db, title, account, whole) if watched.windowed else ()
    )
    roles = Role.VIEWER.value if watcher.kids else watcher.roles
    by_country = any(each.territories for each in windows)
    return Request(
        account_active=watcher.active,
        signed_in=watcher.signed_in,
        title_state=watched.shown_as,
        title_removed=watched.removed or watched.whole_removed,
        may_edit=_may_edit(roles, watched.created_by == watcher.account_id),
        entitlements=entitlements.applying(db, account, title, whole),
        windows=windows,
        territory=territory.of_address(settings, watcher.address)
        if by_country
        else None,
        rating_age=watched.least_age,
        rating_limit=watcher.rating_limit,
        now=now,
        usual=Limits(settings.playback.streams, settings.playback.uhd_streams),
    )


@lru_cache(maxsize=64)
def _may_edit(roles: str, own: bool) -> bool:
    wanted = Action.TITLE_EDIT_OWN if own else Action.TITLE_EDIT
    return any(wanted in ROLES[Role(role)] for role in roles.split(",") if role)
