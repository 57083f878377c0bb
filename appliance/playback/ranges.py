"""What has really been played: pieces of a film, merged."""

from collections.abc import Iterable

Range = tuple[float, float]

_GAP = 0.5
"""Pieces that are this close, in seconds, are one."""


def merged(ranges: Iterable[Range]) -> list[Range]:
    """Return the pieces in order, those that touch or overlap joined."""
    joined: list[Range] = []
    for begin, end in sorted(each for each in ranges if each[1] > each[0]):
        if joined and begin <= joined[-1][1] + _GAP:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined
