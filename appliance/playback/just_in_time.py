"""What nginx-vod-module is answered before it packages: which files, and which key.

Only the internal door asks, and only nginx asks there. Who may watch was decided
before: by whoever signed the token that nginx has checked.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from appliance.catalog import titles
from appliance.cenc import KeySystem, Scheme
from appliance.db import Database
from appliance.delivery import vod
from appliance.delivery.vod import SystemData
from appliance.errors import Conflict, NotFound
from appliance.media import tracks
from appliance.media.assets import Asset
from appliance.media.tracks import Track, TrackKind
from appliance.playback import signalling
from appliance.playback.signalling import Known
from appliance.protection import door_keys, pssh
from appliance.settings import Settings
from appliance.storage import Storage

_LARGEST_TEXT = 8_000_000
_ARROW = "-->"
_TIME = r"(?:\d{2,}:)?[0-5]\d:[0-5]\d\.\d{3}"
_TIMES = re.compile(rf"{_TIME}[ \t]+-->[ \t]+{_TIME}(?:[ \t].*)?")

_log = logging.getLogger(__name__)


def whole(db: Database, storage: Storage, asset: Asset) -> str:
    """Return the mapping of everything that is packaged just in time.

    Errors: ``Conflict`` for a film that must not lie on a disk unencrypted.
    """
    found = tracks.of_asset(db, asset.id)
    _refuse_at_rest(db, asset, found)
    return _mapping(storage, asset, found, found)


def alone(
    db: Database, storage: Storage, asset: Asset, track: str, *, clear: bool
) -> str:
    """Return the mapping of one track, by its public id; nothing where it is not.

    It may be of an older version, which somebody still watches.
    ``clear`` says that it will leave as it is: a protected track is not named then.
    """
    found = _beside(db, asset, track)
    named = [
        each
        for each in found
        if each.public_id == track and bool(each.kid) is not clear
    ]
    return _mapping(storage, asset, found, named)


def drm(db: Database, settings: Settings, asset: Asset, track: str) -> str:
    """Return with which key a track is encrypted, and what init segments tell of it.

    Errors: ``NotFound`` where no track or no key is; ``Conflict`` for a film that must
    not lie on a disk unencrypted; those of keys that can't be opened.
    """
    found = _beside(db, asset, track)
    _refuse_at_rest(db, asset, found)
    chosen = next((each for each in found if each.public_id == track), None)
    kid = chosen.kid if chosen is not None and vod.is_film(chosen) else None
    keys = door_keys.of_asset(db, settings, asset.id) if kid else ()
    key = next((each for each in keys if each.kid == kid), None)
    if key is None:
        raise NotFound("vod.no-key", "There is no such track with a key.")
    known = signalling.known(db, settings, asset)
    return vod.drm(key.kid, key.key, list(_told(known, key.kid)))


def _beside(db: Database, asset: Asset, track: str) -> list[Track]:
    """Return the tracks among which one is served: of the present version, or older."""
    served = tracks.of_asset(db, asset.id)
    if any(each.public_id == track for each in served):
        return served
    return [each for each in tracks.kept(db, asset.id) if each.retired_at]


def _mapping(
    storage: Storage, asset: Asset, found: Sequence[Track], named: Sequence[Track]
) -> str:
    there = [each for each in named if _is_there(storage, asset, each)]
    return vod.mapping(
        asset.public_id, found, there, asset.duration or 0.0, storage.root
    )


def _is_there(storage: Storage, asset: Asset, track: Track) -> bool:
    """Look at the file of a track: one that can't be read spoils the whole asset."""
    if track.kind is TrackKind.TEXT:
        right = _reads(storage.path(f"{track.path}/{track.facts['file']}"))
    elif vod.is_film(track):
        right = storage.path(f"{track.path}/{track.facts['film']}").is_file()
    else:
        return False
    if not right:
        _log.error(
            "%s of asset %s is missing or no WebVTT: it is left out",
            track.name,
            asset.public_id,
        )
    return right


def _reads(file: Path) -> bool:
    """Say whether a file is WebVTT to its last line of times."""
    try:
        if file.stat().st_size > _LARGEST_TEXT:
            return False
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        return False
    lines = text.splitlines()
    if not lines or not re.fullmatch(r"WEBVTT(?:[ \t].*)?", lines[0]):
        return False
    return all(_TIMES.fullmatch(line.strip()) for line in lines if _ARROW in line)


def _told(known: Known, kid: str) -> Iterator[SystemData]:
    """Yield what is said to the systems that are allowed now; FairPlay has no box."""
    boxes = next((each for each in known.keys if each.kid == kid), None)
    said = boxes.of_systems([kid], Scheme.CENC) if boxes else {}
    for system in known.systems:
        if system is KeySystem.CLEARKEY:
            yield SystemData(system, b"")
        elif system is not KeySystem.FAIRPLAY and system in said:
            for box in pssh.read(said[system]):
                yield SystemData(system, box.data)


def _refuse_at_rest(db: Database, asset: Asset, found: Sequence[Track]) -> None:
    if any(each.scheme is Scheme.CBCS for each in found):
        title = titles.by_id(db, asset.title_id)
        raise Conflict(
            "vod.at-rest",
            f"“{title.name}” is protected with cbcs, which keeps it encrypted on the"
            " disk: it is served as it was packaged. To have it packaged just in time,"
            " set its scheme to cenc and encrypt it anew.",
        )
