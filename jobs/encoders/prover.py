"""Puts one encoder to the test, part by part, within its time."""

import logging
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from appliance.clock import SystemClock, to_text
from appliance.errors import MatineeError
from appliance.media_sections import Hardware
from jobs.encoders import proofs, trial
from jobs.encoders.proofs import Proof
from jobs.encoders.trial import Outcome
from jobs.steps import graphics
from jobs.steps.graphics import Device, Part
from jobs.tools import encoder_options, encoders, ffmpeg, process
from jobs.tools.encoders import Codec, Family

_LEAST_SECONDS = 1.0
_LONGEST = 300
# Each after those that it needs.
_PARTS = (Part.SCALE, Part.DECODE, Part.DEINTERLACE, Part.TONEMAP)
_ERROR = re.compile(r"(?:\[[^\]]* @ \w+\] )*\[(?:error|fatal)\] (.+)")
_SLOW = "it took longer than {seconds} seconds and was stopped"

logger = logging.getLogger(__name__)


def test(
    home: Path, hardware: Hardware, family: Family, device: str, codec: Codec
) -> Proof:
    """Encode the test clip; the proof says how that went and, if it did not, why."""
    at = to_text(SystemClock().now())
    proof = Proof(codec, family, device, passed=False, at=at)
    with _scratch(home) as folder:
        clock = _Time(folder, hardware.probe_seconds)
        try:
            return _tested(proof, folder, clock)
        except MatineeError as error:
            why = _why(error, hardware)
            logger.info("%s for %s on %s: %s", family, codec, device or "-", why)
            driver = trial.driver(family, device, clock.whole())
            return replace(proof, why=why, driver=driver)


@dataclass(frozen=True, slots=True)
class _Try:
    """One way to encode that was tried, and what came of it.

    ``without`` says what the processor must do beside it, and why.
    """

    device: Device | None
    outcome: Outcome
    without: tuple[str, ...] = ()


class _Time:
    """What is left of the time that a test may take."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self._folder, self._seconds = folder, seconds
        self._end = time.monotonic() + seconds

    def left(self) -> process.Run:
        """Say how to run a program that must end in time."""
        return self._within(self._end - time.monotonic())

    def whole(self) -> process.Run:
        """Say how to run a program of its own, with as much time again."""
        return self._within(self._seconds)

    def _within(self, seconds: float) -> process.Run:
        return process.Run(
            nice=ffmpeg.NICE,
            writes=self._folder,
            timeout=max(_LEAST_SECONDS, seconds),
        )


def _tested(proof: Proof, folder: Path, clock: _Time) -> Proof:
    codec, family, path = proof.codec, proof.family, proof.device
    if family is Family.SOFTWARE:
        if lacking := encoder_options.missing(codec, family):
            return replace(proof, why=lacking)
        outcome = trial.encode(codec, None, folder, clock.left())
        return _passed(proof, _Try(None, outcome), "")
    found = _any_mode(codec, Device(family, path), folder, clock)
    if isinstance(found, str):
        return replace(proof, why=found)
    found = _with_parts(codec, found, folder, clock)
    return _passed(proof, found, trial.driver(family, path, clock.whole()))


def _passed(proof: Proof, found: _Try, driver: str) -> Proof:
    device = found.device
    return replace(
        proof,
        passed=True,
        fps=round(found.outcome.fps, 1),
        ssim=round(found.outcome.ssim, 4),
        driver=driver,
        mode=device.mode if device else encoder_options.MODES[Family.SOFTWARE][0],
        parts=tuple(sorted(device.parts)) if device else (),
        without=found.without,
    )


def _any_mode(codec: Codec, device: Device, folder: Path, clock: _Time) -> _Try | str:
    """Encode with the best way to control rate that the driver knows.

    Return why none works otherwise. One that hangs is the last that is tried.
    """
    why = ""
    for mode in encoder_options.MODES[device.family]:
        if lacking := encoder_options.missing(codec, device.family, mode):
            why = why or lacking
            continue
        tried = replace(device, mode=mode)
        try:
            return _Try(tried, trial.encode(codec, tried, folder, clock.left()))
        except MatineeError as error:
            if error.code == "process.timeout":
                raise
            # Of a device that can't do anything, the first sentence says why.
            why = why or _complaint(error)
    return why


def _with_parts(codec: Codec, found: _Try, folder: Path, clock: _Time) -> _Try:
    """Let the device do whatever else of the work it does well."""
    assert found.device is not None
    family = found.device.family
    program = encoders.program(codec, family)
    for part in _PARTS:
        device = found.device
        assert device is not None
        if not graphics.way(part, family, program):
            lacking = graphics.wanted(part, family)
            found = _lacks(found, part, f"this ffmpeg lists no {lacking}")
            continue
        more = replace(device, parts=device.parts | {part})
        try:
            outcome = trial.encode(codec, more, folder, clock.left(), part)
        except MatineeError as error:
            found = _lacks(found, part, _complaint(error))
            if error.code == "process.timeout":
                return found
            continue
        kept = found.outcome if part is Part.TONEMAP else outcome
        found = _Try(more, kept, found.without)
    return found


def _lacks(found: _Try, part: Part, why: str) -> _Try:
    assert found.device is not None
    logger.info("%s does not %s: %s", found.device.path, part, why)
    return replace(found, without=(*found.without, f"{part}: {why}"[:_LONGEST]))


def _why(error: MatineeError, hardware: Hardware) -> str:
    if error.code == "process.timeout":
        return _SLOW.format(seconds=hardware.probe_seconds)
    return _complaint(error)


def _complaint(error: MatineeError) -> str:
    """Return what ffmpeg said first: what follows is only that it gives up."""
    for line in str(error.details.get("log_tail", "")).splitlines():
        found = _ERROR.match(line)
        if found:
            return found[1].strip()
    return error.message


@contextmanager
def _scratch(home: Path) -> Iterator[Path]:
    folder = proofs.folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="test-", dir=folder) as name:
        yield Path(name)
