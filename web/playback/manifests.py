"""Manifests rendered from track rows, kept in memory for each version of an asset.

They hold neither tokens nor keys, so that one text serves every viewer who is shown the
same renditions.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask import current_app

from appliance.db import Database
from appliance.delivery import (
    dash,
    hls,
    playlists,
    renditions,
    steering,
    thumbnails,
    vod,
)
from appliance.delivery.signalling import Signalling
from appliance.delivery.steering import Pathway
from appliance.errors import NotFound
from appliance.media import assets, tracks
from appliance.media.assets import Asset
from appliance.media.tracks import Track, TrackKind
from appliance.playback import signalling
from appliance.settings import Settings

_HLS = "application/vnd.apple.mpegurl"
_DASH = "application/dash+xml"
_KEPT = "matinee.manifests"
_MOST_KEPT = 16


@dataclass(frozen=True, slots=True)
class Manifest:
    """One text with its type; ``etag`` changes with the text."""

    text: str
    mimetype: str
    etag: str


def manifest(
    db: Database,
    settings: Settings,
    asset: str,
    name: str,
    max_height: int | None = None,
) -> Manifest:
    """Return what lies at ``name`` beside the tracks of an asset, by its public id.

    What is above ``max_height`` is left out. Errors: ``NotFound``.
    """
    film = assets.by_public_id(db, asset)
    known = signalling.known(db, settings, film)
    kept = current_app.extensions.setdefault(_KEPT, {})
    key = (film.public_id, film.version, max_height, known)
    if key not in kept:
        shown = renditions.within(tracks.of_asset(db, film.id), max_height)
        said = signalling.of_tracks(settings, known, shown)
        ways = steering.pathways(settings, film.public_id)
        kept[key] = _all(film, shown, said, ways)
        for oldest in list(kept)[:-_MOST_KEPT]:
            kept.pop(oldest, None)
    found: Manifest | None = kept.get(key, {}).get(name)
    if found is None:
        raise NotFound("media.missing", "There is nothing at this address.")
    return found


def _all(
    film: Asset,
    shown: list[Track],
    said: Signalling,
    ways: tuple[Pathway, ...],
) -> Mapping[str, Manifest]:
    return {
        name: Manifest(text, mimetype, hashlib.sha256(text.encode()).hexdigest()[:20])
        for name, mimetype, text in _rendered(film.duration or 0.0, shown, said, ways)
    }


def _rendered(
    duration: float,
    shown: list[Track],
    said: Signalling,
    ways: tuple[Pathway, ...],
) -> Iterator[tuple[str, str, str]]:
    if not shown:
        return
    yield "master.m3u8", _HLS, hls.multivariant(shown, said)
    yield "manifest.mpd", _DASH, dash.manifest(shown, duration, said)
    if ways:
        yield "steered.m3u8", _HLS, hls.multivariant(shown, said, ways)
        yield "steered.mpd", _DASH, dash.manifest(shown, duration, said, ways)
    for track in shown:
        name = f"hls/{track.public_id}"
        yield f"{name}.m3u8", _HLS, playlists.media(track, duration, said)
        if vod.iframes(track):
            yield f"{name}-iframes.m3u8", _HLS, playlists.iframes(track, said)
        if track.kind is TrackKind.THUMBNAILS:
            cues = thumbnails.webvtt(track, duration)
            yield "thumbnails.vtt", "text/vtt", cues
