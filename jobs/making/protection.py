"""With what a title is to be encrypted, and the content keys for it: the control side.

Keys come from :mod:`appliance.protection.keys`, which writes them before it returns,
so that nothing is ever encrypted with a key that could be lost.
"""

import base64
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from appliance import cenc
from appliance import settings as configuration
from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.cenc import SHORT, KeySystem, Label, Scheme
from appliance.db import Database
from appliance.media import tracks, units
from appliance.media.assets import Asset
from appliance.media.jobs import Job
from appliance.permissions import SYSTEM
from appliance.protection import keys as content_keys
from appliance.protection.keys import ContentKey, KeyRow, KeyState
from appliance.settings import Settings
from jobs.errands import Errand
from jobs.making.encryption import Encryption, TrackKey, sealed

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
    return wish_of(title, settings, title.scheme or Scheme(settings.protection.scheme))


def wish_of(title: Title, settings: Settings, scheme: Scheme) -> Wish:
    """Return how the title is encrypted with a scheme."""
    library = settings.protection
    names = configuration.key_systems(library)
    return Wish(
        scheme=scheme,
        systems=title.key_systems or tuple(SHORT[name] for name in names),
        clear_lead=library.clear_lead_seconds,
    )


def labels(heights: Iterable[int], *, sound: bool) -> tuple[Label, ...]:
    """Return the labels that tracks of these heights need keys for, in their order."""
    needed = {cenc.video_label(height) for height in heights}
    if sound:
        needed.add(Label.AUDIO)
    return tuple(label for label in Label if label in needed)


@dataclass(frozen=True, slots=True)
class Spec:
    """What units are told about encryption: nothing where the film stays clear."""

    encryption: dict[str, Any] | None


def spec(
    db: Database,
    settings: Settings,
    job: Job,
    asset: Asset,
    needed: Sequence[Label],
    errand: Errand,
    replaces: Collection[str] = (),
) -> Spec | None:
    """Return what the units of a job are told; None while keys are asked for.

    Errors: ``ErrandFailed``, ``TryAgain``.
    """
    wanted = wish(titles.by_id(db, asset.title_id), settings)
    return spec_of(db, settings, job, asset, needed, errand, wanted, replaces)


def spec_of(
    db: Database,
    settings: Settings,
    job: Job,
    asset: Asset,
    needed: Sequence[Label],
    errand: Errand,
    wanted: Wish | None,
    replaces: Collection[str] = (),
) -> Spec | None:
    """Return what units are told where it is known what is wished, as ``spec`` does."""
    if wanted is None:
        return Spec(None)

    def ask(db: Database) -> Encryption:
        return keys(db, settings, asset, wanted, needed, replaces=replaces)

    found = errand(db, job.public_id, (wanted, tuple(needed)), ask)
    if found is None:
        return None
    return Spec(sealed(found, settings.keys, job.public_id))


def as_wished(db: Database, settings: Settings, job: Job, asset: Asset) -> bool:
    """Say whether what a job packaged is what its title wants now."""
    wanted = wish(titles.by_id(db, asset.title_id), settings)
    planned = units.spec(db, job.id, "package").get("encryption")
    if wanted is None or planned is None:
        return wanted is None and planned is None
    return wanted.scheme is Scheme(planned["scheme"])


def keys(
    db: Database,
    settings: Settings,
    asset: Asset,
    wanted: Wish,
    needed: Sequence[Label],
    *,
    replaces: Collection[str] = (),
) -> Encryption:
    """Return content keys that are written down; who makes them is asked for new ones.

    They are others than those whose KIDs it ``replaces``. Whoever asks again, killed
    before anything was encrypted, gets the same. It may take as long as a provider
    takes. Errors: those of ``keys.ensure``.
    """
    wish_of_rows = (asset, needed, wanted.scheme, wanted.systems)
    newest = _newest(db, asset)
    if newest & set(replaces):
        found = content_keys.renew(db, settings, SYSTEM, *wish_of_rows)
    else:
        found = content_keys.ensure(db, settings, SYSTEM, *wish_of_rows)
    return encryption(wanted, found)


def live(db: Database, asset: Asset) -> set[str]:
    """Return the KIDs of the keys that doors still give out."""
    return {row.kid for row in _rows(db, asset) if row.state is KeyState.LIVE}


def retire_unused(db: Database, asset: Asset) -> None:
    """Let no door give out keys of generations before the oldest that a track has."""
    used = {track.kid for track in tracks.kept(db, asset.id) if track.kid}
    rows = _rows(db, asset)
    of_use = [row.generation for row in rows if row.kid in used]
    every = [row.generation + 1 for row in rows]
    before = min(of_use, default=max(every, default=0))
    content_keys.retire(db, SYSTEM, asset.id, before)


def _newest(db: Database, asset: Asset) -> set[str]:
    """Return the KIDs of the newest generation."""
    rows = _rows(db, asset)
    last = max((row.generation for row in rows), default=0)
    return {row.kid for row in rows if row.generation == last}


def _rows(db: Database, asset: Asset) -> list[KeyRow]:
    slug = titles.by_id(db, asset.title_id).slug
    rows = content_keys.listing(db, slug)
    return [row for row in rows if row.asset == asset.public_id]


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
