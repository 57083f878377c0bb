"""Titles as the cards that grids and rows show, and what stands on those."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from flask_babel import format_date, get_locale, gettext, lazy_gettext

from appliance import clock
from appliance.accounts import profiles
from appliance.catalog.titles import Title
from appliance.discovery import cards as discovery
from appliance.discovery.cards import Card, Row
from appliance.discovery.home_rows import HEADINGS
from web import context, telling
from web.templating import runtime

_OWN = {
    "Continue watching": lazy_gettext("Continue watching"),
    "Next up": lazy_gettext("Next up"),
    "My list": lazy_gettext("My list"),
    "New in the library": lazy_gettext("New in the library"),
    "Leaving soon": lazy_gettext("Leaving soon"),
}
assert set(_OWN) == set(HEADINGS.values())


@dataclass(frozen=True, slots=True)
class Words:
    """What is said on every card, looked up once for a row of them."""

    new: str
    required: str
    watched: str
    left: str
    hardly_left: str
    until: str
    place: str
    episode: str
    remove: str
    remove_short: str


def of_titles(titles: Iterable[Title]) -> tuple[Card, ...]:
    """Return the cards of titles that the viewer was found to see."""
    return of_ids(title.id for title in titles)


def of_ids(ids: Iterable[int]) -> tuple[Card, ...]:
    """Return the cards of titles by their keys, likewise."""
    found = discovery.of_ids(context.db(), context.actor(), ids, telling.language())
    return tuple(found.values())


def previews_wanted() -> bool:
    """Say whether the profile wants clips to play while the pointer rests on a card."""
    profile = context.actor().profile_id
    if profile is None:
        return False
    return profiles.preferences(context.db(), profile).previews


def heading(row: Row) -> str:
    """Return what stands over a row; ours in the words of the viewer."""
    return str(_OWN.get(row.heading, row.heading))


def label(card: Card, said: Words | None = None) -> str:
    """Return what stands under the name of a card; ``said`` are :func:`words`."""
    return card.label or " · ".join(_parts(card, said or words()))


def words() -> Words:
    """Return what cards say in the language of this request."""
    return _words(str(get_locale()))


@lru_cache(maxsize=16)
def _words(_locale: str) -> Words:
    return Words(
        new=gettext("New"),
        required=gettext("Required"),
        watched=gettext("%(percent)s %% watched"),
        left=gettext("%(time)s left"),
        hardly_left=gettext("Less than a minute left"),
        until=gettext("Until %(day)s"),
        place=gettext("S%(season)s E%(episode)s"),
        episode=gettext("Episode %(episode)s"),
        remove=gettext("Remove %(title)s from %(row)s"),
        remove_short=gettext("Remove from this row"),
    )


def _parts(card: Card, said: Words) -> Iterable[str]:
    if card.kind == "episode" and card.episode is not None:
        place = said.place if card.season else said.episode
        yield place % {"season": card.season, "episode": card.episode}
    if card.minutes_left is not None:
        left = runtime(card.minutes_left * 60)
        yield said.left % {"time": left} if left else said.hardly_left
    elif card.leaves:
        day = format_date(clock.from_text(card.leaves), "d MMM")
        yield said.until % {"day": day}
    elif card.kind != "episode":
        if card.year:
            yield str(card.year)
        yield from card.genres[:1]
