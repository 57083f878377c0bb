"""The encoders of this machine as somebody wants to see them: what each may do, or why
not."""

from dataclasses import dataclass
from enum import StrEnum

from appliance.settings import Settings
from jobs.encoders import proving
from jobs.encoders.proofs import Proof, Proofs
from jobs.tools.encoders import Codec, Family


class EncoderState(StrEnum):
    """What becomes of an encoder."""

    USED = "used"
    READY = "ready"
    DEGRADED = "degraded"
    FAILED = "failed"
    UNTESTED = "untested"


@dataclass(frozen=True, slots=True)
class Listed:
    """One encoder. ``ready`` ones passed, but another family is preferred.

    ``parts`` are what else the device does; ``without`` is what the processor does for
    it, each with why.
    """

    codec: Codec
    family: Family
    device: str
    state: EncoderState
    fps: float
    ssim: float
    control: str
    parts: tuple[str, ...]
    without: tuple[str, ...]
    driver: str
    why: str
    tested_at: str
    again_at: str


def listing(settings: Settings) -> list[Listed]:
    """Return every encoder that was tested; those that are used come first."""
    found = proving.known(settings)
    usable = proving.usable(settings)
    used = {(each.family, each.device, each.codec) for each in usable}
    tested = [_listed(each, found, used) for each in found.proofs]
    known = {(each.family, each.device, each.codec) for each in tested}
    untested = [
        _untested(each)
        for each in usable
        if (each.family, each.device, each.codec) not in known
    ]
    order = list(EncoderState), list(Codec), list(Family)
    return sorted(
        [*tested, *untested],
        key=lambda each: (
            order[1].index(each.codec),
            order[0].index(each.state),
            order[2].index(each.family),
            each.device,
        ),
    )


def _listed(
    proof: Proof, found: Proofs, used: set[tuple[Family, str, Codec]]
) -> Listed:
    broken = found.broken(proof.codec, proof.device)
    if broken is not None:
        state = EncoderState.DEGRADED
    elif not proof.passed:
        state = EncoderState.FAILED
    else:
        state = EncoderState.USED if proof.place in used else EncoderState.READY
    return Listed(
        codec=proof.codec,
        family=proof.family,
        device=proof.device,
        state=state,
        fps=proof.fps,
        ssim=proof.ssim,
        control=proof.mode,
        parts=proof.parts,
        without=proof.without,
        driver=proof.driver,
        why=broken.why if broken is not None else proof.why,
        tested_at=proof.at,
        again_at=broken.until if broken is not None else "",
    )


def _untested(each: proving.Usable) -> Listed:
    return Listed(
        codec=each.codec,
        family=each.family,
        device=each.device,
        state=EncoderState.UNTESTED,
        fps=0,
        ssim=0,
        control="",
        parts=(),
        without=(),
        driver="",
        why="",
        tested_at="",
        again_at="",
    )
