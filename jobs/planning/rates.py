"""The constant frame rate that a picture gets, from the times of its packets. Pure.

Headers lie about rates, so they only decide between neighbours that the packets can't
tell apart.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import ceil
from statistics import median

MOST = Fraction(60)
LEAST = Fraction(10)
UNKNOWN = Fraction(25)

_USUAL = tuple(
    sorted(
        [Fraction(n * 1000, 1001) for n in (24, 30, 60)]
        + [Fraction(n) for n in (10, 15, 24, 25, 30, 50, 60)]
    )
)
_EXACT = (*_USUAL, Fraction(48000, 1001), *(Fraction(n) for n in range(10, 61)))
_SAME = Fraction(1, 2000)
_NEAR = Fraction(1, 500)
_ROUGHLY = Fraction(1, 50)
_REGULAR_SHARE = 0.98


def constant_rate(
    times: Sequence[int], time_base: Fraction, claimed: Fraction | None
) -> tuple[Fraction, bool]:
    """Return the rate, and whether the source varies its own.

    ``times`` are presentation times in ticks in any order; ``claimed`` is what the
    header says. Constant sources keep their rate, snapped to the exact fraction it
    stands for. Varying ones get the standard rate at which they usually run. More than
    60 a second is divided, less than 10 multiplied.
    """
    ordered = sorted(set(times))
    gaps = [later - sooner for sooner, later in pairwise(ordered)]
    if not gaps:
        return UNKNOWN, False
    regular = _regular(gaps)
    variable = len(regular) < _REGULAR_SHARE * len(gaps)
    measured = Fraction(len(regular)) / (sum(regular) * time_base)
    factor = _into_limits(measured)
    claimed = claimed * factor if claimed else None
    if variable:
        return _usual(measured * factor), True
    return _exact(measured * factor, claimed), False


def _regular(gaps: list[int]) -> list[int]:
    """Return the gaps that are alike, allowing for time stamps that were rounded."""
    middle = median(gaps)
    allowed = max(1.5, middle * 0.06)
    return [gap for gap in gaps if abs(gap - middle) <= allowed]


def _exact(measured: Fraction, claimed: Fraction | None) -> Fraction:
    if claimed in _EXACT and _off(claimed, measured) < _SAME:
        return claimed
    best = min(_EXACT, key=lambda rate: _off(rate, measured))
    if _off(best, measured) < _NEAR:
        return best
    return min(MOST, measured.limit_denominator(1001))


def _usual(measured: Fraction) -> Fraction:
    best = min(_USUAL, key=lambda rate: _off(rate, measured))
    if _off(best, measured) < _ROUGHLY:
        return best
    # Rather a picture twice than one lost.
    return next((rate for rate in _USUAL if rate >= measured), MOST)


def _off(rate: Fraction, measured: Fraction) -> Fraction:
    return abs(rate / measured - 1)


def _into_limits(rate: Fraction) -> Fraction:
    """Return what to multiply a rate by, so that it is neither too fast nor slow."""
    if rate > MOST * (1 + _NEAR):
        return Fraction(1, ceil(rate / MOST * (1 - _NEAR)))
    if rate < LEAST * (1 - _NEAR):
        return Fraction(ceil(LEAST / rate * (1 - _NEAR)))
    return Fraction(1)
