"""Verification: whatever is wrong with what will be served is found."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import TryAgain
from jobs.steps import verify
from tests.media_samples import film
from tests.pipeline.conftest import Process
from tests.pipeline.local_run import LocalRun, work_after

Breaks = Callable[[LocalRun, dict[str, Any]], None]


@pytest.fixture
def run(clips: Path, process_film: Process) -> LocalRun:
    return process_film(film(clips, "verify.mp4", seconds=13, size="416x234"))


def test_a_good_package_passes_with_a_report(run: LocalRun) -> None:
    report = run.results["verify"]

    assert report["verdict"] == "passed"
    assert (report["frames"], report["segments"], report["keyframes"]) == (312, 4, 7)
    (picture, sound) = report["tracks"]
    assert (picture["packets"], picture["decoded"]) == (312, 3)
    assert (sound["kind"], sound["decoded"]) == ("audio", 3)


def _segment(run: LocalRun, track: dict[str, Any], number: int = 2) -> Path:
    return run.track_folder(track) / f"{number:05}.m4s"


def _lost(run: LocalRun, track: dict[str, Any]) -> None:
    _segment(run, track).unlink()


def _cut(run: LocalRun, track: dict[str, Any]) -> None:
    path = _segment(run, track)
    path.write_bytes(path.read_bytes()[:-100])


def _swapped(run: LocalRun, track: dict[str, Any]) -> None:
    one, other = _segment(run, track, 2), _segment(run, track, 3)
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    sizes = track["facts"]["bytes"]
    sizes[1], sizes[2] = sizes[2], sizes[1]


def _scrambled(run: LocalRun, track: dict[str, Any]) -> None:
    path = _segment(run, track, 1)
    data = bytearray(path.read_bytes())
    middle = len(data) * 3 // 4
    data[middle : middle + 400] = bytes(n * 7 % 256 for n in range(400))
    path.write_bytes(data)


def _shorter(run: LocalRun, track: dict[str, Any]) -> None:
    track["facts"]["segments"][1] -= track["facts"]["timescale"] // 10


@pytest.mark.parametrize("kind", ["video", "audio"])
@pytest.mark.parametrize("breaks", [_lost, _cut, _swapped, _shorter])
def test_what_is_missing_cut_or_out_of_order_is_found(
    run: LocalRun, kind: str, breaks: Breaks
) -> None:
    sentence = _verdict_after(run, kind, breaks)

    assert "did not pass verification" in sentence
    assert sentence.endswith(".")


def test_what_cannot_be_decoded_is_found(run: LocalRun) -> None:
    assert "Segment 1 of audio-en-1" in _verdict_after(run, "audio", _scrambled)


def test_a_picture_that_is_not_whole_is_found(run: LocalRun) -> None:
    assert "did not pass" in _verdict_after(run, "video", _scrambled)


def test_a_keyframe_range_that_is_off_is_found(run: LocalRun) -> None:
    def off(run: LocalRun, track: dict[str, Any]) -> None:
        track["facts"]["iframes"][3][2] += 1

    assert "byte ranges" in _verdict_after(run, "video", off)


def test_a_rendition_with_other_keyframes_is_found(run: LocalRun, clips: Path) -> None:
    spec = run.specs["verify"]
    spec["grid"]["distance"] = 1

    with pytest.raises(TryAgain, match="keyframes are not where"):
        verify.run(spec, work_after(run))


def test_a_storyboard_that_lost_a_sheet_is_found(run: LocalRun) -> None:
    track = run.results["thumbnails"]
    (run.track_folder(track) / "00001.jpg").unlink()

    with pytest.raises(TryAgain, match="thumbnails did not pass"):
        verify.run(run.specs["verify"], work_after(run))


def _verdict_after(run: LocalRun, kind: str, breaks: Breaks) -> str:
    """Break a track and return what verification says of it."""
    result = run.results["package"]
    track = next(each for each in result["tracks"] if each["kind"] == kind)
    breaks(run, track)
    report = {"ok": True, "result": result}
    (run.folder("package") / "result.json").write_text(json.dumps(report))
    with pytest.raises(TryAgain) as caught:
        verify.run(run.specs["verify"], work_after(run))
    return caught.value.message
