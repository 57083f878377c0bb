"""The quality report: what is bad to watch is found; what was meant so is not blamed.

A broken encode is made by holding a film to another source than the one it was made
from: the one that it ought to be.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import TryAgain
from appliance.settings import Encode, Quality, Settings
from jobs.planning import plan_checks
from jobs.planning.source import from_facts
from jobs.steps import inspect, package, verify
from tests.media_samples import FAST, ffmpeg
from tests.pipeline import locked
from tests.pipeline.local_run import LocalRun, run_pipeline, work_after

Made = Callable[..., LocalRun]
Check = dict[str, Any]

# Loud and low by turns, never twice in the same measure: as somebody speaking.
_SPEECH = "aevalsrc='0.5*sin(2*PI*300*t)*pow(abs(sin(3*t)*sin(7.3*t+1)),2)':s=48000"
_SECONDS = 10

pytestmark = pytest.mark.media


def clip(
    folder: Path,
    name: str,
    *,
    sound: str = _SPEECH,
    heard: str = "anull",
    seen: str = "null",
    seconds: int = _SECONDS,
    more: Sequence[str] = (),
) -> Path:
    """Make a clip of a moving pattern and somebody like speaking, filtered."""
    target = folder / name
    if not target.exists():
        ffmpeg(
            *("-f", "lavfi", "-i", f"testsrc2=s=320x180:r=24:d={seconds}"),
            *("-f", "lavfi", "-i", f"{sound}:d={seconds}"),
            *("-vf", seen, "-af", f"{heard},atrim=end={seconds}"),
            *FAST,
            *("-c:a", "aac", "-b:a", "128k", *more),
            target,
        )
    return target


@pytest.fixture
def good(clips: Path) -> Path:
    return clip(clips, "good.mp4")


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """``made(path)``: process a film into packages that are whole."""

    def run(source: Path) -> LocalRun:
        settings = Settings(
            home=tmp_path, encode=Encode(preset="ultrafast", per_title=False)
        )
        return run_pipeline(source, tmp_path / "media", settings)

    return run


def report(run: LocalRun, source: Path | None = None, **chosen: Any) -> dict[str, Any]:
    """Verify a film again, held to a source: its own, else another."""
    facts = run.results["inspect"]
    path = run.specs["inspect"]["source"]
    if source is not None:
        path = f"sources/other/source{source.suffix}"
        target = run.storage.path(path)
        target.parent.mkdir(parents=True)
        target.hardlink_to(source)
        facts = json.loads(json.dumps(inspect.run({"source": path}, work_after(run))))
    settings = Settings(home=run.keys.parent, quality=replace(Quality(), **chosen))
    known = from_facts(facts)
    streams = {
        track["id"]: sound.number
        for track, sound in zip(run.of_kind("audio"), known.sounds, strict=False)
    }
    spec = run.specs["verify"] | plan_checks.of_source(
        path, known, streams, settings, normalised=False
    )
    found = verify.run(json.loads(json.dumps(spec)), work_after(run))
    answer: dict[str, Any] = json.loads(json.dumps(found))
    return answer


def check(found: dict[str, Any], name: str) -> Check:
    """Return the worst check of that name."""
    order = ["pass", "warn", "fail"]
    some = [each for each in found["checks"] if each["id"] == name]
    assert some, f"no check {name}: {found['checks']}"
    return max(some, key=lambda each: order.index(each["level"]))


def test_a_good_film_gets_a_report_that_says_what_was_measured(
    good: Path, made: Made
) -> None:
    found = report(made(good))

    assert found["verdict"] == "passed", found["checks"]
    assert {each["level"] for each in found["checks"]} == {"pass"}
    assert check(found, "frames")["value"] == 24 * _SECONDS
    assert abs(check(found, "sync")["value"]) <= 10
    assert abs(check(found, "level")["value"]) < 1
    assert -40 < check(found, "loudness")["value"] < -5
    assert all(each["sentence"].endswith(".") for each in found["checks"])
    sound = next(each for each in found["tracks"] if each["kind"] == "audio")
    assert sound["true_peak"] < 0
    assert found["seconds"] > 0


def test_sound_that_comes_late_is_found(good: Path, clips: Path, made: Made) -> None:
    late = clip(clips, "late.mp4", heard="adelay=200:all=1")

    found = report(made(late), good)

    assert found["verdict"] == "failed"
    assert check(found, "sync")["value"] == pytest.approx(200, abs=10)
    assert "later" in check(found, "sync")["sentence"]


def test_sound_that_comes_early_is_found(good: Path, clips: Path, made: Made) -> None:
    early = clip(clips, "early.mp4", heard="atrim=start=0.07,asetpts=PTS-STARTPTS")

    found = report(made(early), good)

    assert found["verdict"] == "warned"
    assert check(found, "sync")["value"] == pytest.approx(-70, abs=10)


def test_sound_of_another_rate_and_of_more_channels_lies_where_it_should(
    clips: Path, made: Made
) -> None:
    source = clip(
        clips,
        "cd.mkv",
        heard="pan=5.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0,aresample=44100",
        seconds=26,
    )

    found = report(made(source))

    offsets = [each for each in found["checks"] if each["id"] == "sync"]
    assert [abs(each["value"]) <= 10 for each in offsets] == [True] * len(offsets)
    assert {each["level"] for each in offsets} == {"pass"}


def test_sound_that_was_lost_is_found(good: Path, clips: Path, made: Made) -> None:
    silent = clip(clips, "silent.mp4", heard="volume=0")

    found = report(made(silent), good)

    assert found["verdict"] == "failed"
    assert check(found, "silence")["level"] == "fail"
    assert "not in the source" in check(found, "silence")["sentence"]


def test_a_film_that_is_silent_is_not_blamed_for_it(clips: Path, made: Made) -> None:
    found = report(made(clip(clips, "silent.mp4", heard="volume=0")))

    assert found["verdict"] == "passed"
    assert check(found, "silence")["note"]
    assert "as in the source" in check(found, "silence")["sentence"]


def test_sound_that_is_far_too_quiet_is_found(
    good: Path, clips: Path, made: Made
) -> None:
    quiet = clip(clips, "quiet.mp4", heard="volume=-12dB")

    found = report(made(quiet), good)

    assert found["verdict"] == "failed"
    assert check(found, "level")["value"] == pytest.approx(-12, abs=1)
    assert "12 dB quieter" in check(found, "level")["sentence"]


def test_sound_that_distorts_is_remarked(clips: Path, made: Made) -> None:
    loud = clip(clips, "loud.mp4", heard="pan=stereo|c0=c0|c1=c0,volume=20dB")

    found = report(made(loud))

    assert found["verdict"] == "warned"
    assert check(found, "true-peak")["level"] == "warn"


def test_a_picture_that_went_black_is_found(
    good: Path, clips: Path, made: Made
) -> None:
    dark = "drawbox=color=black:t=fill:enable='between(t,2,8)'"

    found = report(made(clip(clips, "dark.mp4", seen=dark)), good)

    assert found["verdict"] == "failed"
    assert check(found, "black")["value"] == pytest.approx(6, abs=0.2)
    assert "0:02" in check(found, "black")["sentence"]


def test_a_picture_that_stands_still_is_found(
    good: Path, clips: Path, made: Made
) -> None:
    still = "trim=end=2,tpad=stop_mode=clone:stop_duration=8"

    found = report(made(clip(clips, "still.mp4", seen=still)), good, freeze_seconds=6)

    assert found["verdict"] == "failed"
    assert check(found, "freeze")["level"] == "fail"
    assert "does not move" in check(found, "freeze")["sentence"]


def test_what_stands_still_in_a_long_film_is_found_by_its_keyframes(
    clips: Path, made: Made
) -> None:
    whole = clip(clips, "whole.mp4", seconds=30)
    still = "loop=loop=288:size=1:start=240,setpts=N/24/TB"

    found = report(made(clip(clips, "stood.mp4", seen=still, seconds=30)), whole)

    frozen = check(found, "freeze")
    assert frozen["level"] == "fail"
    assert frozen["value"] == pytest.approx(12, abs=1)
    assert "0:10" in frozen["sentence"]


def test_a_film_with_twenty_seconds_of_black_only_gets_a_note(
    clips: Path, made: Made
) -> None:
    dark = "drawbox=color=black:t=fill:enable='between(t,3,23)'"

    found = report(made(clip(clips, "meant.mp4", seen=dark, seconds=26)))

    assert found["verdict"] == "passed"
    assert check(found, "black")["note"]
    assert check(found, "black")["value"] == pytest.approx(20, abs=0.2)
    assert "as in the source" in check(found, "black")["sentence"]


def test_black_is_only_a_warning_when_the_source_is_gone(
    clips: Path, made: Made
) -> None:
    dark = "drawbox=color=black:t=fill:enable='between(t,2,8)'"
    run = made(clip(clips, "dark.mp4", seen=dark))
    run.storage.remove(run.specs["inspect"]["source"])

    found = report(run)

    assert found["verdict"] == "warned"
    assert "not there any more" in check(found, "black")["sentence"]


def test_a_film_that_lasts_longer_than_its_source_is_found(
    good: Path, clips: Path, made: Made
) -> None:
    found = report(made(clip(clips, "longer.mp4", seconds=13)), good)

    assert found["verdict"] == "failed"
    assert check(found, "duration")["value"] == pytest.approx(13, abs=0.1)


def test_an_encode_that_ends_early_does_not_get_as_far_as_a_report(
    good: Path, made: Made
) -> None:
    run = made(good)
    _encode_again(run, "-t", "7", "-g", "48", "-force_key_frames", "expr:gte(t,n*2)")

    with pytest.raises(TryAgain):
        _package_and_verify(run)


def test_keyframes_in_other_places_do_not_get_as_far_as_a_report(
    good: Path, made: Made
) -> None:
    run = made(good)
    _encode_again(run, "-g", "31", "-sc_threshold", "0")

    with pytest.raises(TryAgain):
        _package_and_verify(run)


def test_every_second_can_be_decoded_where_that_is_wished(
    good: Path, made: Made
) -> None:
    run = made(good)

    found = report(run, decode="all")

    assert "Every segment" in check(found, "decode")["sentence"]
    assert all(each["decoded"] == 3 for each in found["tracks"])


def _encode_again(run: LocalRun, *options: str) -> None:
    """Let another encoder have made the largest rendition."""
    (*_, track) = run.of_kind("video")
    path = run.folder("join") / f"{track['id']}.mp4"
    other = path.with_suffix(".other.mp4")
    ffmpeg("-i", path, *FAST, *options, "-video_track_timescale", "12288", other)
    other.rename(path)


def _package_and_verify(run: LocalRun) -> None:
    _rewrite(run, package.run(run.specs["package"], work_after(run)))
    verify.run(run.specs["verify"], work_after(run))


def _rewrite(run: LocalRun, result: dict[str, Any]) -> None:
    """Let packaging have reported something else."""
    text = json.dumps({"ok": True, "result": result})
    (run.folder("package") / "result.json").write_text(text)


_GOOD_CUES = """WEBVTT

00:00:01.000 --> 00:00:03.000
Good evening.

00:00:04.000 --> 00:00:06.000
Good night.
"""
_BAD_CUES = """WEBVTT

00:00:01.000 --> 00:00:03.000
Good evening.

00:00:02.000 --> 00:00:02.500
This is spoken so fast and at such a length that nobody will ever be able to read it.

00:00:04.000 --> 00:00:06.000


00:00:07.000 --> 00:00:08.000
Good night.

00:03:07.000 --> 00:03:08.000
Long gone.
"""


@pytest.mark.parametrize(
    ("cues", "verdict", "said"),
    [
        (_GOOD_CUES, "passed", "All 2 cues"),
        (_BAD_CUES, "warned", "overlap the one before"),
        (_GOOD_CUES.replace("00:00:0", "01:00:0"), "failed", "another film"),
    ],
)
def test_captions_are_read_along(
    clips: Path, made: Made, cues: str, verdict: str, said: str
) -> None:
    texts = clips / f"{verdict}.srt"
    texts.write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n")
    source = clips / f"captioned-{verdict}.mkv"
    if not source.exists():
        ffmpeg("-i", clip(clips, "good.mp4"), "-i", texts, "-c", "copy", source)
    run = made(source)
    (track,) = run.of_kind("text")
    (run.track_folder(track) / "text.vtt").write_text(cues)
    track["bytes"] = len(cues)
    _rewrite(run, run.results["package"])

    found = report(run)

    assert found["verdict"] == verdict, found["checks"]
    assert said in check(found, "captions")["sentence"]


def test_a_picture_that_comes_late_is_found(
    good: Path, clips: Path, made: Made
) -> None:
    late = clip(clips, "late-picture.mp4", seen="tpad=start=12,trim=end=10")

    found = report(made(late), good)

    assert check(found, "score")["value"] < 40


def test_what_is_encrypted_is_measured_as_what_is_clear(
    good: Path, tmp_path: Path
) -> None:
    encode = Encode(preset="ultrafast", chunk_seconds=4)
    settings = Settings(home=tmp_path, encode=encode)

    clear = run_pipeline(good, tmp_path / "clear", settings).results["verify"]
    keys = locked.keys()
    found = locked.locked(good, tmp_path / "locked", keys).results["verify"]

    assert found["verdict"] == "passed", found["checks"]
    for name in ("sync", "level", "loudness", "score"):
        value = check(found, name)["value"]
        assert value == pytest.approx(check(clear, name)["value"], abs=1), name


def test_sound_that_was_made_louder_on_purpose_is_not_blamed(
    clips: Path, tmp_path: Path
) -> None:
    quiet = clip(clips, "quiet.mp4", heard="volume=-12dB")
    encode = Encode(preset="ultrafast", per_title=False, normalise=True, loudness=-20)

    run = run_pipeline(quiet, tmp_path / "m", Settings(home=tmp_path, encode=encode))

    found = run.results["verify"]
    assert found["verdict"] == "passed", found["checks"]
    assert check(found, "loudness")["value"] == pytest.approx(-20, abs=1)
    assert check(found, "loudness")["limit"] == -20
    assert "as wanted" in check(found, "level")["sentence"]
