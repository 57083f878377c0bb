"""What encoders cost and give: one clip, encoded by each of those that passed."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.settings import Settings
from jobs.encoders import proofs, proving, trial
from jobs.encoders.hardware import as_device
from jobs.encoders.proofs import Proof
from jobs.tools import ffmpeg, process
from jobs.tools.encoders import Codec, Family


@dataclass(frozen=True, slots=True)
class Measured:
    """``cpu`` is seconds of one core for each second of film, ``kbps`` what the larger
    of two renditions takes, ``ssim`` how much the worse looks like its source."""

    codec: Codec
    family: Family
    device: str
    fps: float
    cpu: float
    kbps: int
    ssim: float


def measure(settings: Settings, film: Path | None = None) -> Iterator[Measured]:
    """Yield what each encoder shows that passed its test.

    ``film`` gives its first seconds instead of the moving pattern.
    Errors: ``MatineeError`` when one of them fails now.
    """
    place = proofs.folder(settings.home)
    place.mkdir(parents=True, exist_ok=True)
    passed = [each for each in proving.known(settings).proofs if each.passed]
    with tempfile.TemporaryDirectory(prefix="bench-", dir=place) as name:
        folder = Path(name) / "made"
        folder.mkdir()
        how = process.Run(nice=ffmpeg.NICE, writes=folder)
        trial.clip(folder.parent, how, film=film)
        for proof in passed:
            yield _measured(proof, folder, how)


def _measured(proof: Proof, folder: Path, how: process.Run) -> Measured:
    hardware = proof.family is not Family.SOFTWARE
    device = as_device(proof) if hardware else None
    made = trial.encode(proof.codec, device, folder, how)
    return Measured(
        codec=proof.codec,
        family=proof.family,
        device=proof.device,
        fps=round(made.fps, 1),
        cpu=round(made.cpu / trial.SECONDS, 2),
        kbps=round(made.bytes * 8 / 1000 / trial.SECONDS),
        ssim=round(made.ssim, 4),
    )
