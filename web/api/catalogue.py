"""Titles made and changed, their seasons and pictures; people and tags."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import request

from appliance.catalog import artwork, libraries, series, states, titles
from appliance.catalog.artwork import Artwork, ArtworkKind, ArtworkOrigin
from appliance.catalog.series import Place, Season
from appliance.catalog.titles import Title
from appliance.catalog.topics import tags
from appliance.errors import NotFound, TooLarge
from appliance.media import publishing
from appliance.permissions import Action, check_title
from web import context, guard
from web.api import catalogue_schemas as schemas
from web.api.endpoint import SEE, STUDIO, Endpoint
from web.api.titles import detailed

_MOST_BYTES = 32 * 1024 * 1024
_SHOWN = (ArtworkKind.POSTER, ArtworkKind.BACKDROP, ArtworkKind.LOGO)


def make_title(body: dict[str, Any]) -> dict[str, Any]:
    """Make a draft; a series or course is ready at once."""
    protect = context.settings().protection.protect_new
    fields = {"protected": protect} | _core(body)
    return detailed(titles.create(context.db(), context.actor(), **fields))


def change_title(body: dict[str, Any], slug: str) -> dict[str, Any]:
    """Change what is named; with ``revision`` only if nobody did in between."""
    return detailed(titles.edit(context.db(), context.actor(), slug, **_core(body)))


def move_title(slug: str, act: str) -> dict[str, Any]:
    """Publish, unpublish, archive a title, or take it back from the archive."""
    return detailed(_MOVES[act](slug))


def list_seasons(slug: str) -> dict[str, Any]:
    """List the seasons of a series with their episodes, specials last."""
    db, actor = context.db(), context.actor()
    found = series.seasons(db, actor, titles.by_slug(db, actor, slug))
    return {"seasons": [_season(each) for each in found]}


def change_season(body: dict[str, Any], slug: str, number: int) -> dict[str, Any]:
    """Make a season, or say something of it."""
    return _season(
        series.describe_season(context.db(), context.actor(), slug, number, **body)
    )


def remove_season(slug: str, number: int) -> None:
    """Remove what is said of a season that has no episodes."""
    series.remove_season(context.db(), context.actor(), slug, number)


def arrange_episodes(body: dict[str, Any], slug: str) -> dict[str, Any]:
    """Put episodes where the places say, all of them or none."""
    found = series.arrange(
        *(context.db(), context.actor(), slug),
        [Place(**each) for each in body["places"]],
        revision=body.get("revision"),
    )
    return {"seasons": [_season(each) for each in found]}


def list_artwork(slug: str) -> dict[str, Any]:
    """List the pictures of a title, and the frames to choose from."""
    title = _editable(slug)
    db = context.db()
    found = [artwork.shown(db, title.id, kind) for kind in _SHOWN]
    kept = [each for each in found if each] + artwork.candidates(db, title.id)
    return {"artwork": [_artwork(each) for each in kept]}


def put_artwork(query: dict[str, Any], slug: str, kind: str) -> dict[str, Any]:
    """Show a title by the picture that is the body: JPEG, PNG or WebP."""
    title = titles.by_slug(context.db(), context.actor(), slug)
    with body_as_file() as picture:
        added = artwork.add(
            *(context.db(), context.storage(), context.actor(), title.id, kind),
            picture,
            origin=ArtworkOrigin.UPLOAD,
            focus=(query["focus_x"], query["focus_y"]),
        )
    return _artwork(added)


def choose_artwork(slug: str, kind: str, candidate: str) -> dict[str, Any]:
    """Show a title by a frame of its film."""
    known = {each.public_id for each in artwork.candidates(*_of(slug))}
    if candidate not in known or kind == ArtworkKind.LOGO:
        raise NotFound("artwork.missing", "There is no such frame.")
    chosen = artwork.choose(
        context.db(), context.storage(), context.actor(), kind, candidate
    )
    return _artwork(chosen)


def focus_artwork(body: dict[str, Any], slug: str, kind: str) -> dict[str, Any]:
    """Cut a picture around another focus; as it is another one, so is its id."""
    cut = artwork.refocus(
        *(context.db(), context.storage(), context.actor()),
        _shown(slug, kind).public_id,
        (body["focus_x"], body["focus_y"]),
    )
    return _artwork(cut)


def remove_artwork(slug: str, kind: str) -> None:
    """Take a picture away."""
    public_id = _shown(slug, kind).public_id
    artwork.remove(context.db(), context.storage(), context.actor(), public_id)


def list_tags() -> dict[str, Any]:
    """List every tag in the order of the alphabet."""
    found = tags.listing(context.db(), limit=1000)
    return {"tags": [{"slug": each.slug, "name": each.name} for each in found]}


@contextmanager
def body_as_file() -> Iterator[Path]:
    """Keep the body of a request for a block. Errors: ``TooLarge``."""
    with tempfile.NamedTemporaryFile(prefix="matinee-") as kept:
        data = request.stream.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise TooLarge("artwork.large", "A picture has 32 MB at most.")
        kept.write(data)
        kept.flush()
        yield Path(kept.name)


def _publish(slug: str) -> Title:
    settings, actor = context.settings(), context.actor()
    return publishing.publish(context.db(), settings, actor, slug)


_MOVES: dict[str, Callable[[str], Title]] = {
    "publish": _publish,
    "unpublish": lambda slug: states.unpublish(context.db(), context.actor(), slug),
    "archive": lambda slug: states.archive(context.db(), context.actor(), slug),
    "restore": lambda slug: states.restore(context.db(), context.actor(), slug),
}


def _core(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body as the core takes it: a library by its key."""
    fields = dict(body)
    if "library" in fields:
        named = fields.pop("library")
        found = libraries.by_slug(context.db(), named) if named else None
        fields["library_id"] = found.id if found else None
    if fields.get("parent", "") is None:
        fields["parent"] = ""
    return fields


def _editable(slug: str) -> Title:
    title = titles.by_slug(context.db(), context.actor(), slug)
    check_title(context.actor(), title.created_by)
    return title


def _of(slug: str) -> tuple[Any, int]:
    return context.db(), _editable(slug).id


def _shown(slug: str, kind: str) -> Artwork:
    title = _editable(slug)
    found = artwork.shown(context.db(), title.id, ArtworkKind(kind))
    if found is None:
        raise NotFound("artwork.missing", f"“{title.name}” has no {kind}.")
    return found


def _season(found: Season) -> dict[str, Any]:
    return {
        "number": found.number,
        "name": found.name,
        "synopsis": found.synopsis,
        "year": found.year,
        "poster": f"/artwork/{found.poster}/640.jpg" if found.poster else None,
        "revision": found.revision,
        "episodes": [
            {
                "slug": each.slug,
                "name": each.name,
                "number": each.episode_number,
                "runtime_seconds": each.runtime_seconds,
                "state": each.state,
            }
            for each in found.episodes
        ],
    }


def _artwork(found: Artwork) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "artwork": found.public_id,
        "width": found.width,
        "height": found.height,
        "focus_x": found.focal_x,
        "focus_y": found.focal_y,
        "seconds": found.seconds,
    }


_CREATE = guard.needs(Action.TITLE_CREATE)
_PUBLISH = guard.needs(Action.TITLE_PUBLISH)
_TITLE = "/titles/<slug>"
_KIND = f"{_TITLE}/artwork/<any(poster,backdrop,logo):kind>"
_SEASON = f"{_TITLE}/seasons/<int:number>"

ENDPOINTS = (
    Endpoint(
        *("POST", "/titles", make_title, _CREATE),
        *(schemas.TitleRequest, schemas.TitleInFull, 201),
    ),
    Endpoint(
        *("PATCH", _TITLE, change_title, STUDIO),
        *(schemas.TitleChange, schemas.TitleInFull),
    ),
    Endpoint(
        *(
            "POST",
            f"{_TITLE}/<any(publish,unpublish,archive,restore):act>",
            move_title,
            _PUBLISH,
        ),
        gives=schemas.TitleInFull,
    ),
    Endpoint(*("GET", f"{_TITLE}/seasons", list_seasons, SEE), gives=schemas.Seasons),
    Endpoint(
        *("PUT", f"{_TITLE}/seasons/order", arrange_episodes, STUDIO),
        *(schemas.Order, schemas.Seasons),
    ),
    Endpoint(
        *("PATCH", _SEASON, change_season, STUDIO),
        *(schemas.SeasonChange, schemas.Season),
    ),
    Endpoint(*("DELETE", _SEASON, remove_season, STUDIO), status=204),
    Endpoint(
        *("GET", f"{_TITLE}/artwork", list_artwork, STUDIO), gives=schemas.Artworks
    ),
    Endpoint(
        *("PUT", _KIND, put_artwork, STUDIO),
        *(schemas.ArtworkQuery, schemas.Artwork, 200, "query"),
    ),
    Endpoint(
        *("PATCH", _KIND, focus_artwork, STUDIO), *(schemas.Focus, schemas.Artwork)
    ),
    Endpoint(
        *("POST", f"{_KIND}/<candidate>", choose_artwork, STUDIO),
        gives=schemas.Artwork,
    ),
    Endpoint(*("DELETE", _KIND, remove_artwork, STUDIO), status=204),
    Endpoint("GET", "/tags", list_tags, STUDIO, gives=schemas.Tags),
)
