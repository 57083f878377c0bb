"""The chart of a quality report: how much each rendition looks like the source."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

_NAMES: Mapping[str, str] = {"vmaf": "VMAF", "ssim": "SSIM"}
_STEP: Mapping[str, float] = {"vmaf": 10, "ssim": 0.05}
_TOP: Mapping[str, float] = {"vmaf": 100, "ssim": 1}


@dataclass(frozen=True, slots=True)
class Line:
    """The scores of a rendition; points lie in a square of 1 × 1, 0 being the foot."""

    name: str
    mean: float
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """``marks`` are what stands at the side, with their heights; ``seconds`` below."""

    measure: str
    seconds: float
    marks: tuple[tuple[str, float], ...]
    lines: tuple[Line, ...]


def chart(report: Mapping[str, Any]) -> Chart | None:
    """Return the chart of a report; None without two places to draw between."""
    scores = report.get("scores") or {}
    places = scores.get("places") or []
    if len(places) < 2:
        return None
    kind: str = scores["measure"]
    seconds = float(report["duration"]) or 1.0
    top, step = _TOP[kind], _STEP[kind]
    least = min(float(score) for place in places for score in place["scores"])
    foot = max(0.0, min(top - 4 * step, floor(least / step) * step))

    def height(value: float) -> float:
        return max(0.0, min(1.0, (value - foot) / (top - foot)))

    count = ceil(round((top - foot) / step, 6))
    every = max(1, ceil(count / 5))
    marks = [foot + n * step for n in range(0, count + 1, every)]
    lines = []
    for number, name in enumerate(scores["tracks"]):
        found = [(place["at"], place["scores"][number]) for place in places]
        lines.append(
            Line(
                name,
                sum(score for _, score in found) / len(found),
                tuple((at / seconds, height(score)) for at, score in found),
            )
        )
    shown = "{:.0f}" if kind == "vmaf" else "{:.2f}"
    return Chart(
        _NAMES[kind],
        seconds,
        tuple((shown.format(each), height(each)) for each in marks),
        tuple(sorted(lines, key=lambda each: -each.mean)),
    )
