"""Manifests rendered from track rows, kept in memory for each version of an asset."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask import current_app

from appliance.db import Database
from appliance.delivery import dash, hls, playlists, thumbnails
from appliance.errors import NotFound
from appliance.media import assets, tracks
from appliance.media.assets import Asset
from appliance.media.tracks import Track, TrackKind

_HLS = "application/vnd.apple.mpegurl"
_KEPT = "matinee.manifests"
_KEPT_ASSETS = 16


@dataclass(frozen=True, slots=True)
class Manifest:
    """One text with its type; ``etag`` changes with the text."""

    text: str
    mimetype: str
    etag: str


def manifest(db: Database, asset: str, name: str) -> Manifest:
    """Return what lies at ``name`` beside the tracks of an asset, by its public id.

    Errors: ``NotFound``.
    """
    film = assets.by_public_id(db, asset)
    kept = current_app.extensions.setdefault(_KEPT, {})
    key = (film.public_id, film.version)
    if key not in kept:
        kept[key] = _all(film, tracks.of_asset(db, film.id))
        for oldest in list(kept)[:-_KEPT_ASSETS]:
            kept.pop(oldest, None)
    found: Manifest | None = kept.get(key, {}).get(name)
    if found is None:
        raise NotFound("media.missing", "There is nothing at this address.")
    return found


def _all(film: Asset, parts: list[Track]) -> Mapping[str, Manifest]:
    return {
        name: Manifest(text, mimetype, hashlib.sha256(text.encode()).hexdigest()[:20])
        for name, mimetype, text in _rendered(film.duration or 0.0, parts)
    }


def _rendered(duration: float, parts: list[Track]) -> Iterator[tuple[str, str, str]]:
    if not parts:
        return
    yield "master.m3u8", _HLS, hls.multivariant(parts)
    yield "manifest.mpd", "application/dash+xml", dash.manifest(parts, duration)
    for track in parts:
        name = f"hls/{track.public_id}"
        yield f"{name}.m3u8", _HLS, playlists.media(track, duration)
        if track.facts.get("iframes"):
            yield f"{name}-iframes.m3u8", _HLS, playlists.iframes(track)
        if track.kind is TrackKind.THUMBNAILS:
            cues = thumbnails.webvtt(track, duration)
            yield "thumbnails.vtt", "text/vtt", cues
