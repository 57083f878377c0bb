"""Segments of tracks that lie in the object storage, as if they lay on the disk.

A web server in front keeps what it got; this answers what it has not seen yet.
"""

from flask import Response, current_app, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.http import is_resource_modified

from appliance.errors import NotFound, PreconditionFailed
from appliance.media import tracks
from appliance.media.tracks import Place
from appliance.objects import ObjectStore, Stores
from web import context

_KEPT = "matinee.stores"


def segment(asset: str, track: str, name: str, mimetype: str) -> Response | None:
    """Return a file of a track, or the part that was asked for.

    None when the track does not lie there, or no longer.
    Errors: ``TryAgain`` and ``PreconditionFailed`` while the storage does not answer.
    """
    if tracks.place_of(context.db(), asset, track) is not Place.OBJECTS:
        return None
    etag = f"{track}-{name}"
    try:
        response = _answer(f"packages/{asset}/tracks/{track}/{name}", etag)
    except NotFound:
        return None
    response.mimetype = mimetype
    response.set_etag(etag)
    response.headers["Accept-Ranges"] = "bytes"
    return response


def _answer(path: str, etag: str) -> Response:
    if not is_resource_modified(request.environ, etag=etag):
        return Response(status=304)
    store = _store()
    if request.method == "HEAD":
        response = Response()
        response.content_length = store.size(path)
        return response
    try:
        opened = store.open(path, _span(etag))
    except PreconditionFailed as error:
        if error.code != "objects.range":
            raise
        raise RequestedRangeNotSatisfiable(store.size(path)) from error
    response = Response(opened.blocks(), 206 if opened.span else 200)
    response.call_on_close(opened.close)
    response.content_length = opened.length
    if opened.span:
        response.headers["Content-Range"] = opened.span
    return response


def _span(etag: str) -> str:
    """Return the part that is asked for; more than one at once are answered whole."""
    asked = request.range
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return ""
    wanted = request.if_range
    if wanted.etag is not None and wanted.etag != etag:
        return ""
    return str(asked.to_header())


def _store() -> ObjectStore:
    here = context.installation()
    stores = current_app.extensions.setdefault(
        _KEPT, Stores(here.storage, here.settings)
    )
    assert isinstance(stores, Stores)
    return stores.objects
