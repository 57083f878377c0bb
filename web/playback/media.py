"""Manifests and segments under ``/media/<token>/<asset>/``, or for CDNs.

This is what plays when no web server stands in front; nginx takes the same addresses,
checks the same token and sends the same files.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import NoReturn

from flask import Response, request, send_file

from appliance.delivery import shield, tokens
from appliance.delivery.tokens import Scope
from appliance.errors import Forbidden, NotFound
from web import context, guard
from web.playback import manifests, objects
from web.playback.keys import media_keys

_YEAR = 365 * 24 * 3600
_TYPES: Mapping[str, str] = {
    "mp4": "video/mp4",
    "m4s": "video/iso.segment",
    "vtt": "text/vtt",
    "jpg": "image/jpeg",
}
_FILE = re.compile(
    r"tracks/(?P<track>[0-9a-f]{16})/(?P<file>[0-9a-z_-]+\.(?P<kind>mp4|m4s|vtt|jpg))",
    re.ASCII,
)
_ASSET = re.compile(r"[0-9a-f]{16}", re.ASCII)


@guard.public("token: the path carries a media token")
def media(token: str, asset: str, name: str) -> Response:
    """Serve one file of an asset to whoever holds a token for it, or to a CDN."""
    shared = shield.read(token, asset)
    if shared is not None:
        return _for_cdn(*shared, name)
    now = context.installation().clock.now()
    held = tokens.check_media(media_keys(), token, asset, now)
    if not _ASSET.fullmatch(asset):
        _nothing()
    file = _FILE.fullmatch(name)
    if file is not None:
        return _segment(asset, file)
    return _manifest(asset, name, held.scope.max_height)


def _for_cdn(asset: str, scope: Scope, name: str) -> Response:
    """Serve what a CDN keeps for all viewers: its secret takes the token's place."""
    given = request.headers.get(shield.HEADER, "")
    if not shield.admits(shield.secrets(context.settings().keys), given):
        raise Forbidden("media.token", "This address does not open this film.")
    file = _FILE.fullmatch(name)
    if file is not None:
        return _segment(asset, file)
    response = _manifest(asset, name, scope.max_height)
    response.headers["Cache-Control"] = "public, max-age=10"
    return response


def _segment(asset: str, file: re.Match[str]) -> Response:
    """Send a file of a track: it never changes, so it may be kept for a year."""
    # Twice, for it may be moved between the two looks.
    response = _here(asset, file) or _there(asset, file)
    response = response or _here(asset, file) or _there(asset, file)
    if response is None:
        context.storage().require_mounted()
        _nothing()
    response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
    return response


def _here(asset: str, file: re.Match[str]) -> Response | None:
    path = context.storage().path(
        f"packages/{asset}/tracks/{file['track']}/{file['file']}"
    )
    with suppress(FileNotFoundError, NotADirectoryError):
        return send_file(
            path,
            mimetype=_TYPES[file["kind"]],
            conditional=True,
            etag=f"{file['track']}-{file['file']}",
            max_age=_YEAR,
        )
    return None


def _there(asset: str, file: re.Match[str]) -> Response | None:
    return objects.segment(asset, file["track"], file["file"], _TYPES[file["kind"]])


def _manifest(asset: str, name: str, max_height: int | None) -> Response:
    """Send what is rendered from rows: it changes when a track is added."""
    found = manifests.manifest(
        context.db(), context.settings(), asset, name, max_height
    )
    response = Response(found.text, mimetype=found.mimetype)
    response.set_etag(found.etag)
    response.headers["Cache-Control"] = "private, max-age=10"
    response.make_conditional(request)
    return response


def _nothing() -> NoReturn:
    raise NotFound("media.missing", "There is nothing at this address.")
