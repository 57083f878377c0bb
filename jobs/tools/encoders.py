"""The encoders: which program and which of its encoders makes what.

A family is whose circuits encode: the processor's (software), or those of a graphics
processor through VA-API, Intel's Quick Sync or Nvidia's NVENC.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType

from jobs.tools import capabilities
from jobs.tools.ffmpeg import FFMPEG, STATIC_FFMPEG
from jobs.tools.process import ProcessFailed

# Debian's comes first: it gets security updates and knows the drivers beside it.
PROGRAMS = (FFMPEG, STATIC_FFMPEG)


class Codec(StrEnum):
    """What renditions are encoded in."""

    H264 = "h264"
    HEVC = "hevc"
    AV1 = "av1"


class Family(StrEnum):
    """Whose circuits encode; the best first."""

    VAAPI = "vaapi"
    QSV = "qsv"
    NVENC = "nvenc"
    SOFTWARE = "software"


HARDWARE = (Family.VAAPI, Family.QSV, Family.NVENC)
SHOWN: Mapping[Codec | Family, str] = MappingProxyType(
    {
        Codec.H264: "H.264",
        Codec.HEVC: "HEVC",
        Codec.AV1: "AV1",
        Family.VAAPI: "VA-API",
        Family.QSV: "Quick Sync",
        Family.NVENC: "NVENC",
        Family.SOFTWARE: "the processor",
    }
)
# As the encoder of the processor counts (CRF), where nothing else was chosen: what
# looks about alike.
QUALITY: Mapping[Codec, int] = MappingProxyType(
    {Codec.H264: 21, Codec.HEVC: 24, Codec.AV1: 31}
)

_SOFTWARE: Mapping[Codec, str] = MappingProxyType(
    {Codec.H264: "libx264", Codec.HEVC: "libx265", Codec.AV1: "libsvtav1"}
)


def name(codec: Codec, family: Family) -> str:
    """Return what ffmpeg calls the encoder."""
    if family is Family.SOFTWARE:
        return _SOFTWARE[codec]
    return f"{codec}_{family}"


def program(codec: Codec, family: Family) -> str:
    """Return the ffmpeg that has the encoder; the usual one when none has."""
    return next(_having(codec, family), FFMPEG)


def best(families: Iterable[Family]) -> Family:
    """Return the family to prefer of some; software when there are none."""
    order = list(Family)
    return min(families, key=order.index, default=Family.SOFTWARE)


def _having(codec: Codec, family: Family) -> Iterator[str]:
    wanted = name(codec, family)
    programs = PROGRAMS
    if (codec, family) == (Codec.AV1, Family.SOFTWARE):
        programs = (STATIC_FFMPEG, FFMPEG)
    for each in programs:
        try:
            found = wanted in capabilities.build(each).encoders
        except ProcessFailed:
            continue
        if found:
            yield each
