"""Titles, as far as the caller may see them."""

from typing import Any

from appliance.catalog import credits, libraries, titles, translations
from appliance.catalog.titles import Title
from appliance.catalog.topics import tags
from appliance.permissions import Action, check
from web import context
from web.api import catalogue_schemas, schemas
from web.api.endpoint import SEE, Endpoint


def list_titles(query: dict[str, Any]) -> dict[str, Any]:
    """List titles, newest first, or those that have the words ``q``.

    Whoever sees the Studio can ask for those of a library.
    """
    db, actor = context.db(), context.actor()
    limit, offset = query["limit"], query["offset"]
    if "q" in query:
        found = titles.search(db, actor, query["q"], limit)
        total = len(found)
    else:
        wanted: dict[str, Any] = {
            "state": query.get("state"),
            "genre": query.get("genre"),
            "library_id": _library(query.get("library")),
            "tag": query.get("tag"),
            "kind": query.get("kind"),
            "top": query["top"],
        }
        found = titles.listing(db, actor, limit=limit, offset=offset, **wanted)
        total = titles.count(db, actor, **wanted)
    return {
        "titles": shown(found),
        "total": total,
        "limit": limit,
        "offset": offset,
    }


def show_title(slug: str) -> dict[str, Any]:
    """Show one title with its tags, credits and translations."""
    return detailed(titles.by_slug(context.db(), context.actor(), slug))


def shown(found: list[Title]) -> list[dict[str, Any]]:
    """Return titles as lists of the API have them."""
    named, wholes = _named_libraries(), _slugs_of_wholes(found)
    return [_shown(title, named, wholes) for title in found]


def detailed(title: Title) -> dict[str, Any]:
    """Return a title with what only its own document has."""
    db = context.db()
    (one,) = shown([title])
    told = translations.of_title(db, title.id)
    return one | {
        "revision": title.revision,
        "external_id": title.external_id if _sees_studio() else None,
        "tags": [each.name for each in tags.of_title(db, title.id)],
        "credits": [
            {
                "person": each.person_slug,
                "name": each.name,
                "job": each.job,
                "character": each.character,
            }
            for each in credits.of_title(db, title.id)
        ],
        "translations": {
            language: {"name": each.name, "synopsis": each.synopsis}
            for language, each in told.items()
        },
    }


def _library(named: str | None) -> int | None:
    if named is None:
        return None
    check(context.actor(), Action.STUDIO_SEE)
    return libraries.by_slug(context.db(), named).id


def _named_libraries() -> dict[int, str]:
    """Return the libraries: viewers are not told how films are encoded."""
    return libraries.slugs_by_id(context.db()) if _sees_studio() else {}


def _sees_studio() -> bool:
    return context.actor().may(Action.STUDIO_SEE)


def _slugs_of_wholes(found: list[Title]) -> dict[int, str]:
    """Return the slugs of what these titles belong to, by its key."""
    wanted = [each.parent_id for each in found if each.parent_id is not None]
    return titles.slugs(context.db(), wanted) if wanted else {}


def _shown(
    title: Title, named: dict[int, str], wholes: dict[int, str]
) -> dict[str, Any]:
    return {
        "slug": title.slug,
        "name": title.name,
        "kind": title.kind,
        "original_name": title.original_name,
        "parent": wholes.get(title.parent_id or 0),
        "season_number": title.season_number,
        "episode_number": title.episode_number,
        "synopsis": title.synopsis,
        "year": title.year,
        "rating": title.rating,
        "age": title.age,
        "language": title.language,
        "genres": title.genres,
        "runtime_seconds": title.runtime_seconds,
        "state": title.state,
        "protected": title.protected,
        "library": named.get(title.library_id or 0),
        "published_at": title.published_at,
        "poster": _address(title.poster),
        "backdrop": _address(title.backdrop),
        "logo": f"/artwork/{title.logo}/640.png" if title.logo else None,
    }


def _address(artwork: str | None) -> str | None:
    return f"/artwork/{artwork}/640.jpg" if artwork else None


ENDPOINTS = (
    Endpoint(
        "GET",
        "/titles",
        list_titles,
        SEE,
        takes=schemas.TitlesQuery,
        gives=schemas.Titles,
        place="query",
    ),
    Endpoint(
        "GET", "/titles/<slug>", show_title, SEE, gives=catalogue_schemas.TitleInFull
    ),
)
