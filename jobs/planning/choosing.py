"""What follows from encoding samples: the quality of every rendition, and which stay.

Pure. What was measured (see DECISIONS.md) makes one trial of each rendition enough.
What VMAF misses of 100 grows by the same factor with every step of CRF, whatever the
film; and at its own size a small rendition misses as much as the largest does. So one
measurement tells the CRF of all for any score. Six points of VMAF are what everybody
sees and two what hardly anybody does. Other codecs look like H.264 some steps of their
own scale away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

from jobs.planning.content import SCREEN
from jobs.planning.ladder import H264, LadderPolicy, Rendition, quality

# How much more VMAF misses, and how much less a film takes up, a step of CRF.
_LOSS_STEP, _RATE_STEP = 1.118, 0.905
# What it misses of an average film at an average CRF: what encode.crf stands for.
_LOSS, _AT = 7.0, 21
# Of two renditions that take up the same, the larger, coarser one looks better: those
# who get a smaller one are better served by reaching the next one sooner.
_SMALLER = 1.25
# Letters suffer first; a screen that hardly changes takes up little anyway.
_SCREEN = 0.7
_FINER, _COARSER = 4, 6
_LEAST_LOSS = 0.5
# What the smaller ones get anyway.
_EASY = 2
# What scaling may take away unseen.
_ENOUGH_VMAF, _ENOUGH_SSIM = 98.0, 0.997


@dataclass(frozen=True, slots=True)
class Tried:
    """One rendition of H.264 as its samples came out, at the rate ``kbps``.

    By VMAF or SSIM, where it was measured: ``seen`` is how it looks, ``scaled`` how
    the film itself looks when it is only scaled to that size and back.
    """

    rendition: Rendition
    kbps: float
    seen: float | None = None
    scaled: float | None = None


def choose(
    renditions: Sequence[Rendition],
    tried: Sequence[Tried],
    policy: LadderPolicy,
    *,
    kind: str,
    measure: str,
    seconds: float,
) -> dict[str, Any]:
    """Return the analysis of a film of ``seconds``, as assets keep it."""
    largest = _largest(tried, measure)
    steps = {
        each.rendition.name: _step(
            tried[-1], policy.crf, kind, measure, top=each is largest
        )
        for each in tried
    }
    entries = [
        _entry(each, _alike(each, tried), steps, largest, measure, kind)
        for each in renditions
    ]
    return {
        "kind": kind,
        "measure": measure,
        "renditions": entries,
        "saved": saved(renditions, entries, seconds),
    }


def enough(scaled: float, measure: str) -> bool:
    """Say whether a film that was only scaled shows all that there is to see."""
    return scaled >= (_ENOUGH_VMAF if measure == "vmaf" else _ENOUGH_SSIM)


def saved(
    renditions: Sequence[Rendition],
    entries: Sequence[Mapping[str, Any]],
    seconds: float,
) -> dict[str, int]:
    """Return what is saved against a ladder that fills its rates: a forecast."""
    nominal = sum(each.kbps for each in renditions)
    left = sum(each["kbps"] for each in entries if each["kept"])
    return {
        "percent": round(100 * (nominal - left) / nominal),
        "bytes": round((nominal - left) * 125 * seconds),
    }


def _largest(tried: Sequence[Tried], measure: str) -> Tried:
    """Return the largest that is worth making: what is above it shows nothing more."""
    return next((t for t in tried if enough(t.scaled or 0, measure)), tried[-1])


def _step(tried: Tried, crf: int, kind: str, measure: str, *, top: bool) -> int:
    """Return by how much the CRF is to differ from the one that was tried."""
    wanted = _LOSS * _LOSS_STEP ** (crf - _AT)
    if not top:
        wanted *= _SMALLER
    if kind == SCREEN:
        wanted *= _SCREEN
    if measure != "vmaf" or tried.seen is None:
        # What SSIM misses depends on the size of the picture: it tells no CRF.
        return round(log(_SCREEN, _LOSS_STEP)) if kind == SCREEN else 0
    step = round(log(wanted / _loss(tried.seen), _LOSS_STEP))
    return max(-_FINER, min(_COARSER, step))


def _entry(
    rendition: Rendition,
    tried: Tried | None,
    steps: Mapping[str, int],
    largest: Tried,
    measure: str,
    kind: str,
) -> dict[str, Any]:
    like = tried or largest
    step = steps[like.rendition.name]
    crf = max(0, like.rendition.quality + step)
    rate = like.kbps * _RATE_STEP**step * rendition.kbps / like.rendition.kbps
    needless = rendition.height > largest.rendition.height and tried is not None
    return {
        "name": rendition.name,
        "codec": rendition.codec,
        "quality": quality(rendition.codec, crf),
        "kept": not needless,
        "score": _score(tried, rendition, step, measure),
        "kbps": min(rendition.kbps, round(rate)),
        "cap": rendition.kbps,
        "why": _why(rendition, tried, largest if needless else None, step, kind),
    }


def _why(
    rendition: Rendition,
    tried: Tried | None,
    instead: Tried | None,
    step: int,
    kind: str,
) -> str:
    if instead is not None:
        return f"The film shows nothing that {instead.rendition.name} does not show."
    if tried is None:
        return "Larger than what samples are compared at: as the next smaller one."
    if rendition.codec != H264:
        return f"As {tried.rendition.name}."
    if kind == SCREEN:
        return "A recording of a screen: finer than films, so that letters stay sharp."
    if step < 0:
        return "Harder to encode than most: a finer quality keeps it as good."
    if step > _EASY:
        return "Easier to encode than most: a coarser quality looks as good."
    return "Like most films."


def _score(
    tried: Tried | None, rendition: Rendition, step: int, measure: str
) -> float | None:
    if tried is None or tried.seen is None or rendition.codec != H264:
        return None
    found = _after(tried.seen, step, measure)
    return round(found, 1 if measure == "vmaf" else 4)


def _alike(rendition: Rendition, tried: Sequence[Tried]) -> Tried | None:
    """Return the trial of the same size, whatever its codec."""
    size = (rendition.width, rendition.height)
    return next(
        (t for t in tried if (t.rendition.width, t.rendition.height) == size), None
    )


def _after(score: float, step: int, measure: str) -> float:
    """Return the score after so many steps of CRF."""
    if measure != "vmaf":
        return score
    return max(0.0, 100 - _loss(score) * _LOSS_STEP**step)


def _loss(vmaf: float) -> float:
    return max(_LEAST_LOSS, 100 - vmaf)
