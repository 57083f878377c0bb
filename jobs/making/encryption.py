"""With what a film is encrypted: content keys on their way to a media worker.

Specs of work units lie in the database and on the disk that media workers share. So
keys travel in them sealed, bound to their job; only who has the folder of keys opens
them. Nothing in here knows the database.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

from appliance.cenc import Label, Scheme
from appliance.protection import sealing
from jobs.planning.chunks import Grid


@dataclass(frozen=True, slots=True)
class TrackKey:
    """The content key of the tracks with one label.

    ``kid``, ``key`` and ``iv`` are hexadecimal; without an ``iv`` one is drawn by
    chance. ``boxes`` are the ``pssh`` boxes that go into the init segments.
    """

    label: Label
    kid: str
    key: str = field(repr=False)
    iv: str | None = None
    boxes: bytes = b""


@dataclass(frozen=True, slots=True)
class Encryption:
    """How a film is encrypted; ``clear_lead`` is in seconds."""

    scheme: Scheme
    keys: Mapping[Label, TrackKey]
    clear_lead: int = 0

    def of(self, label: str) -> TrackKey:
        """Return the key of a label that the film was planned with."""
        return self.keys[Label(label)]

    def clear_segments(self, grid: Grid) -> int:
        """Return how many segments stay clear; never all of them."""
        wanted = ceil(self.clear_lead / grid.segment)
        return min(wanted, len(grid.segments()) - 1)


def sealed(encryption: Encryption, folder: Path, job: str) -> dict[str, Any]:
    """Return what the spec of a unit says; :func:`opened` reads it."""
    document = {"keys": [_as_document(key) for key in encryption.keys.values()]}
    return {
        "scheme": encryption.scheme.value,
        "clear_lead": encryption.clear_lead,
        "sealed": sealing.seal(folder, document, _purpose(job)),
    }


def opened(spec: Mapping[str, Any] | None, folder: Path, job: str) -> Encryption | None:
    """Return with what a unit is to encrypt; None when its film stays clear."""
    if spec is None:
        return None
    document = sealing.unseal(folder, spec["sealed"], _purpose(job))
    return Encryption(
        scheme=Scheme(spec["scheme"]),
        keys=_by_label(_from_document(each) for each in document["keys"]),
        clear_lead=spec["clear_lead"],
    )


def sealed_keys(keys: Mapping[str, str], folder: Path, job: str) -> str:
    """Seal content keys by their KID, for a unit that decrypts."""
    return sealing.seal(folder, {"keys": dict(keys)}, _purpose(job))


def opened_keys(text: str, folder: Path, job: str) -> dict[str, str]:
    """Return what :func:`sealed_keys` was given."""
    keys: dict[str, str] = sealing.unseal(folder, text, _purpose(job))["keys"]
    return keys


def in_spec(spec: Mapping[str, Any]) -> bool:
    """Say whether a unit needs the key that keys are sealed with."""
    return bool(spec.get("sealed") or (spec.get("encryption") or {}).get("sealed"))


def _purpose(job: str) -> str:
    return f"job/{job}"


def _as_document(key: TrackKey) -> dict[str, Any]:
    return {
        "label": key.label.value,
        "kid": key.kid,
        "key": key.key,
        "iv": key.iv,
        "boxes": base64.b64encode(key.boxes).decode(),
    }


def _from_document(document: Mapping[str, Any]) -> TrackKey:
    return TrackKey(
        label=Label(document["label"]),
        kid=document["kid"],
        key=document["key"],
        iv=document["iv"],
        boxes=base64.b64decode(document["boxes"]),
    )


def _by_label(keys: Iterable[TrackKey]) -> dict[Label, TrackKey]:
    return {key.label: key for key in keys}
