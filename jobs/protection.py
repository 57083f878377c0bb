"""With what a title is to be encrypted, and the content keys for it: the control side.

Keys come from :mod:`appliance.protection.keys`, which writes them before it returns,
so that nothing is ever encrypted with a key that could be lost.
"""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from appliance import cenc
from appliance import settings as configuration
from appliance.catalog.titles import Title
from appliance.cenc import SHORT, KeySystem, Label, Scheme
from appliance.db import Database
from appliance.media.assets import Asset
from appliance.permissions import SYSTEM
from appliance.protection import keys as content_keys
from appliance.protection.keys import ContentKey
from appliance.settings import Settings
from jobs.encryption import Encryption, TrackKey

# FairPlay knows no boxes: what its provider gives is an address for the playlists.
_WITH_BOXES = (KeySystem.WIDEVINE, KeySystem.PLAYREADY, KeySystem.CLEARKEY)


@dataclass(frozen=True, slots=True)
class Wish:
    """How a protected title is to be encrypted, by its own fields or the library's."""

    scheme: Scheme
    systems: tuple[KeySystem, ...]
    clear_lead: int


def wish(title: Title, settings: Settings) -> Wish | None:
    """Return how the title is to be encrypted; None when it stays clear."""
    if not title.protected:
        return None
    library = settings.protection
    names = configuration.key_systems(library)
    return Wish(
        scheme=title.scheme or Scheme(library.scheme),
        systems=title.key_systems or tuple(SHORT[name] for name in names),
        clear_lead=library.clear_lead_seconds,
    )


def labels(heights: Iterable[int], *, sound: bool) -> tuple[Label, ...]:
    """Return the labels that tracks of these heights need keys for, in their order."""
    needed = {cenc.video_label(height) for height in heights}
    if sound:
        needed.add(Label.AUDIO)
    return tuple(label for label in Label if label in needed)


def keys(
    db: Database,
    settings: Settings,
    asset: Asset,
    wanted: Wish,
    needed: Sequence[Label],
) -> Encryption:
    """Return content keys that are written down; who makes them is asked for new ones.

    That may take as long as a provider takes. Errors: those of ``keys.ensure``.
    """
    found = content_keys.ensure(
        db, settings, SYSTEM, asset, needed, wanted.scheme, wanted.systems
    )
    return encryption(wanted, found)


def encryption(wanted: Wish, found: Sequence[ContentKey]) -> Encryption:
    """Return what packaging is told; boxes only of the key systems that may open it."""
    return Encryption(
        scheme=wanted.scheme,
        keys={key.label: _track_key(key, wanted.systems) for key in found},
        clear_lead=wanted.clear_lead,
    )


def _track_key(key: ContentKey, systems: Sequence[KeySystem]) -> TrackKey:
    boxes = [
        base64.b64decode(key.pssh[system])
        for system in _WITH_BOXES
        if system in systems and system in key.pssh
    ]
    return TrackKey(key.label, key.kid, key.key.hex(), key.iv, b"".join(boxes))
