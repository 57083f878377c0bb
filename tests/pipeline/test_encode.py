"""Encoding in chunks gives the frames that encoding in one piece gives."""

import json
from fractions import Fraction
from itertools import chain, pairwise
from pathlib import Path

import pytest

from appliance.errors import TryAgain
from jobs.steps import encode, join
from jobs.steps.pictures import chunk_args
from tests.media_samples import (
    FAST,
    SHADES,
    Tone,
    ffmpeg,
    ffprobe,
    film,
    numbered,
    shades,
)
from tests.pipeline.conftest import Process
from tests.pipeline.local_run import LocalRun, work_after


def _joined(run: LocalRun) -> Path:
    return next(iter(sorted(run.folder("join").glob("*.mp4"))))


def _counting(frames: int) -> list[int]:
    return [number % SHADES for number in range(frames)]


@pytest.mark.parametrize(
    "rate", ["24000/1001", "24", "25", "30000/1001", "50", "60000/1001"]
)
def test_every_frame_is_where_it_was_across_chunks(
    clips: Path, process_film: Process, rate: str
) -> None:
    count = round(13 * Fraction(rate))
    name = f"count-{rate.replace('/', '-')}.mp4"
    clip = numbered(clips, name, frames=count, rate=rate, more=("-g", "37"))

    run = process_film(clip, until="join")

    assert len(list(run.folder("").glob("encode-*"))) == 3
    assert shades(_joined(run)) == _counting(count)


@pytest.mark.parametrize("container", ["mkv", "ts", "avi", "webm"])
def test_chunks_fit_whatever_the_container_makes_of_seeking(
    clips: Path, process_film: Process, container: str
) -> None:
    codec = {"webm": ("-c:v", "libvpx", "-g", "37"), "ts": ("-bf", "2", "-g", "37")}
    clip = numbered(
        clips,
        f"container.{container}",
        frames=260,
        rate="24",
        more=codec.get(container, ("-g", "37")),
    )

    run = process_film(clip, until="join")

    assert shades(_joined(run)) == _counting(260)


def test_time_stamps_are_exact_and_keyframes_stand_as_planned(
    clips: Path, process_film: Process
) -> None:
    clip = numbered(clips, "exact.mp4", frames=311, rate="24000/1001")

    run = process_film(clip, until="join")

    packets = ffprobe(_joined(run), "packet=pts,dts,flags")
    shown = sorted(int(pts) for pts, _, _ in packets)
    assert shown == [1001 * number for number in range(311)]
    decoded = [int(dts) for _, dts, _ in packets]
    assert {later - sooner for sooner, later in pairwise(decoded)} == {1001}
    keys = [int(pts) // 1001 for pts, _, flags in packets if "K" in flags]
    assert keys == [0, 48, 96, 144, 192, 240, 288]


def test_a_seek_that_goes_astray_is_noticed_and_made_good(
    clips: Path, process_film: Process
) -> None:
    clip = numbered(clips, "astray.mp4", frames=240, rate="24", more=("-g", "24"))
    run = process_film(clip, until="encode-0001")
    work = work_after(run)

    encode.run(run.specs["encode-0001"] | {"seek": 8.0}, work)

    found = shades(next(iter(work.folder.glob("*.mp4"))))
    assert found == [number % SHADES for number in range(96, 240)]


def test_a_chunk_is_encoded_alike_each_time(clips: Path, process_film: Process) -> None:
    clip = film(clips, "alike.mp4", seconds=9, size="640x360", tones=())
    run = process_film(clip, until="encode-0001", preset="veryfast")
    work = work_after(run)

    encode.run(run.specs["encode-0001"], work)

    made = sorted(run.folder("encode-0001").glob("*.mp4"))
    assert len(made) == 2
    for each in made:
        assert each.read_bytes() == (work.folder / each.name).read_bytes()


def test_a_chunk_that_the_disk_changed_is_named_and_not_joined(
    clips: Path, process_film: Process
) -> None:
    clip = film(clips, "changed.mp4", seconds=12, size="640x360", tones=())
    run = process_film(clip, until="encode-0002")
    join_spec = {
        "chunks": ["encode-0000", "encode-0001", "encode-0002"],
        "tracks": [each["id"] for each in run.specs["encode-0000"]["renditions"]],
        "grid": run.specs["encode-0000"]["grid"],
    }
    join.run(join_spec, work_after(run))
    whole = sorted(run.folder("encode-0001").glob("*.mp4"))[0]
    data = bytearray(whole.read_bytes())
    # One bit of a picture: neither length nor index tells.
    data[data.index(b"mdat") + 5000] ^= 1
    whole.write_bytes(data)

    with pytest.raises(TryAgain) as caught:
        join.run(join_spec, work_after(run))

    assert caught.value.code == "join.damaged"
    assert caught.value.details["redo"] == ["encode-0001"]
    assert "encode-0001" in caught.value.message


def test_one_decode_feeds_every_rendition(clips: Path, process_film: Process) -> None:
    clip = film(clips, "hd.mp4", seconds=1, size="1280x720", tones=())
    run = process_film(clip, until="encode-0000")

    args = chunk_args(run.specs["encode-0000"], clip, Path("/out"), None)

    assert args.count("-i") == 1
    assert args.count("libx264") == 4


def test_a_varying_rate_becomes_constant_without_losing_time(
    clips: Path, process_film: Process
) -> None:
    clip = varying(clips)

    run = process_film(clip, until="join")

    assert run.source.picture.variable
    shown = shades(_joined(run))
    assert len(shown) == run.source.picture.frames
    # Four seconds at 24, then four at 12: every picture of the second half twice.
    assert shown[:96] == _counting(96)
    held = list(chain.from_iterable((n % SHADES,) * 2 for n in range(96, 140, 2)))
    assert shown[96 : 96 + len(held)] == held


def test_sound_longer_than_the_picture_holds_the_last_frame(
    clips: Path, process_film: Process
) -> None:
    clip = clips / "long-sound.mp4"
    ffmpeg(
        *("-i", numbered(clips, frames=48), "-f", "lavfi", "-i", "sine=duration=9"),
        *("-c:v", "copy", "-c:a", "aac", clip),
    )

    run = process_film(clip, until="join")

    shown = shades(_joined(run))
    assert len(shown) == 216
    assert shown[:48] == _counting(48)
    assert set(shown[48:]) == {47 % SHADES}


def test_sound_that_starts_first_is_shown_with_the_first_frame(
    clips: Path, process_film: Process
) -> None:
    clip = clips / "late.mkv"
    ffmpeg(
        *("-itsoffset", "5", "-i", numbered(clips, frames=96)),
        *("-f", "lavfi", "-i", "sine=duration=9", "-map", "0:v", "-map", "1:a"),
        *("-c:v", "copy", "-c:a", "flac", clip),
    )

    run = process_film(clip, until="join")

    shown = shades(_joined(run))
    assert set(shown[:120]) == {0}
    assert shown[120:] == _counting(96)


def test_interlaced_pictures_are_deinterlaced(
    clips: Path, process_film: Process
) -> None:
    clip = film(
        clips,
        "fields-long.mp4",
        seconds=4,
        rate="50",
        tones=(),
        filters="tinterlace=interleave_top,fieldorder=tff",
        video=("-c:v", "libx264", "-preset", "ultrafast", "-flags", "+ildct+ilme"),
    )

    run = process_film(clip, until="join")

    assert run.source.picture.fields == "tff"
    assert run.source.picture.rate == 25
    fields = ffmpeg(
        *("-v", "info", "-i", _joined(run), "-vf", "idet,metadata=print:file=-"),
        *("-f", "null", "-"),
    ).decode()
    assert "lavfi.idet.multiple.current_frame=progressive" in fields
    assert "lavfi.idet.multiple.current_frame=tff" not in fields


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
@pytest.mark.parametrize("tagged", [True, False])
def test_high_dynamic_range_is_mapped_to_what_screens_show(
    clips: Path, process_film: Process, transfer: str, tagged: bool
) -> None:
    """HDR10 and HLG as cameras write them, also where only the transfer is named."""
    plain = "colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
    bright = f"zscale=p=2020:t={transfer}:m=2020_ncl:npl=203:r=tv"
    tags = "bt2020:colorspace=bt2020nc" if tagged else "unknown:colorspace=unknown"
    clip = film(
        clips,
        "hdr.mkv",
        seconds=1,
        tones=(),
        filters=f"format=yuv420p,setparams={plain},zscale=t=linear:npl=203,"
        f"format=gbrpf32le,{bright},format=yuv420p10le,setparams=color_primaries={tags}",
        video=(
            *("-c:v", "libx264", "-preset", "ultrafast", "-color_trc", transfer),
            *(("-color_primaries", "bt2020", "-colorspace", "bt2020nc") * tagged),
        ),
    )

    run = process_film(clip, until="join")

    assert run.source.picture.transfer == transfer
    assert run.source.picture.untagged is not tagged
    entries = "stream=pix_fmt,color_space,color_transfer"
    assert ffprobe(_joined(run), entries) == [["yuv420p", "bt709", "bt709"]]
    # As it was before it was made HDR: neither washed out, nor dark.
    assert abs(_grey(_joined(run)) - _grey(film(clips, "sdr.mp4", seconds=1))) < 40


def _grey(path: Path) -> int:
    """Return the mean brightness of the first frame."""
    one = ("-frames:v", "1", "-vf", "scale=1:1:flags=area,format=gray")
    return ffmpeg("-i", path, *one, "-f", "rawvideo", "-")[0]


@pytest.mark.parametrize("pixels", ["yuvj420p", "yuv422p", "gbrp"])
def test_every_way_of_writing_colours_ends_as_what_browsers_play(
    clips: Path, process_film: Process, pixels: str
) -> None:
    codec = "libx264rgb" if pixels == "gbrp" else "libx264"
    shown = "bgr0" if pixels == "gbrp" else pixels
    clip = film(
        clips,
        f"{pixels}.mkv",
        seconds=1,
        tones=(),
        video=("-c:v", codec, "-preset", "ultrafast", "-pix_fmt", shown),
    )

    run = process_film(clip, until="join")

    ((found, levels),) = ffprobe(_joined(run), "stream=pix_fmt,color_range")
    assert found == "yuv420p"
    assert levels != "pc"


def test_chunks_of_different_encoders_are_not_joined(
    clips: Path, process_film: Process
) -> None:
    clip = numbered(clips, "mixed.mp4", frames=240, rate="24")
    run = process_film(clip, until="join")
    result = run.results["encode-0001"]
    (track,) = result["tracks"]
    result["tracks"][track]["codec"] = "another"
    report = {"ok": True, "result": result}
    (run.folder("encode-0001") / "result.json").write_text(json.dumps(report))

    with pytest.raises(TryAgain, match="different encoders"):
        join.run(run.specs["join"], work_after(run))


def test_five_channels_are_folded_into_two(clips: Path, process_film: Process) -> None:
    clip = film(clips, "surround.mkv", tones=(Tone(channels=6),))

    run = process_film(clip, until="audio-en-1")

    made = run.folder("audio-en-1") / "audio.mp4"
    assert ffprobe(made, "stream=codec_name,sample_rate,channels") == [
        ["aac", "48000", "2"]
    ]


def varying(folder: Path) -> Path:
    """Make a clip of 24 frames a second whose second half lost every other one."""
    return numbered(
        folder,
        "varying.mkv",
        frames=144,
        filters="select='lt(n,96)+not(mod(n,2))'",
        more=("-fps_mode", "passthrough", *FAST[:2]),
    )
