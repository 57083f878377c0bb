"""The parts of a filter graph that run on a graphics processor.

Pictures that are there stay there: what is decoded on it is deinterlaced, tone-mapped,
scaled and encoded without leaving it. What it can't do of a film the processor does,
and the pictures are brought over after that. Each family has its own filters, and not
every ffmpeg has them all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jobs.tools import capabilities, encoders
from jobs.tools.encoders import Codec, Family

# Of 4:2:0; everything else graphics processors hardly ever decode.
_DECODED = frozenset({"yuv420p", "yuv420p10le", "nv12", "p010le"})
# Of whole range, which only VA-API brings to that of films.
_FULL_RANGE = frozenset({"yuvj420p"})
_PQ = "smpte2084"
HLG = "arib-std-b67"
HDR = frozenset({_PQ, HLG})
_NAME = "gpu"
# Pictures wait in the graph, and for encoders that look ahead.
_SPARE = 32
_OPENCL = "tonemap_opencl"
_VPP, _VAAPI_MAP = "vpp_qsv", "tonemap_vaapi"


class Part(StrEnum):
    """What a graphics processor does besides encoding."""

    DECODE = "decode"
    DEINTERLACE = "deinterlace"
    TONEMAP = "tonemap"
    SCALE = "scale"


@dataclass(frozen=True, slots=True)
class Device:
    """A device that passed its test: how rate is controlled on it, and what it does."""

    family: Family
    path: str
    mode: str = ""
    parts: frozenset[Part] = frozenset()


# What does a part: a filter and the option that it must have for that; the best first.
# Quick Sync works on what VA-API decoded.
_WAYS: Mapping[Family, Mapping[Part, tuple[tuple[str, str], ...]]] = {
    Family.VAAPI: {
        Part.DEINTERLACE: (("deinterlace_vaapi", "rate"),),
        Part.TONEMAP: ((_VAAPI_MAP, "transfer"),),
        Part.SCALE: (("scale_vaapi", "out_range"),),
    },
    Family.QSV: {
        Part.DEINTERLACE: ((_VPP, "deinterlace"), ("deinterlace_qsv", "mode")),
        Part.TONEMAP: ((_VPP, "tonemap"), (_VAAPI_MAP, "transfer")),
        Part.SCALE: (("scale_qsv", "w"),),
    },
    Family.NVENC: {
        Part.DEINTERLACE: (("bwdif_cuda", "parity"), ("yadif_cuda", "parity")),
        Part.TONEMAP: ((_OPENCL, "tonemap"),),
        Part.SCALE: (("scale_cuda", "interp_algo"),),
    },
}
_DECODERS = {Family.VAAPI: "vaapi", Family.QSV: "vaapi", Family.NVENC: "cuda"}
_UPLOADS = {
    Family.VAAPI: ("nv12", "hwupload", {}),
    Family.QSV: ("nv12", "hwupload", {"extra_hw_frames": 2 * _SPARE}),
    Family.NVENC: ("yuv420p", "hwupload_cuda", {}),
}


def way(part: Part, family: Family, program: str) -> str:
    """Return what of an ffmpeg does a part: a filter, or how it decodes."""
    if part is Part.DECODE:
        found = _DECODERS[family]
        return found if found in capabilities.build(program).accelerators else ""
    for name, option in _WAYS[family][part]:
        if option in capabilities.filter_of(program, name):
            return name
    return ""


def wanted(part: Part, family: Family) -> str:
    """Say what would do a part, where :func:`way` finds nothing."""
    if part is Part.DECODE:
        return f"hwaccel {_DECODERS[family]}"
    ways = (f"{name} ({option})" for name, option in _WAYS[family][part])
    return " or ".join(ways)


def flags(device: Device, spec: Mapping[str, Any]) -> tuple[str, ...]:
    """Return ffmpeg's options that open the device for filters and encoders."""
    number = _number(device.path)
    opened = {
        Family.VAAPI: (f"vaapi={_NAME}:{device.path}",),
        Family.QSV: (f"vaapi=va:{device.path}", f"qsv={_NAME}@va"),
        Family.NVENC: (f"cuda={_NAME}:{number}",),
    }[device.family]
    filters = _NAME
    if _by_opencl(device, spec):
        vendor = "platform_vendor=NVIDIA Corporation"
        opened, filters = (*opened, f"opencl=cl:.{number},{vendor}"), "cl"
    named = [word for each in opened for word in ("-init_hw_device", each)]
    return (*named, "-filter_hw_device", filters)


def stays(device: Device | None, spec: Mapping[str, Any]) -> bool:
    """Say whether all of a chunk's work is done on the device, decoding included."""
    if device is None or device.family is Family.SOFTWARE:
        return False
    needed = {Part.DECODE, Part.SCALE}
    if spec["fields"]:
        needed.add(Part.DEINTERLACE)
    if _hdr(spec):
        needed.add(Part.TONEMAP)
    decoded = _DECODED | (_FULL_RANGE if device.family is Family.VAAPI else set())
    return (
        needed <= device.parts
        and spec["pixels"] in decoded
        # ffmpeg turns pictures by filters of the processor.
        and not spec.get("turned", False)
        and (not _hdr(spec) or _maps(device, spec))
    )


def input_options(device: Device, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return how to decode on the device."""
    decoder = _DECODERS[device.family]
    chosen = {
        "hwaccel": decoder,
        "hwaccel_device": "va" if device.family is Family.QSV else _NAME,
    }
    if _by_opencl(device, spec):
        # Pictures must pass by the processor: OpenCL does not see those of CUDA.
        return chosen
    spare = {"extra_hw_frames": _SPARE}
    return chosen | {"hwaccel_output_format": decoder} | spare


def received(stream: Any, device: Device, spec: Mapping[str, Any]) -> Any:
    """Bring over what ffmpeg decoded on the processor, as the device can't do it."""
    if _by_opencl(device, spec):
        return stream
    decoder = _DECODERS[device.family]
    stream = stream.filter("format", f"nv12|p010le|{decoder}")
    if device.family is not Family.QSV:
        return stream.filter("hwupload")
    stream = stream.filter("hwupload", derive_device="vaapi")
    if _hdr(spec) and _mapper(device, spec) == _VAAPI_MAP:
        stream = _mapped_by_vaapi(stream)
    return stream.filter("hwmap").filter("format", "qsv")


def deinterlaced(stream: Any, device: Device, spec: Mapping[str, Any]) -> Any:
    """Make whole pictures of fields, one for each pair."""
    fields = spec["fields"]
    if _by_opencl(device, spec):
        return stream.filter("bwdif", mode="send_frame", parity=fields)
    stream = stream.filter("setfield", fields)
    name = way(Part.DEINTERLACE, device.family, _program(spec))
    if device.family is Family.VAAPI:
        return stream.filter(name, rate="frame")
    if device.family is Family.NVENC:
        return stream.filter(name, mode="send_frame", parity=fields)
    return stream.filter(name, **{_QSV_MODES[name]: "advanced"})


def tone_mapped(stream: Any, device: Device, spec: Mapping[str, Any]) -> Any:
    """Bring what is meant for bright screens to the range of others."""
    if device.family is Family.VAAPI:
        return _mapped_by_vaapi(stream)
    if device.family is Family.QSV:
        if _mapper(device, spec) == _VAAPI_MAP:
            return stream
        return stream.filter(_VPP, tonemap=1, format="nv12")
    stream = stream.filter("format", "p010le").filter("hwupload")
    told = {"t": "bt709", "m": "bt709", "p": "bt709", "r": "tv", "format": "nv12"}
    stream = stream.filter(_OPENCL, tonemap="hable", desat=0, **told)
    stream = stream.filter("hwdownload").filter("format", "nv12")
    return stream.filter("hwupload_cuda", device=_number(device.path))


def uploaded(stream: Any, device: Device) -> Any:
    """Bring a picture of the processor over."""
    layout, name, options = _UPLOADS[device.family]
    if device.family is Family.NVENC:
        return stream.filter("format", layout).filter(name, device=_number(device.path))
    return stream.filter("format", layout).filter(name, **options)


def scaled(stream: Any, rendition: Mapping[str, Any], device: Device) -> Any:
    """Scale on the device, to eight bits."""
    size = {"w": rendition["width"], "h": rendition["height"]}
    told: dict[str, Any] = {
        Family.VAAPI: {"format": "nv12", "mode": "hq", "out_range": "tv"},
        Family.QSV: {"format": "nv12"},
        Family.NVENC: {"format": "nv12", "interp_algo": "bicubic"},
    }[device.family]
    ((name, _),) = _WAYS[device.family][Part.SCALE]
    return stream.filter(name, **size, **told).filter("setsar", 1)


_QSV_MODES = {_VPP: "deinterlace", "deinterlace_qsv": "mode"}


def _mapped_by_vaapi(stream: Any) -> Any:
    return stream.filter(_VAAPI_MAP, format="nv12", p="bt709", t="bt709", m="bt709")


def _mapper(device: Device, spec: Mapping[str, Any]) -> str:
    return way(Part.TONEMAP, device.family, _program(spec))


def _maps(device: Device, spec: Mapping[str, Any]) -> bool:
    """Say whether what maps tones on the device knows this kind."""
    if _mapper(device, spec) == _OPENCL:
        return not spec.get("untagged", False)
    # Drivers map by the mastering data that only this kind has.
    return spec["transfer"] == _PQ and not spec.get("untagged", False)


def _by_opencl(device: Device, spec: Mapping[str, Any]) -> bool:
    """Say whether tones are mapped by what shares no pictures with the encoder."""
    return device.family is Family.NVENC and _hdr(spec) and stays(device, spec)


def _program(spec: Mapping[str, Any]) -> str:
    told = spec.get("encoder", {})
    family = Family(told.get("family", Family.SOFTWARE))
    return encoders.program(Codec(told.get("codec", Codec.H264)), family)


def _hdr(spec: Mapping[str, Any]) -> bool:
    return spec["transfer"] in HDR


def _number(path: str) -> str:
    """Return the number of a device: ``/dev/nvidia1`` is 1."""
    return path.rpartition("nvidia")[2] or "0"
