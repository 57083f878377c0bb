"""The ladder: which renditions a picture of some size gets. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

H264, HEVC, AV1 = "h264", "hevc", "av1"

_OWN_SIZE_FROM = Fraction(11, 10)
_FAST_FROM = 31
# Up to this height a picture costs little, and the encoder takes its time over it: one
# preset slower saves a sixth of the bytes at the same quality. Whoever asks for less
# than `veryfast` has no time at all.
_PATIENT_UP_TO = 360
_PRESETS = ("veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
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
class LadderPolicy:
    """How a film is encoded: the settings, and what its library says otherwise.

    ``crf`` is the quality of H.264; that of the other codecs follows from it, see
    :func:`quality`. ``keep_source`` is keep, verified, or a number of days.
    """

    codecs: tuple[str, ...] = (H264,)
    max_height: int = 2160
    per_title: bool = True
    quick_first: bool = False
    keep_source: str = "keep"
    preset: str = "veryfast"
    crf: int = 21
    keyframe_seconds: int = 2
    segment_seconds: int = 4
    normalise: bool = False
    loudness: int = -23
    surround: bool = True


@dataclass(frozen=True, slots=True)
class Rendition:
    """One quality: its name, its size in square pixels, its cap, its codec.

    ``quality`` is the constant quality aimed at below the cap, on the codec's scale;
    ``preset`` that of the encoder, where it is not the one of the whole ladder.
    """

    name: str
    width: int
    height: int
    kbps: int
    codec: str = H264
    quality: int = 21
    preset: str = ""


@dataclass(frozen=True, slots=True)
class _Scale:
    """How a codec compares with H.264: the cap's share, and by how much CRFs differ."""

    suffix: str
    share: Fraction
    crf: int
    most: int


_SCALES: Mapping[str, _Scale] = {
    H264: _Scale("", Fraction(1), 0, 51),
    HEVC: _Scale("-hevc", Fraction(7, 10), 3, 51),
    AV1: _Scale("-av1", Fraction(6, 10), 12, 63),
}


PLAIN = LadderPolicy()


def ladder(
    width: int, height: int, rate: Fraction, policy: LadderPolicy = PLAIN
) -> list[Rendition]:
    """Return the renditions of a picture: codec by codec, the smallest first.

    ``width`` × ``height`` is the picture as it is to be seen: turned upright, with
    square pixels. Nothing is enlarged. A picture clearly larger than the highest rung
    it fills gets a rendition of its own size as well; one below the lowest rung gets
    only that.
    """
    share = _FAST_SHARE if rate >= _FAST_FROM else Fraction(1)
    sizes = list(_distinct(_sizes(width, height, policy.max_height)))
    return [
        replace(
            each,
            name=f"{each.name}{_SCALES[codec].suffix}",
            kbps=round(each.kbps * share * _SCALES[codec].share),
            codec=codec,
            quality=quality(codec, policy.crf),
            preset=_preset(each, codec, policy),
        )
        for codec in policy.codecs
        for each in sizes
    ]


def chosen(
    renditions: Sequence[Rendition], analysis: Mapping[str, Any] | None
) -> list[Rendition]:
    """Return the renditions that analysing the film left, with the quality it chose.

    Without an analysis, or where it says nothing of a rendition, all stays as it was.
    """
    said = {each["name"]: each for each in (analysis or {}).get("renditions", ())}
    return [
        replace(each, quality=said[each.name]["quality"]) if each.name in said else each
        for each in renditions
        if said.get(each.name, {}).get("kept", True)
    ]


def quality(codec: str, crf: int) -> int:
    """Return the quality of a codec that looks as H.264 does with ``crf``."""
    scale = _SCALES[codec]
    return min(scale.most, crf + scale.crf)


def _preset(rendition: Rendition, codec: str, policy: LadderPolicy) -> str:
    patient = policy.per_title and codec == H264 and policy.preset in _PRESETS
    if not patient or min(rendition.width, rendition.height) > _PATIENT_UP_TO:
        return ""
    slower = _PRESETS.index(policy.preset) + 1
    return _PRESETS[min(slower, len(_PRESETS) - 1)]


def _sizes(width: int, height: int, most: int) -> list[Rendition]:
    found = [
        Rendition(f"{rung.height}p", *_fitted(width, height, rung), rung.kbps)
        for rung in RUNGS
        if _scale(width, height, rung) <= 1 and rung.height <= most
    ]
    if not found or (_stands_out(width, height) and min(width, height) <= most):
        found.append(_own_size(width, height))
    return found


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
