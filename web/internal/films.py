"""Mappings and keys of films, as nginx-vod-module reads them.

A mapping is kept in memory for each version of an asset. Keys are kept where they are
opened, and nowhere else.
"""

from collections.abc import Callable

from flask import Response, current_app

from appliance.delivery import vod
from appliance.errors import NotFound
from appliance.media import assets
from appliance.media.assets import Asset
from appliance.playback import just_in_time
from web import context, guard

_KEPT = "matinee.mappings"
_MOST_KEPT = 2048


@guard.public("token: nginx shows the secret that it shares with us")
def whole(asset: str) -> Response:
    """Answer with everything of an asset: for people, and modules that write lists."""
    return _mapping(
        asset,
        "",
        lambda film: just_in_time.whole(context.db(), context.storage(), film),
    )


@guard.public("token: nginx shows the secret that it shares with us")
def protected(asset: str, track: str) -> Response:
    """Answer with one track that will be encrypted."""
    return _alone(asset, track, clear=False)


@guard.public("token: nginx shows the secret that it shares with us")
def clear(asset: str, track: str) -> Response:
    """Answer with one track that will leave as it is: a protected one never."""
    return _alone(asset, track, clear=True)


@guard.public("token: nginx shows the secret that it shares with us")
def drm(asset: str, track: str) -> Response:
    """Answer with the key of one track."""
    db = context.db()
    film = assets.by_public_id(db, asset)
    return _json(just_in_time.drm(db, context.settings(), film, track))


def _alone(asset: str, track: str, *, clear: bool) -> Response:
    db, storage = context.db(), context.storage()
    return _mapping(
        asset,
        f"{track} {'clear' if clear else 'protected'}",
        lambda film: just_in_time.alone(db, storage, film, track, clear=clear),
    )


def _mapping(asset: str, which: str, made: Callable[[Asset], str]) -> Response:
    # An asset that is gone is not an error here: any other status than 200 would
    # become a 502 for viewers.
    try:
        film = assets.by_public_id(context.db(), asset)
    except NotFound:
        return _json(vod.NOTHING)
    kept: dict[tuple[str, int, str], str] = current_app.extensions.setdefault(_KEPT, {})
    key = (asset, film.version, which)
    if key not in kept:
        found = made(film)
        if found == vod.NOTHING:
            # Whoever asks for what is not there must not push out what is.
            return _json(found)
        kept[key] = found
        for oldest in list(kept)[:-_MOST_KEPT]:
            kept.pop(oldest, None)
    return _json(kept[key])


def _json(text: str) -> Response:
    return Response(text, mimetype="application/json")
