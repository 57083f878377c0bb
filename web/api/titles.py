"""Titles, as far as the caller may see them."""

from typing import Any

from appliance.catalog import titles
from appliance.catalog.titles import Title
from web import context


def list_titles(query: dict[str, Any]) -> dict[str, Any]:
    """List titles, newest first, or those that have the words ``q``."""
    db, actor = context.db(), context.actor()
    limit, offset = query["limit"], query["offset"]
    if "q" in query:
        found = titles.search(db, actor, query["q"], limit)
        total = len(found)
    else:
        wanted = {"state": query.get("state"), "genre": query.get("genre")}
        found = titles.listing(db, actor, limit=limit, offset=offset, **wanted)
        total = titles.count(db, actor, **wanted)
    return {
        "titles": [_shown(title) for title in found],
        "total": total,
        "limit": limit,
        "offset": offset,
    }


def show_title(slug: str) -> dict[str, Any]:
    """Show one title."""
    return _shown(titles.by_slug(context.db(), context.actor(), slug))


def _shown(title: Title) -> dict[str, Any]:
    return {
        "slug": title.slug,
        "name": title.name,
        "kind": title.kind,
        "synopsis": title.synopsis,
        "year": title.year,
        "rating": title.rating,
        "language": title.language,
        "genres": title.genres,
        "runtime_seconds": title.runtime_seconds,
        "state": title.state,
        "protected": title.protected,
        "published_at": title.published_at,
        "poster": _address(title.poster),
        "backdrop": _address(title.backdrop),
    }


def _address(artwork: str | None) -> str | None:
    return f"/artwork/{artwork}/640.jpg" if artwork else None
