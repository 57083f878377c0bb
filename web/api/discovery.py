"""Finding and keeping titles: search, lists by filters, my list, thumbs."""

from typing import Any

from appliance.discovery import audience as audiences
from appliance.discovery import lists, marks
from appliance.discovery import search as discovery
from appliance.discovery.cards import Card
from appliance.discovery.filters import Filters
from appliance.discovery.marks import Marks
from web import context, telling
from web.api import discovery_schemas as schemas
from web.api.endpoint import SEE, Endpoint
from web.portal import cards
from web.portal.cards import Words
from web.templating import clock


def search(query: dict[str, Any]) -> dict[str, Any]:
    """Search titles, people, subjects and what is said; words may be misspelt.

    The last word may be half typed. Only what the caller may see is found.
    """
    found = discovery.search(
        *(context.db(), context.settings(), context.actor()),
        *(query["q"], query["limit"]),
        language=telling.language(),
    )
    said = cards.words()
    return {
        "words": found.words,
        "guess": found.guess,
        "count": found.count,
        "more": found.more,
        "titles": [shown(card, said) for card in found.titles],
        "people": [
            {
                "name": each.name,
                "href": f"/person/{each.slug}",
                "portrait": f"/portrait/{each.portrait}/160" if each.portrait else None,
            }
            for each in found.people
        ],
        "places": [
            {
                "kind": each.kind,
                "name": each.name,
                "href": f"/{each.kind}/{each.slug}",
            }
            for each in found.places
        ],
        "lines": [
            {
                "slug": each.slug,
                "title": each.title,
                "text": each.text,
                "language": each.language,
                "seconds": each.seconds,
                "clock": clock(each.seconds),
                "href": f"/watch/{each.slug}?from={each.seconds}",
            }
            for each in found.lines
        ],
    }


def browse(query: dict[str, Any]) -> dict[str, Any]:
    """List titles by filters, as the page /browse does."""
    limit, offset = query.pop("limit"), query.pop("offset")
    viewer = audiences.viewer(context.actor())
    page = lists.page(
        context.db(), viewer, Filters.read(query), limit=limit, offset=offset
    )
    return {
        "titles": [shown(card) for card in cards.of_ids(page.ids)],
        "total": page.total,
        "more": page.more,
        "limit": limit,
        "offset": offset,
    }


def show_list(query: dict[str, Any]) -> dict[str, Any]:
    """List what the caller's profile has put on its list, the last first."""
    limit, offset = query["limit"], query["offset"]
    viewer = audiences.viewer(context.actor())
    ids = marks.listed(context.db(), viewer, limit + 1, offset)
    return {
        "titles": [shown(card) for card in cards.of_ids(ids[:limit])],
        "more": len(ids) > limit,
        "limit": limit,
        "offset": offset,
    }


def enlist(slug: str) -> dict[str, Any]:
    """Put a title on the list of the caller's profile; of an episode, its series."""
    return _marks(marks.enlist(context.db(), context.actor(), slug))


def strike(slug: str) -> dict[str, Any]:
    """Take a title off the list."""
    return _marks(marks.strike(context.db(), context.actor(), slug))


def rate(given: dict[str, Any], slug: str) -> dict[str, Any]:
    """Keep what the caller's profile thinks of a title."""
    return _marks(marks.rate(context.db(), context.actor(), slug, given["value"]))


def unrate(slug: str) -> dict[str, Any]:
    """Forget what the caller's profile thought of a title."""
    return _marks(marks.unrate(context.db(), context.actor(), slug))


def shown(card: Card, said: Words | None = None) -> dict[str, Any]:
    """Return a card as the API shows it; for many, ``said`` is asked for once."""
    return {
        "slug": card.slug,
        "name": card.name,
        "kind": card.kind,
        "label": cards.label(card, said),
        "year": card.year,
        "rating": card.rating,
        "genres": card.genres,
        "minutes": card.minutes,
        "leaves": card.leaves,
        "href": card.href or f"/title/{card.slug}",
        "backdrop": f"/artwork/{card.art}/640.jpg" if card.art else None,
        "poster": f"/artwork/{card.poster}/640.jpg" if card.poster else None,
    }


def _marks(found: Marks) -> dict[str, Any]:
    return {"listed": found.listed, "thumb": found.thumb}


ENDPOINTS = (
    Endpoint(
        *("GET", "/search", search, SEE),
        *(schemas.SearchQuery, schemas.Found, 200, "query"),
    ),
    Endpoint(
        *("GET", "/browse", browse, SEE),
        *(schemas.BrowseQuery, schemas.Browsed, 200, "query"),
    ),
    Endpoint(
        *("GET", "/my-list", show_list, SEE),
        *(schemas.PageQuery, schemas.MyList, 200, "query"),
    ),
    Endpoint("PUT", "/my-list/<slug>", enlist, SEE, gives=schemas.Marks),
    Endpoint("DELETE", "/my-list/<slug>", strike, SEE, gives=schemas.Marks),
    Endpoint("PUT", "/thumbs/<slug>", rate, SEE, schemas.Thumb, schemas.Marks),
    Endpoint("DELETE", "/thumbs/<slug>", unrate, SEE, gives=schemas.Marks),
)
