"""Is it a film or a recording of a screen? Told from a few frames, without decoding.

Three things together are what no camera and no drawing shows: most lines of the
picture do not change at all, most neighbours are of one colour, and where they are
not, the edge is hard.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

FILM, SCREEN = "film", "screen"

# Every so many lines are looked at; text is higher than that.
_LINES = 4
_HARD = 40
_STILL_FROM, _FLAT_FROM, _HARD_FROM = 0.6, 0.75, 0.15


@dataclass(frozen=True, slots=True)
class Look:
    """Shares from 0 to 1: lines that stay, neighbours alike, edges that are hard."""

    still: float
    flat: float
    hard: float

    @property
    def screen(self) -> bool:
        return (
            self.still >= _STILL_FROM
            and self.flat >= _FLAT_FROM
            and self.hard >= _HARD_FROM
        )


def kind(looks: Sequence[Look]) -> str:
    """Return what most of the places show."""
    screens = sum(look.screen for look in looks)
    return SCREEN if 2 * screens > len(looks) else FILM


def looks(grey: Path, width: int, height: int, count: int) -> list[Look]:
    """Look at ``count`` runs of frames of one plane, as they lie in a file."""
    data = grey.read_bytes()
    size = width * height
    frames = [data[at : at + size] for at in range(0, len(data) - size + 1, size)]
    each = max(1, len(frames) // count)
    runs = [frames[at : at + each] for at in range(0, len(frames), each)]
    return [_look(run, width) for run in runs[:count]]


def _look(frames: Sequence[bytes], width: int) -> Look:
    lines = range(0, len(frames[0]), width * _LINES)
    stays = [
        before[at : at + width] == after[at : at + width]
        for before, after in pairwise(frames)
        for at in lines
    ]
    middle = frames[len(frames) // 2]
    steps: Counter[int] = Counter()
    for at in lines:
        steps.update(abs(a - b) for a, b in pairwise(middle[at : at + width]))
    flat, hard = steps[0] + steps[1], sum(steps[n] for n in steps if n > _HARD)
    return Look(
        still=_share(sum(stays), len(stays)),
        flat=_share(flat, steps.total()),
        hard=_share(hard, steps.total() - flat),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
