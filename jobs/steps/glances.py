"""Where a film may be black or stand still: its keyframes say where to look closer.

To decode all of a film only to find nothing costs more than all other checks together.
Whatever lasts longer than from one keyframe to the next but one shows in them.
"""

from collections.abc import Sequence
from itertools import pairwise

from jobs.steps.clear import Clear
from jobs.steps.stretches import Marks, Stretch

# More generous than the closer look: two keyframes of one picture differ a little.
_BLACK, _STILL = "d=0:pix_th=0.13", "d=0.1:n=-36dB"


def suspected(track: Clear, black: float, freeze: float) -> list[tuple[int, int]]:
    """Return the segments to be looked at, first and last, for what lasts so long.

    All of them, where what is looked for might lie between two keyframes.
    """
    starts = track.starts
    last = len(starts) - 2
    # Every segment begins with one.
    apart = max(b - a for a, b in pairwise(starts))
    if black <= apart or freeze <= 2 * apart:
        return [(0, last)]
    found = [
        (_at(starts, each.start - apart), _at(starts, each.end + apart))
        for each in sorted(_glanced(track), key=lambda each: each.start)
    ]
    return _joined(found)


def _glanced(track: Clear) -> list[Stretch]:
    """Return where keyframes are black, or one is like the next."""
    marks = [Marks(name, track.starts[-1]) for name in ("black", "freeze")]
    chain = (
        f"setpts=PTS-STARTPTS,blackdetect={_BLACK},freezedetect={_STILL}"
        ",metadata=print:file=pipe\\\\:1"
    )

    def take(line: str) -> bool:
        for mark in marks:
            mark.take(line)
        return True

    args = ["-vf", chain, "-an", "-f", "null", "-"]
    track.run(args, keyframes=True, on_line=take)
    return [each for mark in marks for each in mark.all()]


def _at(starts: Sequence[float], seconds: float) -> int:
    """Return which segment a moment lies in."""
    earlier = sum(1 for start in starts[:-1] if start <= seconds)
    return max(0, earlier - 1)


def _joined(found: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Put together what overlaps, or follows one another."""
    joined: list[tuple[int, int]] = []
    for first, last in found:
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined
