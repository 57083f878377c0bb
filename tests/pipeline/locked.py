"""A film that is encrypted in a test, and what can be seen of running programs."""

import os
import secrets
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from appliance.cenc import Label, Scheme
from appliance.protection import pssh
from appliance.settings import Encode, Settings
from jobs.making.encryption import Encryption, TrackKey
from tests.pipeline.local_run import LocalRun, run_pipeline

LABELS = (Label.AUDIO, Label.SD, Label.HD)


def keys(scheme: Scheme = Scheme.CBCS, clear_lead: int = 0) -> Encryption:
    """Return random content keys, with a box for ClearKey."""
    kids = {label: secrets.token_hex(16) for label in LABELS}
    iv = secrets.token_hex(16) if scheme is Scheme.CBCS else None
    boxes = pssh.common(list(kids.values()))
    return Encryption(
        scheme,
        {
            label: TrackKey(label, kid, secrets.token_hex(16), iv, boxes)
            for label, kid in kids.items()
        },
        clear_lead,
    )


def locked(clip: Path, root: Path, encryption: Encryption) -> LocalRun:
    """Take a clip through the whole pipeline, encrypted."""
    encode = Encode(preset="ultrafast", chunk_seconds=4)
    settings = replace(Settings(home=root), encode=encode)
    return run_pipeline(clip, root, settings, encrypt=lambda facts: encryption)


def key_of(encryption: Encryption, track: dict[str, Any]) -> TrackKey:
    """Return the key of a track by the KID that its entry says."""
    return next(k for k in encryption.keys.values() if k.kid == track["kid"])


def told(pid: int) -> bytes:
    """Return what every user of the machine may read of a process, and its owner."""
    place = Path("/proc", str(pid))
    return (place / "cmdline").read_bytes() + (place / "environ").read_bytes()


def child(name: str) -> int | None:
    """Return a process that this one started and whose program has this name."""
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = (path / "stat").read_text().rsplit(")", 1)[1].split()[1]
            program = (path / "cmdline").read_bytes().split(b"\0")[0].decode()
            if int(parent) == os.getpid() and Path(program).name.startswith(name):
                return int(path.name)
    return None
