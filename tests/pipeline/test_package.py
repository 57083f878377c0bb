"""What is packaged is what was encoded, and what the manifests will say of it."""

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from appliance.errors import TryAgain
from appliance.settings import Encode, Settings
from jobs.steps import package
from tests.media_samples import (
    Tone,
    ffmpeg,
    ffprobe,
    film,
    flash_and_beep,
    numbered,
    shades,
)
from tests.pipeline.conftest import Process
from tests.pipeline.local_run import LocalRun, run_pipeline, work_after
from tests.pipeline.test_inspect import subtitled


@pytest.fixture(scope="module")
def packaged(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> LocalRun:
    """A film in two renditions and two languages, at 23.976 frames a second."""
    root = tmp_path_factory.mktemp("packaged")
    clip = film(
        clips,
        "packaged.mp4",
        seconds=13,
        size="640x360",
        rate="24000/1001",
        tones=(Tone(440, "eng"), Tone(880, "fre")),
    )
    encode = Encode(preset="ultrafast", chunk_seconds=4)
    return run_pipeline(clip, root, replace(Settings(home=root), encode=encode))


def test_every_rendition_and_language_becomes_a_track(packaged: LocalRun) -> None:
    assert [(each["kind"], each["name"]) for each in packaged.tracks] == [
        ("video", "234p"),
        ("video", "360p"),
        ("audio", "audio-en-1"),
        ("audio", "audio-fr-2"),
    ]
    for track in packaged.tracks:
        assert re.fullmatch(r"[0-9a-f]{16}", track["id"])
        assert packaged.track_folder(track).is_dir()
    video = packaged.of_kind("video")[1]
    assert (video["width"], video["height"]) == (640, 360)
    assert video["frame_rate"] == "24000/1001"
    assert video["codec"].startswith("avc1.")
    sound = packaged.of_kind("audio")[1]
    assert (sound["codec"], sound["language"], sound["label"]) == (
        "mp4a.40.2",
        "fr",
        "Français",
    )
    assert (sound["role"], sound["channels"]) == ("alternate", 2)


def test_segments_are_named_numbered_and_measured(packaged: LocalRun) -> None:
    for track in packaged.tracks:
        folder, facts = packaged.track_folder(track), track["facts"]
        names = sorted(path.name for path in folder.iterdir())
        assert names == [*(f"{n:05}.m4s" for n in range(1, 5)), "init.mp4"]
        sizes = [(folder / name).stat().st_size for name in names]
        assert facts["bytes"] == sizes[:-1]
        assert track["bytes"] == sum(sizes)


def test_the_lengths_of_segments_are_exact(packaged: LocalRun) -> None:
    rate = Fraction(24000, 1001)
    frames = packaged.source.picture.frames
    for track in packaged.of_kind("video"):
        facts = track["facts"]
        assert facts["timescale"] == 24000
        assert facts["segments"][:3] == [96 * 1001] * 3
        assert sum(facts["segments"]) == frames * 1001
    for track in packaged.of_kind("audio"):
        facts = track["facts"]
        assert facts["timescale"] == facts["sample_rate"] == 48000
        assert sum(facts["segments"]) / 48000 == pytest.approx(
            float(frames / rate), abs=0.022
        )


def test_a_keyframe_can_be_fetched_by_its_byte_range_alone(
    packaged: LocalRun, tmp_path: Path
) -> None:
    track = packaged.of_kind("video")[0]
    folder = packaged.track_folder(track)
    iframes = track["facts"]["iframes"]

    assert [entry[1] for entry in iframes] == [n * 48048 for n in range(7)]
    for segment, _, offset, length in iframes:
        whole = (folder / f"{segment + 1:05}.m4s").read_bytes()
        alone = tmp_path / "alone.mp4"
        part = whole[offset : offset + length]
        alone.write_bytes((folder / "init.mp4").read_bytes() + part)
        shown = ffprobe(alone, "frame=pict_type", stream="v")
        assert shown[0][0] == "I"


def test_the_rates_told_to_players_are_those_of_the_segments(
    packaged: LocalRun,
) -> None:
    for track in packaged.tracks:
        facts = track["facts"]
        rates = [
            size * 8 * facts["timescale"] / ticks
            for size, ticks in zip(facts["bytes"], facts["segments"], strict=True)
        ]
        assert track["bandwidth"] == round(max(rates))
        assert min(rates) < track["average_bandwidth"] < track["bandwidth"]


def test_players_get_the_frames_of_the_source(
    clips: Path, process_film: Process, tmp_path: Path
) -> None:
    run = process_film(numbered(clips, "served.mp4", frames=260, rate="25"))

    whole = run.whole(run.of_kind("video")[0], tmp_path / "whole.mp4")

    assert shades(whole) == [number % 40 for number in range(260)]


@pytest.mark.parametrize("name", ["sync.mp4", "sync.mkv", "sync.ts"])
def test_sound_and_picture_stay_together(
    clips: Path, process_film: Process, tmp_path: Path, name: str
) -> None:
    run = process_film(flash_and_beep(clips, name))

    seen = _flashes(run.whole(run.of_kind("video")[0], tmp_path / "v.mp4"))
    heard = _beeps(run.whole(run.of_kind("audio")[0], tmp_path / "a.mp4"))

    assert len(seen) == len(heard) == 4
    for flash, beep in zip(seen, heard, strict=True):
        assert abs(flash - beep) < 0.04


def test_sound_and_picture_stay_together_when_one_starts_later(
    clips: Path, process_film: Process, tmp_path: Path
) -> None:
    plain = flash_and_beep(clips)
    late = clips / "sync-late.mkv"
    ffmpeg(
        *("-ss", "0.5", "-i", plain, "-i", plain, "-map", "0:v", "-map", "1:a"),
        *("-c:a", "copy", "-c:v", "libx264", "-copyts", late),
    )

    run = process_film(late)

    assert run.source.picture.first in (12, 13, 14)
    seen = _flashes(run.whole(run.of_kind("video")[0], tmp_path / "v.mp4"))
    heard = _beeps(run.whole(run.of_kind("audio")[0], tmp_path / "a.mp4"))
    for flash, beep in zip(seen[-3:], heard[-3:], strict=True):
        assert abs(flash - beep) < 0.04


def test_subtitles_become_a_text_track_with_the_film_s_times(
    clips: Path, process_film: Process
) -> None:
    run = process_film(subtitled(clips))

    (track,) = run.of_kind("text")
    text = (run.track_folder(track) / track["facts"]["file"]).read_text()
    assert text.startswith("WEBVTT")
    assert "00:00:01.000 --> 00:00:02.000" in text
    assert "Hello <i>there</i>" in text
    assert (track["language"], track["role"]) == ("en", "subtitle")


def test_subtitles_are_moved_with_a_film_that_does_not_begin_at_zero(
    clips: Path, process_film: Process
) -> None:
    moved = clips / "moved.mkv"
    ffmpeg(
        *("-i", subtitled(clips), "-map", "0", "-c", "copy"),
        *("-output_ts_offset", "7", moved),
    )

    run = process_film(moved)

    (track,) = run.of_kind("text")
    text = (run.track_folder(track) / "text.vtt").read_text()
    assert re.search(r"00:0(1\.0\d\d|0\.9\d\d) --> ", text)
    assert run.source.origin == pytest.approx(7, abs=0.05)


def test_a_stream_without_a_single_line_is_left_out(
    clips: Path, process_film: Process
) -> None:
    empty = clips / "no-lines.mkv"
    lines = clips / "none.srt"
    lines.write_text("1\n00:01:00,000 --> 00:01:02,000\nAfter the end\n")
    ffmpeg(
        "-i",
        film(clips),
        "-i",
        lines,
        "-map",
        "0",
        "-map",
        "1",
        "-c:v",
        "copy",
        "-c:a",
        "copy",
        empty,
    )

    run = process_film(empty)

    assert run.of_kind("text") == []


def test_a_truncated_input_is_not_taken_for_a_package(
    clips: Path, process_film: Process
) -> None:
    # The packager itself says that all went well.
    run = process_film(film(clips, "cut-later.mp4", seconds=9), until="package")
    joined = next(run.folder("join").glob("*.mp4"))
    joined.write_bytes(joined.read_bytes()[:60_000])

    with pytest.raises(TryAgain):
        package.run(run.specs["package"], work_after(run))


def _flashes(path: Path) -> list[float]:
    """Return when the picture turns white."""
    frames = ffmpeg(
        *("-i", path, "-vf", "scale=2:2:flags=area,format=yuv420p", "-fps_mode"),
        *("passthrough", "-f", "rawvideo", "-"),
    )
    bright = [frames[at] > 128 for at in range(0, len(frames), 6)]
    return [n / 25 for n in _rises(bright)]


def _beeps(path: Path) -> list[float]:
    """Return when it begins to beep."""
    data = ffmpeg("-i", path, "-ac", "1", "-ar", "8000", "-f", "u8", "-")
    blocks = [data[at : at + 16] for at in range(0, len(data), 16)]
    loud = [max(block) - min(block) > 40 for block in blocks]
    return [n * 16 / 8000 for n in _rises(loud, quiet=100)]


def _rises(states: list[bool], quiet: int = 1) -> list[int]:
    """Return where something begins that was not there for a while."""
    found: list[int] = []
    last = -quiet - 1
    for number, state in enumerate(states):
        if state:
            if number - last > quiet:
                found.append(number)
            last = number
    return found
