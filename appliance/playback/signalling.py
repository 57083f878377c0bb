"""What the manifests of an asset say about its keys now: rows of keys and the title."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from appliance.cenc import KeySystem
from appliance.db import Database
from appliance.delivery.signalling import (
    NO_SYSTEM,
    KeySignals,
    Signalling,
    one_for_each_key,
)
from appliance.media.assets import Asset
from appliance.media.tracks import Track
from appliance.playback.permission import allowed_systems
from appliance.protection import boxes
from appliance.protection.boxes import KeyBoxes
from appliance.settings import Settings

_LICENCE = "/licence/clearkey"


@dataclass(frozen=True, slots=True)
class Known:
    """What stands in the database: manifests change when this does."""

    systems: tuple[KeySystem, ...]
    keys: tuple[KeyBoxes, ...]


def known(db: Database, settings: Settings, asset: Asset) -> Known:
    """Return what there is to say about an asset: two short queries."""
    own = db.value("select key_systems from titles where id = ?", (asset.title_id,))
    return Known(
        systems=allowed_systems(own or "[]", settings.protection),
        keys=boxes.of_asset(db, asset.id),
    )


def of_asset(
    db: Database, settings: Settings, asset: Asset, shown: Sequence[Track]
) -> Signalling:
    """Return what the manifests say of the tracks that they show."""
    return of_tracks(settings, known(db, settings, asset), shown)


def of_tracks(settings: Settings, known: Known, shown: Sequence[Track]) -> Signalling:
    """Return what is said of these tracks; a licence is asked for all their keys.

    A player that holds every key from the start can change to any rendition.
    """
    encrypted = {each.kid: each for each in one_for_each_key(shown) if each.kid}
    if not encrypted:
        return NO_SYSTEM
    together = list(encrypted)
    keys = {
        each.kid: _signals(each.of_systems(together, scheme))
        for each in known.keys
        if each.kid in encrypted and (scheme := encrypted[each.kid].scheme)
    }
    return Signalling(
        systems=known.systems,
        keys=keys,
        clearkey_box=_text(boxes.clearkey(together)),
        # Browsers take a path as one of the page's own server. Other players need the
        # whole address, which only the operator knows.
        licence_url=settings.portal.public_url.rstrip("/") + _LICENCE,
    )


def _signals(told: Mapping[KeySystem, bytes]) -> KeySignals:
    playready = told.get(KeySystem.PLAYREADY, b"")
    return KeySignals(
        pssh={
            system: _text(box)
            for system, box in told.items()
            if system is not KeySystem.FAIRPLAY
        },
        playready_object=_text(boxes.playready_object(playready)),
        fairplay_uri=told[KeySystem.FAIRPLAY].decode(),
    )


def _text(box: bytes) -> str:
    return base64.b64encode(box).decode()
