"""Titles as a player names them: where an episode stands in its series."""

from typing import Any

from flask_babel import gettext

from appliance.catalog.kinds import Kind
from appliance.catalog.titles import Title
from appliance.playback.around import Around
from web import telling


def told(found: Around) -> Around:
    """Return a title and its neighbours in the viewer's language."""
    beside = (found.whole, found.previous, found.next)
    own = [found.title, *filter(None, beside)]
    known = {each.id: each for each in telling.titles(own)}
    return Around(known[found.title.id], *(each and known[each.id] for each in beside))


def around(found: Around) -> dict[str, Any]:
    """Return a title and its neighbours, as the API and the page of the player do."""
    return {
        "title": place(found.title),
        "whole": found.whole and place(found.whole),
        "previous": found.previous and place(found.previous),
        "next": found.next and place(found.next),
    }


def place(title: Title) -> dict[str, Any]:
    return {
        "slug": title.slug,
        "name": title.name,
        "kind": title.kind,
        "label": label(title),
        "season_number": title.season_number,
        "episode_number": title.episode_number,
        "seconds": title.runtime_seconds,
        "art": title.backdrop,
    }


def label(title: Title) -> str:
    """Say which part of a whole a title is: “S1 E2”, “Trailer”; empty for a whole."""
    if title.kind is Kind.TRAILER:
        return str(gettext("Trailer"))
    if title.kind is Kind.EXTRA:
        return str(gettext("Extra"))
    season, episode = title.season_number, title.episode_number
    if episode is None:
        return ""
    if season is None:
        return str(gettext("Episode %(episode)s", episode=episode))
    if season == 0:
        return str(gettext("Special %(episode)s", episode=episode))
    return str(gettext("S%(season)s E%(episode)s", season=season, episode=episode))
