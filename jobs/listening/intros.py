"""Intros, recaps and credits of a season, by what its episodes share. Pure.

An intro is sound near the beginning that other episodes have near theirs; credits are
the same at the end. A recap is what stands before the intro and is put together from
pieces of earlier episodes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from appliance.media.markers import MarkerKind, Stretch
from jobs.listening import matching
from jobs.listening.matching import ITEM_SECONDS, Fingerprint, Run

KINDS = (MarkerKind.INTRO, MarkerKind.RECAP, MarkerKind.CREDITS)

_NEIGHBOURS = 4
_INTRO_WITHIN, _INTRO_SHARE = 600.0, 0.35
_INTRO_LEAST, _INTRO_MOST = 12.0, 150.0
_CREDITS_WITHIN, _CREDITS_SHARE = 600.0, 0.35
_CREDITS_LEAST = 12.0
# Credits that stop this shortly before the end go to the end.
_LAST_SECONDS = 15.0
_RECAP_WITHIN, _RECAP_LEAST, _RECAP_PIECE = 240.0, 8.0, 2.5
_RECAP_SHARE = 0.35
_AGREE_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Heard:
    """An episode: its fingerprint and how long it is, in seconds."""

    fingerprint: Fingerprint
    seconds: float


def detect(episodes: Sequence[Heard]) -> list[list[Stretch]]:
    """Return what was found in each episode; they come in their order.

    ``confidence`` is the share of the episodes compared that have it too.
    """
    return [list(_of_one(episodes, number)) for number in range(len(episodes))]


def _of_one(episodes: Sequence[Heard], number: int) -> Iterator[Stretch]:
    one = episodes[number]
    others = [episodes[n] for n in _nearest(number, len(episodes))]
    intro = _agreed(MarkerKind.INTRO, [_intro(one, each) for each in others])
    if intro is not None:
        yield intro
    earlier = [episodes[n] for n in range(max(0, number - _NEIGHBOURS), number)]
    recap = _recap(one, earlier, intro)
    if recap is not None:
        yield recap
    credits = _agreed(MarkerKind.CREDITS, [_credits(one, each) for each in others])
    if credits is not None:
        near = one.seconds - credits.ends_at < _LAST_SECONDS
        end = one.seconds if near else credits.ends_at
        yield Stretch(credits.kind, credits.starts_at, end, "", credits.confidence)


def _nearest(number: int, count: int) -> list[int]:
    others = [n for n in range(count) if n != number]
    return sorted(others, key=lambda n: (abs(n - number), n))[:_NEIGHBOURS]


def _intro(one: Heard, other: Heard) -> Run | None:
    return _longest(
        matching.runs(_head(one), _head(other), least_seconds=_INTRO_LEAST),
        _INTRO_MOST,
    )


def _head(one: Heard) -> Fingerprint:
    within = min(_INTRO_WITHIN, one.seconds * _INTRO_SHARE + _INTRO_MOST)
    return one.fingerprint[: round(within / ITEM_SECONDS)]


def _credits(one: Heard, other: Heard) -> Run | None:
    skipped, mine = _tail(one)
    _, theirs = _tail(other)
    found = _longest(matching.runs(mine, theirs, least_seconds=_CREDITS_LEAST))
    if found is None:
        return None
    return Run(found.start + skipped, found.end + skipped, found.shift, found.alike)


def _tail(one: Heard) -> tuple[int, Fingerprint]:
    within = min(_CREDITS_WITHIN, one.seconds * _CREDITS_SHARE)
    skipped = max(0, len(one.fingerprint) - round(within / ITEM_SECONDS))
    return skipped, one.fingerprint[skipped:]


def _longest(found: list[Run], most: float | None = None) -> Run | None:
    fitting = [run for run in found if most is None or run.seconds <= most]
    return fitting[0] if fitting else None


def _agreed(kind: MarkerKind, found: Sequence[Run | None]) -> Stretch | None:
    """Return what most of the others agree on; None when they do not."""
    runs = [run for run in found if run is not None]
    if not runs:
        return None
    middle = median(run.starts_at for run in runs)
    close = [run for run in runs if abs(run.starts_at - middle) <= _AGREE_SECONDS]
    share = len(close) / len(found)
    if share < 0.5:
        return None
    starts = max(0.0, median(run.starts_at for run in close))
    ends = median(run.ends_at for run in close)
    return Stretch(kind, starts, ends, "", round(share, 2))


def _recap(
    one: Heard, earlier: Sequence[Heard], intro: Stretch | None
) -> Stretch | None:
    until = intro.starts_at if intro else _RECAP_WITHIN
    head = one.fingerprint[: round(min(until, _RECAP_WITHIN) / ITEM_SECONDS)]
    pieces = [
        run
        for other in earlier
        for run in matching.runs(
            head,
            other.fingerprint,
            least_seconds=_RECAP_PIECE,
            least_alike=0.8,
            shifts=40,
        )
    ]
    if not pieces:
        return None
    start = min(run.start for run in pieces)
    end = max(run.end for run in pieces)
    heard = {item for run in pieces for item in range(run.start, run.end)}
    share = len(heard) / (end - start)
    if (end - start) * ITEM_SECONDS < _RECAP_LEAST or share < _RECAP_SHARE:
        return None
    starts = max(0.0, start * ITEM_SECONDS - 1)
    return Stretch(
        MarkerKind.RECAP, starts, end * ITEM_SECONDS + 1, "", round(share, 2)
    )
