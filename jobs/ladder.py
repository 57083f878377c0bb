"""The ladder: which renditions a picture of some size gets. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

_OWN_SIZE_FROM = Fraction(11, 10)
_FAST_FROM = 31
_FAST_SHARE = Fraction(14, 10)


@dataclass(frozen=True, slots=True)
class Rung:
    """A box of 16:9 and the most kilobits per second a picture in it may take."""

    height: int
    kbps: int

    @property
    def box(self) -> tuple[int, int]:
        """The long and the short side."""
        return _even(Fraction(self.height * 16, 9)), self.height


RUNGS = (
    Rung(234, 200),
    Rung(360, 600),
    Rung(480, 1100),
    Rung(720, 2600),
    Rung(1080, 5000),
    Rung(1440, 9000),
    Rung(2160, 16000),
)


@dataclass(frozen=True, slots=True)
class Rendition:
    """One quality: its name, its size in square pixels, its cap."""

    name: str
    width: int
    height: int
    kbps: int


def ladder(width: int, height: int, rate: Fraction) -> list[Rendition]:
    """Return the renditions of a picture, the smallest first.

    ``width`` × ``height`` is the picture as it is to be seen: turned upright, with
    square pixels. Nothing is enlarged. A picture clearly larger than the highest rung
    it fills gets a rendition of its own size as well; one below the lowest rung gets
    only that.
    """
    found = [
        Rendition(f"{rung.height}p", *_fitted(width, height, rung), rung.kbps)
        for rung in RUNGS
        if _scale(width, height, rung) <= 1
    ]
    if not found or _stands_out(width, height):
        found.append(_own_size(width, height))
    share = _FAST_SHARE if rate >= _FAST_FROM else Fraction(1)
    return [
        Rendition(each.name, each.width, each.height, round(each.kbps * share))
        for each in _distinct(found)
    ]


def _scale(width: int, height: int, rung: Rung) -> Fraction:
    """Return by how much a picture grows when it is fitted into the box of a rung."""
    long, short = rung.box
    return min(Fraction(long, max(width, height)), Fraction(short, min(width, height)))


def _fitted(width: int, height: int, rung: Rung) -> tuple[int, int]:
    scale = _scale(width, height, rung)
    return _even(width * scale), _even(height * scale)


def _even(length: Fraction) -> int:
    """Return the nearest even number; H.264 counts colour in pairs of pixels."""
    return max(2, round(length / 2) * 2)


def _stands_out(width: int, height: int) -> bool:
    filled = [rung for rung in RUNGS if _scale(width, height, rung) <= 1]
    if filled[-1] is RUNGS[-1]:
        return False
    return 1 / _scale(width, height, filled[-1]) >= _OWN_SIZE_FROM


def _own_size(width: int, height: int) -> Rendition:
    width, height = max(2, width // 2 * 2), max(2, height // 2 * 2)
    return Rendition(f"{min(width, height)}p", width, height, _cap(width, height))


def _cap(width: int, height: int) -> int:
    """Return the cap of a size between rungs: in proportion to the next one's area."""
    for rung in RUNGS:
        scale = _scale(width, height, rung)
        if scale > 1:
            return max(100, round(rung.kbps / scale**2))
    return RUNGS[-1].kbps


def _distinct(renditions: list[Rendition]) -> Iterator[Rendition]:
    seen: set[tuple[int, int]] = set()
    for each in renditions:
        if (each.width, each.height) not in seen:
            seen.add((each.width, each.height))
            yield each
