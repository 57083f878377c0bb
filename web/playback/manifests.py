"""Manifests rendered from track rows, kept in memory for each version of an asset.

They hold neither tokens nor keys, so that one text serves every viewer who is shown the
same renditions.
"""

import hashlib
from collections.abc import Iterable, Iterator
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
        older = [each for each in tracks.kept(db, film.id) if each.retired_at]
        said_then = signalling.of_tracks(settings, known, older)
        rendered = [
            *_rendered(film.duration or 0.0, shown, said, ways),
            # Who began with an older version changes its renditions to the end.
            *_playlists(film.duration or 0.0, older, said_then),
        ]
        kept[key] = {name: _manifest(text, kind) for name, kind, text in rendered}
        for oldest in list(kept)[:-_MOST_KEPT]:
            kept.pop(oldest, None)
    found: Manifest | None = kept.get(key, {}).get(name)
    if found is None:
        raise NotFound("media.missing", "There is nothing at this address.")
    return found


def _manifest(text: str, mimetype: str) -> Manifest:
    etag = hashlib.sha256(text.encode()).hexdigest()[:20]
    return Manifest(text, mimetype, etag)


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
    yield from _playlists(duration, shown, said)
    for track in shown:
        if track.kind is TrackKind.THUMBNAILS:
            cues = thumbnails.webvtt(track, duration)
            yield "thumbnails.vtt", "text/vtt", cues


def _playlists(
    duration: float, shown: Iterable[Track], said: Signalling
) -> Iterator[tuple[str, str, str]]:
    for track in shown:
        name = f"hls/{track.public_id}"
        yield f"{name}.m3u8", _HLS, playlists.media(track, duration, said)
        if vod.iframes(track):
            yield f"{name}-iframes.m3u8", _HLS, playlists.iframes(track, said)
