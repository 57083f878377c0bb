"""Pictures and previews of titles, and portraits: for whoever may see the title."""

from collections.abc import Callable
from pathlib import Path

from flask import Response, request, send_file

from appliance.catalog import artwork as pictures
from appliance.catalog import portraits, titles
from appliance.catalog.pictures import MIMETYPES, Format
from appliance.db import Database
from appliance.errors import NotFound
from appliance.media import assets
from appliance.permissions import Action, Actor
from appliance.storage import Storage
from web import context, guard

_DAY = 24 * 3600
_Finder = Callable[[Database, Storage, Actor, str, int, Format | None], Path]


@guard.needs(Action.PORTAL_SEE)
def artwork(public_id: str, width: int, ending: str = "") -> Response:
    """Send a picture; what a public id stands for never changes."""
    return _picture(pictures.file, public_id, width, ending)


@guard.needs(Action.PORTAL_SEE)
def portrait(public_id: str, width: int, ending: str = "") -> Response:
    """Send the portrait of a person."""
    return _picture(portraits.file, public_id, width, ending)


@guard.needs(Action.PORTAL_SEE)
def preview(slug: str, name: str) -> Response:
    """Send the silent preview of a title; another one has another name."""
    db = context.db()
    title = titles.by_slug(db, context.actor(), slug)
    asset = assets.playable(db, title.id)
    if asset is None or asset.preview != name:
        raise NotFound("preview.missing", "There is no such preview.")
    path = context.storage().existing(assets.preview_place(asset.public_id))
    return _kept(send_file(path, mimetype="video/mp4", etag=name, conditional=True))


def _picture(find: _Finder, public_id: str, width: int, ending: str) -> Response:
    """Without an ending the smallest format is sent that the browser asks for.

    Pages with hundreds of cards are a third as long when each picture is one address.
    """
    wanted = Format(ending) if ending else _best()
    path = find(
        *(context.db(), context.storage(), context.actor(), public_id, width, wanted)
    )
    response = send_file(
        path,
        mimetype=MIMETYPES[Format(path.suffix[1:])],
        etag=f"{public_id}-{path.name}",
    )
    if not ending:
        response.vary.add("Accept")
    return _kept(response)


def _best() -> Format | None:
    """Return the best format that is named; ``*/*`` promises none of them."""
    named = request.headers.get("Accept", "")
    for each in (Format.AVIF, Format.WEBP):
        if MIMETYPES[each] in named:
            return each
    return None


def _kept(response: Response) -> Response:
    response.headers["Cache-Control"] = f"private, max-age={_DAY}, immutable"
    return response
