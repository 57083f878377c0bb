"""What encoders are told, against what the ffmpegs that are here list."""

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from appliance.cenc import Scheme
from appliance.settings import Encode, Settings
from jobs.planning.chunks import Grid
from jobs.steps import encode, graphics
from jobs.steps.graphics import Device, Part
from jobs.steps.pictures import chunk_args
from jobs.tools import capabilities, encoder_options, encoders
from jobs.tools.encoder_options import MODES
from jobs.tools.encoders import HARDWARE, Codec, Family
from tests.media_samples import SHADES, ffprobe, film, numbered, shades
from tests.pipeline import locked
from tests.pipeline.conftest import Process
from tests.pipeline.local_run import run_pipeline, work_after

NODE = "/dev/dri/renderD128"
EVERY_PART = frozenset(Part)
RENDITION = {"id": "a", "name": "360p", "width": 640, "height": 360, "kbps": 600}
WAYS = [
    (codec, family, mode)
    for codec in Codec
    for family in Family
    for mode in MODES[family]
]


@pytest.mark.parametrize(("codec", "family", "mode"), WAYS)
def test_every_option_is_one_that_the_ffmpeg_lists(
    codec: Codec, family: Family, mode: str
) -> None:
    assert encoder_options.missing(codec, family, mode) == ""
    made = encoder_options.options(codec, family, RENDITION, gop=50, mode=mode)

    program = encoders.program(codec, family)
    own = capabilities.encoder(program, encoders.name(codec, family))
    everywhere = capabilities.shared(program)
    for option, value in made.items():
        bare = option.partition(":")[0]
        assert bare in own or bare in everywhere, option
        if own.get(bare) and isinstance(value, str):
            assert value in own[bare]


@pytest.mark.parametrize("family", HARDWARE)
@pytest.mark.parametrize("codec", list(Codec))
def test_every_filter_and_its_options_are_listed(codec: Codec, family: Family) -> None:
    device = Device(family, NODE, MODES[family][0], EVERY_PART)
    program = encoders.program(codec, family)
    for spec in (
        *(_spec(codec, family), _hdr(codec, family), _rgb(codec, family)),
        *(_spec(codec, family) | {"fields": "tff"},),
        *(_hdr(codec, family) | {"transfer": "arib-std-b67"},),
    ):
        args = chunk_args(spec, Path("/s.mkv"), Path("/out"), None, device)

        assert args[0] == program
        graph = args[args.index("-filter_complex") + 1]
        for name, options in _filters(graph):
            assert name in capabilities.build(program).filters
            listed = capabilities.filter_of(program, name)
            generic = {"extra_hw_frames"}
            assert options <= set(listed) | generic, name


@pytest.mark.parametrize("family", HARDWARE)
def test_every_flag_before_the_graph_is_listed(family: Family) -> None:
    device = Device(family, NODE, MODES[family][0], EVERY_PART)
    args = chunk_args(_spec(Codec.H264, family), Path("/s"), Path("/o"), 1.0, device)

    listed = capabilities.shared("ffmpeg")
    # Those of demuxers, and those that take back what another says.
    known = {"nostdin", "format_whitelist", "protocol_whitelist", "map", "f", "i"}
    known |= {"probesize", "analyzeduration", "noaccurate_seek"}
    flags = {each[1:].partition(":")[0] for each in args if re.match(r"-[a-z]", each)}
    own = capabilities.encoder("ffmpeg", f"h264_{family}")
    assert flags - set(listed) - known - set(own) == set()


def test_on_vaapi_pictures_stay_on_the_device_from_decoding_to_encoding() -> None:
    device = Device(Family.VAAPI, NODE, "qvbr", EVERY_PART)
    spec = _hdr(Codec.H264, Family.VAAPI) | {"fields": "tff"}

    args = chunk_args(spec, Path("/s.mkv"), Path("/out"), None, device)

    before = args[: args.index("-i")]
    assert before[before.index("-init_hw_device") + 1] == f"vaapi=gpu:{NODE}"
    assert before[before.index("-hwaccel_output_format") + 1] == "vaapi"
    names = [name for name, _ in _filters(args[args.index("-filter_complex") + 1])]
    # What ffmpeg had to decode itself is brought over; nothing ever comes back.
    assert names == [
        *("setpts", "format", "hwupload", "setfield", "deinterlace_vaapi"),
        *("fps", "trim", "setpts", "tonemap_vaapi"),
        *("scale_vaapi", "setsar", "split", "scale_vaapi", "setsar"),
    ]
    assert args.count("h264_vaapi") == 2
    assert args[args.index("-rc_mode") + 1] == "QVBR"


def test_on_quick_sync_pictures_stay_on_the_device_from_decoding_to_encoding() -> None:
    device = Device(Family.QSV, NODE, "qvbr", EVERY_PART)
    spec = _hdr(Codec.H264, Family.QSV) | {"fields": "tff"}

    args = chunk_args(spec, Path("/s.mkv"), Path("/out"), None, device)

    before = args[: args.index("-i")]
    assert [before[n + 1] for n, each in enumerate(before) if each[:5] == "-init"] == [
        f"vaapi=va:{NODE}",
        "qsv=gpu@va",
    ]
    # ffmpeg's own decoders know VA-API; the two see the same pictures.
    assert before[before.index("-hwaccel") + 1] == "vaapi"
    assert before[before.index("-hwaccel_device") + 1] == "va"
    names = [name for name, _ in _filters(args[args.index("-filter_complex") + 1])]
    assert names == [
        *("setpts", "format", "hwupload", "tonemap_vaapi", "hwmap", "format"),
        *("setfield", "vpp_qsv", "fps", "trim", "setpts"),
        *("scale_qsv", "setsar", "split", "scale_qsv", "setsar"),
    ]


def test_on_nvenc_pictures_stay_on_the_device_from_decoding_to_encoding() -> None:
    device = Device(Family.NVENC, "/dev/nvidia1", "cq", EVERY_PART)
    spec = _spec(Codec.H264, Family.NVENC) | {"fields": "tff", "pixels": "yuv420p10le"}

    args = chunk_args(spec, Path("/s.mkv"), Path("/out"), None, device)

    before = args[: args.index("-i")]
    assert before[before.index("-init_hw_device") + 1] == "cuda=gpu:1"
    assert before[before.index("-hwaccel_output_format") + 1] == "cuda"
    names = [name for name, _ in _filters(args[args.index("-filter_complex") + 1])]
    assert names == [
        *("setpts", "format", "hwupload", "setfield", "yadif_cuda"),
        *("fps", "trim", "setpts"),
        *("scale_cuda", "setsar", "split", "scale_cuda", "setsar"),
    ]


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_beside_nvenc_opencl_maps_tones_and_pictures_pass_by_the_processor_once(
    transfer: str,
) -> None:
    device = Device(Family.NVENC, "/dev/nvidia1", "cq", EVERY_PART)
    spec = _hdr(Codec.H264, Family.NVENC) | {"transfer": transfer}

    args = chunk_args(spec, Path("/s.mkv"), Path("/out"), None, device)

    before = args[: args.index("-i")]
    assert "opencl=cl:.1,platform_vendor=NVIDIA Corporation" in before
    assert before[before.index("-filter_hw_device") + 1] == "cl"
    assert "-hwaccel" in before
    assert "-hwaccel_output_format" not in before
    names = [name for name, _ in _filters(args[args.index("-filter_complex") + 1])]
    assert names[names.index("format") :][:6] == [
        *("format", "hwupload", "tonemap_opencl", "hwdownload", "format"),
        "hwupload_cuda",
    ]
    assert not {"tonemap", "zscale", "scale"} & set(names)


def test_the_best_of_several_filters_is_used_and_where_there_is_none_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    static = encoders.program(Codec.AV1, Family.NVENC)

    assert graphics.way(Part.DEINTERLACE, Family.NVENC, static) == "bwdif_cuda"
    assert graphics.way(Part.DEINTERLACE, Family.NVENC, "ffmpeg") == "yadif_cuda"
    assert graphics.way(Part.TONEMAP, Family.QSV, static) == "vpp_qsv"
    assert graphics.way(Part.TONEMAP, Family.QSV, "ffmpeg") == "tonemap_vaapi"
    _pretend(tmp_path, monkeypatch, r"s/^ *parity .*//;s/^cuda$//")
    assert graphics.way(Part.DEINTERLACE, Family.NVENC, "ffmpeg") == ""
    assert graphics.way(Part.DECODE, Family.NVENC, "ffmpeg") == ""
    assert graphics.wanted(Part.DEINTERLACE, Family.NVENC) == (
        "bwdif_cuda (parity) or yadif_cuda (parity)"
    )


@pytest.mark.parametrize("family", [Family.QSV, Family.NVENC])
def test_pictures_of_whole_range_are_made_smaller_by_the_processor(
    family: Family,
) -> None:
    device = Device(family, NODE, MODES[family][0], EVERY_PART)
    spec = _spec(Codec.H264, family) | {"pixels": "yuvj420p"}

    args = chunk_args(spec, Path("/s.mkv"), Path("/out"), None, device)

    assert "-hwaccel" not in args
    assert "out_range=tv" in args[args.index("-filter_complex") + 1]


@pytest.mark.parametrize(
    "changed",
    [
        {"pixels": "yuv422p10le"},
        {"pixels": "bgra"},
        {"turned": True},
        {"transfer": "arib-std-b67"},
        {"transfer": "smpte2084", "untagged": True},
    ],
)
def test_what_the_device_can_not_decode_is_brought_to_it(
    changed: Mapping[str, Any],
) -> None:
    device = Device(Family.VAAPI, NODE, "qvbr", EVERY_PART)
    spec = {**_spec(Codec.H264, Family.VAAPI), **changed}

    args = chunk_args(spec, Path("/s.mkv"), Path("/out"), None, device)

    assert "-hwaccel" not in args
    names = [name for name, _ in _filters(args[args.index("-filter_complex") + 1])]
    assert names.count("hwupload") == 1
    assert names.index("scale") < names.index("hwupload") < names.index("scale_vaapi")


@pytest.mark.parametrize("family", HARDWARE)
def test_a_device_that_only_encodes_gets_every_rendition_scaled(family: Family) -> None:
    device = Device(family, NODE, MODES[family][-1])

    args = chunk_args(_spec(Codec.H264, family), Path("/s"), Path("/o"), None, device)

    names = [name for name, _ in _filters(args[args.index("-filter_complex") + 1])]
    assert names.count("scale") == 2
    assert sum(name.startswith("hwupload") for name in names) == 2


def test_an_option_that_is_not_listed_makes_an_encoder_unusable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pretend(tmp_path, monkeypatch, r"s/^     QVBR .*//")

    assert encoder_options.missing(Codec.H264, Family.VAAPI, "qvbr") == (
        "the encoder h264_vaapi does not list rc_mode QVBR"
    )
    assert encoder_options.missing(Codec.H264, Family.VAAPI, "icq") == ""


def test_an_option_that_is_only_good_to_have_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _pretend(tmp_path, monkeypatch, r"s/^  -spatial-aq .*//;s/^  -idr_interval .*//")

    made = encoder_options.options(Codec.H264, Family.NVENC, RENDITION, gop=50)

    assert "spatial-aq" not in made
    assert made["no-scenecut"] == 1
    assert encoder_options.missing(Codec.H264, Family.NVENC) == ""


def test_an_encoder_that_no_ffmpeg_has_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoders, "PROGRAMS", ("ffmpeg",))
    _pretend(tmp_path, monkeypatch, r"s/^ V.* av1_vaapi .*//")

    assert encoder_options.missing(Codec.AV1, Family.VAAPI) == (
        "no ffmpeg here has the encoder av1_vaapi"
    )


def test_quality_and_cap_of_a_rendition_reach_every_encoder() -> None:
    rendition = RENDITION | {"quality": 30}
    for codec, family, mode in WAYS:
        made = encoder_options.options(codec, family, rendition, gop=50, mode=mode)
        if mode.startswith(("crf", "qvbr", "cq-", "vbr")) or mode == "cq":
            assert made["maxrate"] == "600k"
        quality = [made.get(key) for key in ("crf", "global_quality", "cq", "qp")]
        if not mode.startswith("vbr"):
            # The quantizers of AV1 are counted to 255.
            assert {30, 121} & set(quality)


@pytest.mark.parametrize("codec", [Codec.HEVC, Codec.AV1])
@pytest.mark.parametrize("rate", ["24000/1001", "30"])
def test_other_codecs_have_every_frame_and_keyframe_where_h264_has_it(
    clips: Path, process_film: Process, codec: Codec, rate: str
) -> None:
    name = f"codec-{rate.replace('/', '-')}.mp4"
    clip = numbered(clips, name, frames=250, rate=rate, more=("-g", "37"))

    run = process_film(clip, until=f"join-{codec}", codecs=f"h264,{codec}")

    (joined,) = sorted(run.folder(f"join-{codec}").glob("*.mp4"))
    # Of AV1 the pictures are decoded by Debian's dav1d.
    assert shades(joined) == [number % SHADES for number in range(250)]
    grid = Grid.from_spec(run.specs["join"]["grid"])
    packets = ffprobe(joined, "packet=pts,dts,flags")
    times = sorted(int(pts) for pts, _, _ in packets)
    assert times == [grid.ticks * number for number in range(250)]
    assert {b - a for a, b in pairwise(int(dts) for _, dts, _ in packets)} == {
        grid.ticks
    }
    keys = [int(pts) // grid.ticks for pts, _, flags in packets if "K" in flags]
    assert keys == grid.keyframes()


@pytest.mark.parametrize("codec", [Codec.HEVC, Codec.AV1])
def test_a_chunk_of_another_codec_is_encoded_alike_each_time(
    clips: Path, process_film: Process, codec: Codec
) -> None:
    clip = film(clips, "alike.mp4", seconds=5, size="640x360", tones=())
    unit = f"encode-{codec}-0000"
    run = process_film(clip, until=unit, codecs=f"h264,{codec}", preset="veryfast")
    work = work_after(run)

    encode.run(run.specs[unit], work)

    made = sorted(run.folder(unit).glob("*.mp4"))
    assert len(made) == 2
    for each in made:
        assert each.read_bytes() == (work.folder / each.name).read_bytes()


def test_a_film_in_three_codecs_becomes_tracks_that_players_can_tell_apart(
    clips: Path, process_film: Process
) -> None:
    clip = film(clips, "three.mp4", seconds=5, size="640x360", rate="24000/1001")

    run = process_film(clip, codecs="h264,av1,hevc")

    names = {each["name"]: each["codec"] for each in run.of_kind("video")}
    assert sorted(names) == [
        *("234p", "234p-av1", "234p-hevc", "360p", "360p-av1", "360p-hevc")
    ]
    assert names["360p"].startswith("avc1.")
    assert names["360p-hevc"].startswith("hvc1.1.6.L")
    assert re.fullmatch(r"av01\.0\.\d\dM\.08", names["360p-av1"])
    segments = [each["facts"]["segments"] for each in run.of_kind("video")]
    assert all(each == segments[0] for each in segments)
    assert run.results["verify"]["verdict"] == "passed"


@pytest.mark.parametrize("scheme", list(Scheme))
def test_every_codec_is_encrypted_and_opens_only_with_its_key(
    clips: Path, tmp_path: Path, scheme: Scheme
) -> None:
    clip = film(clips, "keys.mp4", seconds=5, size="320x180", tones=())
    encode = Encode(preset="ultrafast", codecs="h264,av1,hevc")
    keys = locked.keys(scheme)

    # What is verified: the key, and that nothing of the film shows without it.
    run = run_pipeline(
        clip,
        tmp_path,
        replace(Settings(home=tmp_path), encode=encode),
        encrypt=lambda facts: keys,
    )

    found = {each["codec"][:4]: each["scheme"] for each in run.of_kind("video")}
    assert found == {"avc1": scheme, "hvc1": scheme, "av01": scheme}
    assert run.results["verify"]["verdict"] != "failed"


def _spec(codec: Codec, family: Family) -> dict[str, Any]:
    small = RENDITION | {"id": "b", "width": 320, "height": 180, "kbps": 200}
    return {
        "encoder": {"codec": codec, "family": family},
        "stream": 0,
        "origin": 0.0,
        "grid": {"frames": 100, "rate": "25", "segment": 4, "distance": 2},
        "fields": "",
        "transfer": "bt709",
        "pixels": "yuv420p",
        "preset": "veryfast",
        "crf": 21,
        "from": 0,
        "to": 100,
        "hold": 0,
        "seek": None,
        "renditions": [small, RENDITION],
    }


def _hdr(codec: Codec, family: Family) -> dict[str, Any]:
    hdr = {"transfer": "smpte2084", "pixels": "yuv420p10le"}
    return _spec(codec, family) | hdr


def _rgb(codec: Codec, family: Family) -> dict[str, Any]:
    return _spec(codec, family) | {"pixels": "bgra", "fields": "bff", "hold": 5}


def _filters(graph: str) -> list[tuple[str, set[str]]]:
    """Return name and named options of every filter of a graph, in its order."""
    found = []
    for text in re.sub(r"\[[^\]]*\]", "", graph).split(";"):
        name, _, options = text.partition("=")
        named = {each.split("=")[0] for each in options.split(":") if "=" in each}
        found.append((name, named))
    return found


def _pretend(folder: Path, patch: pytest.MonkeyPatch, script: str) -> None:
    """Put an ffmpeg first on the path whose lists lack what a script of sed takes."""
    program = folder / "ffmpeg"
    program.write_text(
        f'#!/bin/sh\n/usr/bin/ffmpeg "$@" 2>/dev/null | sed -e "{script}"\n'
    )
    program.chmod(0o755)
    patch.setenv("PATH", f"{folder}:/usr/bin:/bin")
