"""Encoding on a graphics processor: taking a session, and noticing that it fails."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.clock import SystemClock
from appliance.errors import TryAgain
from jobs.encoders import breaker, devices, proofs, prover
from jobs.encoders.proofs import Proof
from jobs.steps.graphics import Device, Part
from jobs.tools import probe
from jobs.tools.encoders import SHOWN, Codec, Family
from jobs.tools.process import Cancelled
from jobs.work import Work

CODE = "encoder.hardware"

_HUNG = frozenset({"process.stalled", "process.timeout"})
# What a broken driver, a hung device or a result that is not as planned look like.
_ITS_OWN = frozenset({"process.failed", "encode.frames", "mp4.broken"}) | _HUNG

logger = logging.getLogger(__name__)


@contextmanager
def used(codec: Codec, family: Family, work: Work) -> Iterator[Device]:
    """Give a device that encodes ``codec``, as soon as one has a free session.

    When what is done with it fails, the device is tested and perhaps left alone.
    Errors: ``TryAgain`` with ``encoder.hardware`` then, and when there is no device;
    ``Cancelled``.
    """
    able = {each.device: each for each in _able(codec, family, work)}
    if not able:
        raise TryAgain(
            CODE,
            f"No graphics processor of this machine encodes {SHOWN[codec]} now.",
        )
    sessions = work.hardware.sessions
    with devices.session(work.home, list(able), sessions, work.cancelled) as device:
        if device is None:
            raise Cancelled("process.cancelled", "The work was cancelled.")
        proof = able[device]
        try:
            yield as_device(proof)
        except TryAgain as error:
            if error.code not in _ITS_OWN:
                raise
            _note(proof, error, work)
            raise TryAgain(
                CODE,
                f"{SHOWN[family]} on {device} did not encode this. {error.message}",
                error.details,
            ) from error


def as_device(proof: Proof) -> Device:
    """Return a device as it is to be used after its test."""
    parts = frozenset(Part(each) for each in proof.parts)
    return Device(proof.family, proof.device, proof.mode, parts)


def turned(source: Path, work: Work) -> bool:
    """Say whether a film is to be turned or mirrored when it is shown."""
    for stream in probe.header(source, work).streams:
        sides = stream.get("side_data_list", [])
        if any("rotation" in side for side in sides):
            return True
        if "rotate" in stream.get("tags", {}):
            return True
    return False


def _able(codec: Codec, family: Family, work: Work) -> list[Proof]:
    found = proofs.read(work.home)
    there = devices.of_family(work.hardware, family)
    return [
        each
        for each in found.proofs
        if (each.codec, each.family) == (codec, family)
        and each.passed
        and each.device in there
        and not found.broken(codec, each.device)
    ]


def _note(proof: Proof, error: TryAgain, work: Work) -> None:
    """Trip the breaker; a test that passes at once closes it, but only the first."""
    clock, minutes = SystemClock(), work.hardware.retry_minutes
    why = error.message
    again = breaker.trip(work.home, proof.place, why, clock.now(), minutes)
    if again or error.code in _HUNG:
        return
    tested = prover.test(work.home, work.hardware, *proof.place)
    if tested.passed:
        logger.info("%s passed its test: the film is to blame", proof.device)
        breaker.passed(work.home, tested, clock.now())
