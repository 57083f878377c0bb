"""What every encoder is told. Pure; what of it an ffmpeg knows is checked against it.

Quality decides, the cap only limits what a player must be able to take in. What is
merely good to have is left out where an ffmpeg does not list it; without the rest an
encoder can't be used.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from jobs.tools import capabilities, encoders
from jobs.tools.capabilities import Options
from jobs.tools.encoders import Codec, Family

Values = dict[str, Any]

# How rate is controlled, the best first: a driver may not know the first ones.
MODES: Mapping[Family, tuple[str, ...]] = MappingProxyType(
    {
        Family.SOFTWARE: ("crf",),
        Family.VAAPI: tuple(
            f"{mode}{power}"
            for power in ("", "-lowpower")
            for mode in ("qvbr", "icq", "vbr", "cqp")
        ),
        Family.QSV: ("qvbr", "icq", "vbr"),
        Family.NVENC: ("cq", "constqp"),
    }
)
# From 10 on SVT-AV1 warns of artefacts: those presets are for machines to look at. This
# one takes a fifth more of a processor, and gives about a VMAF point.
SVT_PRESET = 9

# AV1 counts its quantizer to 255, where its software encoder's quality counts to 63.
_AV1_STEPS = 255 / 63
_PROFILES = {Codec.H264: "high", Codec.HEVC: "main", Codec.AV1: "main"}
_MP4_NAMES = {Codec.H264: "avc1", Codec.HEVC: "hvc1", Codec.AV1: "av01"}


@dataclass(frozen=True, slots=True)
class Told:
    """What an encoder is told: what it must know, and what is good to have."""

    must: Values
    may: Values = field(default_factory=dict)


def told(
    codec: Codec,
    family: Family,
    rendition: Mapping[str, Any],
    *,
    gop: int,
    preset: str = "veryfast",
    mode: str = "",
) -> Told:
    """Return how to encode a rendition; ``gop`` is the longest run without a keyframe.

    ``mode`` is one of :data:`MODES`, the best when empty. Where keyframes stand is
    told to ffmpeg, see :mod:`jobs.steps.pictures`.
    """
    mode = mode or MODES[family][0]
    build = _BUILDERS[family]
    made = build(codec, rendition, mode, preset)
    must = {"c:v": encoders.name(codec, family), **made.must, "g": gop}
    return Told(must | {"tag:v": _MP4_NAMES[codec]}, made.may)


def options(
    codec: Codec,
    family: Family,
    rendition: Mapping[str, Any],
    *,
    gop: int,
    preset: str = "veryfast",
    mode: str = "",
) -> Values:
    """Return the options for the installed ffmpeg: what it does not list is left out.

    See :func:`told`; whether the rest is listed says :func:`missing`.
    """
    wanted = told(codec, family, rendition, gop=gop, preset=preset, mode=mode)
    known = _known(codec, family)
    may = {name: value for name, value in wanted.may.items() if _lists(known, name)}
    return wanted.must | may


def missing(codec: Codec, family: Family, mode: str = "") -> str:
    """Say what the installed ffmpeg lacks for an encoder, or nothing."""
    program, name = encoders.program(codec, family), encoders.name(codec, family)
    if name not in capabilities.build(program).encoders:
        return f"no ffmpeg here has the encoder {name}"
    known = _known(codec, family)
    any_size = {"width": 640, "height": 360, "kbps": 600}
    wanted = told(codec, family, any_size, gop=50, mode=mode)
    for option, value in wanted.must.items():
        if not _lists(known, option):
            return f"the encoder {name} does not list the option {option}"
        words = known[_bare(option)]
        if words and isinstance(value, str) and value not in words:
            return f"the encoder {name} does not list {option} {value}"
    return ""


def _known(codec: Codec, family: Family) -> Options:
    """Return the options of an encoder; its own come before those of all."""
    program = encoders.program(codec, family)
    own = capabilities.encoder(program, encoders.name(codec, family))
    return {**capabilities.shared(program), **own}


def _lists(known: Options, option: str) -> bool:
    return _bare(option) in known


def _bare(option: str) -> str:
    """Return an option without the stream that it is for: ``b:v`` is ``b``."""
    return option.partition(":")[0]


def _quality(codec: Codec, rendition: Mapping[str, Any]) -> int:
    return int(rendition.get("quality", encoders.QUALITY[codec]))


def _capped(rendition: Mapping[str, Any]) -> Values:
    kbps = rendition["kbps"]
    return {"maxrate": f"{kbps}k", "bufsize": f"{2 * kbps}k"}


def _target(rendition: Mapping[str, Any]) -> Values:
    """Return a rate to aim at, below the cap, where quality can't be asked for."""
    return {"b:v": f"{round(rendition['kbps'] * 0.7)}k", **_capped(rendition)}


def _software(
    codec: Codec, rendition: Mapping[str, Any], _mode: str, preset: str
) -> Told:
    quality = {"crf": _quality(codec, rendition), **_capped(rendition)}
    # One thread: with more, an encoder decides by who comes first how it keeps to the
    # cap, and no chunk comes out the same twice. It is cheaper, too; the cores are
    # kept busy by chunks side by side. No keyframe stands where none was asked for.
    if codec is Codec.AV1:
        one = "lp=1:scd=0:irefresh-type=2"
        return Told({"preset": SVT_PRESET, **quality, "svtav1-params": one})
    if codec is Codec.HEVC:
        one = "pools=none:frame-threads=1:wpp=0"
        alone = f"{one}:open-gop=0:scenecut=0:info=0:log-level=warning"
        return Told(
            {"preset": preset, **quality, "x265-params": alone, "forced-idr": 1}
        )
    return Told(
        {
            "profile:v": _PROFILES[codec],
            "preset": preset,
            **quality,
            "threads": 1,
            "forced-idr": 1,
            "sc_threshold": 0,
        }
    )


def _vaapi(codec: Codec, rendition: Mapping[str, Any], mode: str, _preset: str) -> Told:
    kind, _, power = mode.partition("-")
    quality = _hardware_quality(codec, rendition)
    control: dict[str, Values] = {
        "qvbr": {"global_quality": quality, **_target(rendition)},
        # Nothing caps it: manifests tell the peak that was measured.
        "icq": {"global_quality": quality},
        "vbr": _target(rendition),
        "cqp": {"global_quality": quality},
    }
    must = {"rc_mode": kind.upper(), **control[kind], "profile:v": _PROFILES[codec]}
    # The circuits of newer Intel processors, which encode without their shaders.
    if power:
        must["low_power"] = 1
    # Forced keyframes are IDR; nothing before one is referred to after it.
    return Told(must, {"idr_interval": 0})


def _qsv(codec: Codec, rendition: Mapping[str, Any], mode: str, _preset: str) -> Told:
    quality = min(51, max(1, _quality(codec, rendition)))
    control: dict[str, Values] = {
        # A quality and a cap together are what it calls QVBR.
        "qvbr": {"global_quality": quality, **_target(rendition)},
        "icq": {"global_quality": quality},
        "vbr": _target(rendition),
    }
    must = {
        "preset": "medium" if codec is not Codec.AV1 else 4,
        **control[mode],
        "profile:v": _PROFILES[codec],
        "forced_idr": 1,
    }
    return Told(must, {"look_ahead": 0, "adaptive_i": 0, "idr_interval": 0})


def _nvenc(codec: Codec, rendition: Mapping[str, Any], mode: str, _preset: str) -> Told:
    quality = _quality(codec, rendition)
    control: dict[str, Values] = {
        "cq": {"rc": "vbr", "cq": quality, "b:v": 0, **_capped(rendition)},
        "constqp": {"rc": "constqp", "qp": _hardware_quality(codec, rendition)},
    }
    must = {"preset": "p5", "tune": "hq", **control[mode], "forced-idr": 1}
    if codec is not Codec.AV1:
        must["profile:v"] = _PROFILES[codec]
    return Told(must, {"no-scenecut": 1, "spatial-aq": 1})


def _hardware_quality(codec: Codec, rendition: Mapping[str, Any]) -> int:
    """Return a quality on the scale of quantizers."""
    quality = _quality(codec, rendition)
    return round(quality * _AV1_STEPS) if codec is Codec.AV1 else quality


_BUILDERS = {
    Family.SOFTWARE: _software,
    Family.VAAPI: _vaapi,
    Family.QSV: _qsv,
    Family.NVENC: _nvenc,
}
