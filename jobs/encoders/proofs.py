"""What is known of this machine's encoders: one file, shared by its processes.

``encoders.json`` in the home folder holds the proofs of the last test, and which
encoders failed since. Workers read and write it; the database knows nothing of it.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from appliance.settings import Settings
from jobs.tools.encoders import Codec, Family

_FILE = "encoders.json"
_FOLDER = "encoders"


@dataclass(frozen=True, slots=True)
class Proof:
    """What a test encode showed. ``mode`` is how rate was controlled; ``parts`` is what
    else of the work the device does itself: decode, deinterlace, tonemap, scale.
    ``without`` says of the others why the processor does them."""

    codec: Codec
    family: Family
    device: str
    passed: bool
    at: str
    fps: float = 0
    ssim: float = 0
    driver: str = ""
    why: str = ""
    mode: str = ""
    parts: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[Family, str, Codec]:
        return self.family, self.device, self.codec


@dataclass(frozen=True, slots=True)
class Breaker:
    """An encoder that failed at ``since`` and is not used before ``until``.

    One that is not ``open`` has passed its test since; it is remembered for a while.
    """

    family: Family
    device: str
    codec: Codec
    since: str
    until: str
    why: str
    open: bool = True

    @property
    def place(self) -> tuple[Family, str, Codec]:
        return self.family, self.device, self.codec


@dataclass(frozen=True, slots=True)
class Proofs:
    """The file. ``node`` is the boot that it was proved in, ``ffmpeg`` the builds."""

    node: str = ""
    ffmpeg: dict[str, str] = field(default_factory=dict)
    devices: tuple[str, ...] = ()
    proofs: tuple[Proof, ...] = ()
    breakers: tuple[Breaker, ...] = ()

    def of(self, codec: Codec, family: Family, device: str) -> Proof | None:
        """Return the proof of one encoder."""
        wanted = (family, device, codec)
        return next((each for each in self.proofs if each.place == wanted), None)

    def broken(self, codec: Codec, device: str) -> Breaker | None:
        """Return why a device is not to encode a codec, or None.

        By whichever family it failed: they end at the same circuits.
        """
        wanted = (device, codec)
        return next(
            (each for each in self.open if (each.device, each.codec) == wanted), None
        )

    @property
    def open(self) -> tuple[Breaker, ...]:
        """Return what is not to be used now."""
        return tuple(each for each in self.breakers if each.open)


def folder(settings_home: Path) -> Path:
    """Return the folder of locks, one for each session of a device."""
    return settings_home / _FOLDER


def known(settings: Settings) -> Proofs:
    """Read what is known; nothing when nothing was tested, or the file is torn."""
    return read(settings.home)


def read(home: Path) -> Proofs:
    """See :func:`known`."""
    try:
        document = json.loads((home / _FILE).read_bytes())
        return _proofs(document)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return Proofs()


@contextmanager
def changing(home: Path) -> Iterator[list[Proofs]]:
    """Give what is known in a list; what stands there at the end is written.

    One process at a time does so.
    """
    place = folder(home)
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        held = [read(home)]
        before = held[0]
        yield held
        if held[0] != before:
            _write(home / _FILE, held[0])


def _write(path: Path, proofs: Proofs) -> None:
    aside = path.with_suffix(".part")
    aside.write_text(json.dumps(asdict(proofs), indent=1))
    aside.replace(path)


def _proofs(document: dict[str, Any]) -> Proofs:
    return Proofs(
        node=str(document["node"]),
        ffmpeg=dict(document["ffmpeg"]),
        devices=tuple(document["devices"]),
        proofs=tuple(_proof(each) for each in document["proofs"]),
        breakers=tuple(_breaker(each) for each in document["breakers"]),
    )


def _proof(told: dict[str, Any]) -> Proof:
    return Proof(
        **{
            **told,
            "codec": Codec(told["codec"]),
            "family": Family(told["family"]),
            "parts": tuple(told["parts"]),
            "without": tuple(told.get("without", ())),
        }
    )


def _breaker(told: dict[str, Any]) -> Breaker:
    return Breaker(
        **{**told, "codec": Codec(told["codec"]), "family": Family(told["family"])}
    )
