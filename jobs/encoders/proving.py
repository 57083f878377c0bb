"""The test of encoders: none of a graphics processor is used before it has passed.

A clip of five seconds is encoded as films are, on every device, codec by codec, and
compared with what it was made from. That is done when Matinee starts for the first
time, after a boot, when an ffmpeg was replaced, and after a failure.
"""

import fcntl
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import appliance
from appliance.clock import SystemClock
from appliance.errors import MatineeError
from appliance.settings import Settings
from jobs.encoders import breaker, devices, proofs, prover
from jobs.encoders.proofs import Proof, Proofs
from jobs.tools import capabilities, encoder_options, encoders
from jobs.tools.encoders import SHOWN, Codec, Family
from jobs.tools.process import ProcessFailed

_LATER_SECONDS = 60.0
_LOOK_SECONDS = 20.0
_BOOT = Path("/proc/sys/kernel/random/boot_id")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Usable:
    """An encoder that may be used now; ``fps`` is how fast its test was."""

    codec: Codec
    family: Family
    device: str
    fps: float

    def as_json(self) -> dict[str, Any]:
        """Return what a node announces of it."""
        return asdict(self)


def tend(settings: Settings) -> Proofs:
    """Test what is due: everything at first and after changes, else what had failed.

    Another process of this machine that is at it is not waited for.
    """
    with _alone(settings, wait=False) as ours:
        if ours and due(settings):
            prove(settings)
        elif ours:
            _test_failed(settings, SystemClock().now())
    return known(settings)


def probe(settings: Settings, codecs: tuple[Codec, ...] = tuple(Codec)) -> Proofs:
    """Test everything now, after whoever is just at it."""
    with _alone(settings, wait=True):
        return prove(settings, codecs)


def tend_beside(settings: Settings) -> None:
    """Do so from now on as long as this process lives, in a thread of its own.

    Where there is only the processor its test can wait: films come first.
    """
    never = threading.Event()

    def work() -> None:
        hurry = devices.present(settings.hardware)
        never.wait(0 if hurry else _LATER_SECONDS)
        while True:
            try:
                tend(settings)
            except (MatineeError, OSError) as error:
                logger.warning("encoders can't be tested now: %s", error)
            never.wait(_LOOK_SECONDS)

    threading.Thread(target=work, name="encoders", daemon=True).start()


def due(settings: Settings) -> bool:
    """Say whether everything is to be tested: a boot, another ffmpeg or device."""
    found = known(settings)
    return (found.node, found.ffmpeg, found.devices) != _here(settings)


def prove(settings: Settings, codecs: tuple[Codec, ...] = tuple(Codec)) -> Proofs:
    """Test every encoder on every device; remember and return what came of it.

    What failed before and passes now is used again.
    """
    here = _here(settings)
    proofs_made = [
        _tested(settings, family, device, codec)
        for family, device in _places(settings)
        for codec in codecs
    ]
    tested = {each.place for each in proofs_made}
    node, builds, found_devices = here
    with proofs.changing(settings.home) as held:
        kept = [
            each
            for each in held[0].proofs
            if each.codec not in codecs and each.device in ("", *found_devices)
        ]
        broken = [each for each in held[0].breakers if each.place not in tested]
        held[0] = replace(
            held[0],
            node=node,
            ffmpeg=builds,
            devices=found_devices,
            proofs=(*kept, *proofs_made),
            breakers=tuple(each for each in broken if each.device in found_devices),
        )
    return known(settings)


def known(settings: Settings) -> Proofs:
    """Return what the last test showed, and what failed since."""
    return proofs.known(settings)


def usable(settings: Settings) -> list[Usable]:
    """Return what this machine may encode with now.

    That is the processor for every codec that an ffmpeg here has an encoder for, and of
    graphics processors what passed and did not fail since: for each codec one family.
    """
    found = known(settings)
    return [
        each
        for codec in Codec
        for each in (*_processor(found, codec), *_graphics(settings, found, codec))
    ]


def degraded(settings: Settings) -> list[str]:
    """Say what does not work as it did, a sentence for each encoder that failed."""
    return [
        f"{SHOWN[each.family]} on {each.device} does not encode {SHOWN[each.codec]}"
        f" for now, the processor does: {each.why}"
        for each in known(settings).open
    ]


def _tested(settings: Settings, family: Family, device: str, codec: Codec) -> Proof:
    proof = prover.test(settings.home, settings.hardware, family, device, codec)
    logger.info(
        "%s for %s on %s %s",
        family,
        codec,
        device or "the processor",
        f"passed: {proof.fps} fps, SSIM {proof.ssim}" if proof.passed else "failed",
    )
    return proof


def _test_failed(settings: Settings, now: datetime) -> None:
    """Test those again that were left alone for long enough."""
    for each in breaker.due(known(settings), now):
        proof = prover.test(settings.home, settings.hardware, *each.place)
        if proof.passed:
            breaker.passed(settings.home, proof, now)
        else:
            minutes = settings.hardware.retry_minutes
            breaker.failed(settings.home, proof, now, minutes)


def _places(settings: Settings) -> Iterator[tuple[Family, str]]:
    """Yield every family on every device that it might work on."""
    for family in (Family.SOFTWARE, *encoders.HARDWARE):
        for device in devices.of_family(settings.hardware, family):
            yield family, device


def _here(settings: Settings) -> tuple[str, dict[str, str], tuple[str, ...]]:
    """Return the boot, the builds of ffmpeg and the devices that proofs hold for.

    Another Matinee may use more of what a device does.
    """
    builds = {"matinee": appliance.__version__}
    for program in encoders.PROGRAMS:
        try:
            build = capabilities.build(program)
        except ProcessFailed:
            continue
        builds[program] = f"{build.version} {build.fingerprint}"
    found = {device for _, device in _places(settings) if device}
    return _BOOT.read_text().strip(), builds, tuple(sorted(found))


@contextmanager
def _alone(settings: Settings, *, wait: bool) -> Iterator[bool]:
    place = proofs.folder(settings.home)
    place.mkdir(parents=True, exist_ok=True)
    with (place / "testing").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True


def _processor(found: Proofs, codec: Codec) -> list[Usable]:
    proof = found.of(codec, Family.SOFTWARE, "")
    if proof is not None:
        able = proof.passed
    else:
        able = not encoder_options.missing(codec, Family.SOFTWARE)
    fps = proof.fps if proof is not None else 0
    return [Usable(codec, Family.SOFTWARE, "", fps)] if able else []


def _graphics(settings: Settings, found: Proofs, codec: Codec) -> list[Usable]:
    passed = [
        each
        for each in found.proofs
        if each.codec is codec
        and each.family is not Family.SOFTWARE
        and each.passed
        and not found.broken(each.codec, each.device)
        and settings.hardware.family in ("auto", each.family)
    ]
    family = encoders.best(each.family for each in passed)
    return [
        Usable(codec, each.family, each.device, each.fps)
        for each in passed
        if each.family is family
    ]
