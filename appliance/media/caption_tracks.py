"""Captions as tracks: one immutable file for each change, and what its row says of it.

Whose they are and whether anybody looked at what a machine heard stands in the facts of
the track, so that going back to an older version brings that back too. ``captions`` in
there is the name that stays the same from track to track.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.captions import languages, reading, writing
from appliance.captions.cues import MOST_BYTES, Captions
from appliance.captions.description import FILE, Description, Origin, Role, entry
from appliance.digests import of_file
from appliance.media.assets import Asset
from appliance.media.tracks import Place, Track
from appliance.objects import Stores
from appliance.storage import Storage


@dataclass(frozen=True, slots=True)
class Held:
    """The captions of a film as they are now.

    ``id`` stays, ``version`` (the track) changes with each change. ``auto`` says that
    a machine heard them and nobody has looked at them; ``label`` tells viewers so.
    ``cues`` is None where nobody has counted them.
    """

    id: str
    version: str
    language: str
    name: str
    label: str
    role: Role
    origin: Origin
    auto: bool
    source_name: str
    cues: int | None
    bytes: int
    changed_by: str
    changed_at: str
    reviewed_by: str
    reviewed_at: str


def held(track: Track) -> Held:
    """Return what the row of a text track says."""
    facts = track.facts
    origin = Origin(facts.get("origin", Origin.SOURCE))
    reviewed_at = facts.get("reviewed_at", "")
    known = track.role in frozenset(Role)
    return Held(
        id=facts.get("captions", track.public_id),
        version=track.public_id,
        language=track.language,
        name=facts.get("name") or track.label or languages.name(track.language),
        label=track.label or languages.name(track.language),
        role=Role(track.role) if known else Role.SUBTITLE,
        origin=origin,
        auto=origin is Origin.AUTO and not reviewed_at,
        source_name=facts.get("source_name", ""),
        cues=facts.get("cues"),
        bytes=track.bytes,
        changed_by=facts.get("changed_by", ""),
        changed_at=facts.get("changed_at", ""),
        reviewed_by=facts.get("reviewed_by", ""),
        reviewed_at=reviewed_at,
    )


def by_hand(track: Track) -> bool:
    """Say whether somebody brought, wrote, shifted or reviewed these captions."""
    return bool(track.facts.get("changed_by"))


def path(asset: Asset, track: str) -> str:
    """Return the folder of a track in the storage."""
    return f"packages/{asset.public_id}/tracks/{track}"


def make(
    storage: Storage,
    asset: Asset,
    described: Description,
    captions: Captions,
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """Write a new track; return its entry. Its row must follow, or it be removed."""
    public_id = secrets.token_hex(8)
    text = writing.webvtt(captions)
    file = storage.write(f"{path(asset, public_id)}/{FILE}", text.encode())
    return entry(public_id, described, captions, facts) | {
        "path": path(asset, public_id),
        "bytes": file.stat().st_size,
        "files": {FILE: of_file(file)},
    }


def text(stores: Stores, track: Track) -> str:
    """Return the file of a track, wherever it lies. Errors: those of the storages."""
    name = f"{track.path}/{track.facts['file']}"
    if track.place is Place.LOCAL:
        return stores.storage.existing(name).read_text("utf-8", errors="replace")
    blocks: list[bytes] = []
    stores.objects.read(name, blocks.append)
    return b"".join(blocks)[: 4 * MOST_BYTES].decode("utf-8", "replace")


def cues(stores: Stores, track: Track) -> Captions:
    """Return what a track shows and when."""
    return reading.stored(text(stores, track))
