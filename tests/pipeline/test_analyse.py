"""Analysing real clips: what is seen in them, and that it never fails a film."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import TryAgain
from jobs.planning import plan, policy
from jobs.planning.ladder import LadderPolicy
from jobs.steps import analyse, inspect, pictures, trials
from jobs.tools import ffmpeg, scores
from jobs.tools.process import Cancelled
from jobs.work import Work
from tests.media_samples import FAST, film
from tests.media_samples import ffmpeg as make
from tests.pipeline.conftest import Process
from tests.pipeline.local_run import LocalRun, work_after

FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"
POLICY = LadderPolicy(preset="ultrafast")


@dataclass(frozen=True, slots=True)
class _Film:
    source_path: str


def _spec(clip: Path, work: Work, wishes: LadderPolicy = POLICY) -> dict[str, Any]:
    """Take a clip in, and return what the step is told of it."""
    path = f"sources/film/source{clip.suffix}"
    target = work.storage.path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(clip.read_bytes())
    facts = inspect.run({"source": path}, work)
    spec = policy.analyse_spec(_Film(path), json.loads(json.dumps(facts)), wishes)
    told: dict[str, Any] = json.loads(json.dumps(spec))
    return told


def _film(clips: Path, **more: Any) -> Path:
    return film(clips, "moving.mp4", seconds=9, size="640x480", tones=(), **more)


def _screen(clips: Path) -> Path:
    """Make a recording of somebody scrolling through a text with the mouse."""
    target = clips / "screen.mp4"
    text = Path(__file__).resolve()
    page = (
        f"drawtext=fontfile={FONT}:textfile={text}:fontcolor=0xd4d4d4:fontsize=14"
        ":x=20:y='10-floor(t/2)*51',"
        "drawbox=x='100+20*t':y='60+20*t':w=10:h=14:color=white:t=fill"
    )
    make(
        *("-f", "lavfi", "-i", "color=0x1e1e1e:s=640x480:r=15:d=9", "-vf", page),
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "20", target),
    )
    return target


def test_samples_of_a_film_choose_its_quality(clips: Path, work: Work) -> None:
    found = analyse.run(_spec(_film(clips), work), work)

    assert (found["kind"], found["measure"]) == ("film", "vmaf")
    names = [each["name"] for each in found["renditions"]]
    assert names == ["234p", "360p", "480p"]
    assert all(each["kept"] for each in found["renditions"])
    assert 50 < found["renditions"][-1]["score"] <= 100
    assert list(work.folder.iterdir()) == []


def test_the_same_film_is_judged_alike_each_time(clips: Path, work: Work) -> None:
    spec = _spec(_film(clips), work)

    assert analyse.run(spec, work) == analyse.run(spec, work)


def test_a_recording_of_a_screen_is_told_from_a_film(clips: Path, work: Work) -> None:
    found = analyse.run(_spec(_screen(clips), work), work)

    assert found["kind"] == "screen"


def test_what_was_enlarged_does_not_get_the_larger_renditions(
    clips: Path, work: Work
) -> None:
    clip = _film(clips, filters="gblur=sigma=12")

    found = analyse.run(_spec(clip, work), work)

    left = {each["name"]: each["kept"] for each in found["renditions"]}
    assert (left["234p"], left["480p"]) == (True, False)


@pytest.mark.parametrize("seconds", [1, 7])
def test_a_short_clip_is_not_worth_it(clips: Path, work: Work, seconds: int) -> None:
    clip = film(clips, "short.mp4", seconds=seconds, tones=())

    found = analyse.run(_spec(clip, work), work)

    assert found["renditions"] == []
    assert found["note"].startswith("Too short")


def test_a_film_of_one_keyframe_is_sampled_where_it_begins(
    clips: Path, work: Work
) -> None:
    clip = _film(clips, video=(*FAST, "-g", "10000", "-sc_threshold", "0"))

    found = analyse.run(_spec(clip, work), work)

    assert len(found["renditions"]) == 3


def test_samples_are_spread_over_the_film_and_begin_at_keyframes(
    clips: Path, work: Work
) -> None:
    clip = _film(clips, video=(*FAST, "-g", "24", "-sc_threshold", "0"))
    source = inspect.inspect(clip, work)

    found = trials.places(source)

    assert found == [1.0, 4.0, 7.0]
    assert set(found) <= set(source.picture.keyframes)


def test_whatever_goes_wrong_leaves_the_ladder_of_every_film(
    clips: Path, work: Work
) -> None:
    spec = _spec(_film(clips), work)
    work.storage.path(spec["source"]).write_bytes(b"no film any more")

    found = analyse.run(spec, work)

    assert found["renditions"] == []
    assert "as every film" in found["note"]


def test_a_cancelled_analysis_stops_and_leaves_nothing_running(
    clips: Path, work: Work
) -> None:
    spec = _spec(_film(clips), work)

    with pytest.raises(Cancelled):
        analyse.run(spec, replace(work, cancelled=lambda: True))


def test_where_no_ffmpeg_measures_vmaf_ssim_decides(
    clips: Path, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "vmaf_program", lambda: None)

    found = analyse.run(_spec(_film(clips), work), work)

    assert found["measure"] == "ssim"
    assert {each["quality"] for each in found["renditions"]} == {21}
    assert 0.5 < found["renditions"][-1]["score"] <= 1


def test_a_film_is_encoded_with_what_was_chosen(
    clips: Path, process_film: Process, work: Work
) -> None:
    run = process_film(_film(clips), until="inspect")
    facts = json.loads(json.dumps(run.results["inspect"]))
    analysis = {
        "renditions": [
            {"name": "480p", "quality": 33, "kept": True},
            {"name": "360p", "quality": 21, "kept": False},
        ]
    }

    found = plan.wanted(facts, POLICY, analysis).renditions

    assert [(each.name, each.quality) for each in found] == [("234p", 21), ("480p", 33)]


# The smallest rung leaves no room for much that moves.
_CALM = "gblur=sigma=4"
_PQ = f"{_CALM},format=yuv420p10le,setparams=color_trc=smpte2084"
_ODD: dict[str, dict[str, Any]] = {
    "interlaced.mp4": {
        "rate": "50",
        "filters": f"{_CALM},tinterlace=interleave_top,fieldorder=tff",
        "video": ("-c:v", "libx264", "-preset", "ultrafast", "-flags", "+ildct+ilme"),
    },
    "hdr.mkv": {
        "filters": _PQ,
        "video": ("-c:v", "libx264", "-preset", "ultrafast", "-color_trc", "smpte2084"),
    },
    "stream.ts": {"filters": _CALM, "video": (*FAST, "-g", "30")},
    "anamorphic.mkv": {"filters": f"{_CALM},setsar=64/45"},
    "colours.mkv": {
        "filters": _CALM,
        "video": ("-c:v", "libx264rgb", "-preset", "ultrafast"),
    },
    "varying.mkv": {
        "filters": f"{_CALM},select='not(eq(mod(n,7),3))'",
        "video": (*FAST, "-fps_mode", "vfr"),
    },
}


@pytest.mark.parametrize("name", list(_ODD))
def test_what_samples_are_compared_with_is_what_renditions_show(
    clips: Path, process_film: Process, name: str
) -> None:
    """The reference of an odd source, frame by frame beside the encode of it."""
    clip = film(clips, name, seconds=3, tones=(), **_ODD[name])

    run = process_film(clip, until="encode-0000", crf=12)

    assert _likeness(run).ssim > 0.95


def test_a_film_of_a_phone_is_compared_upright(
    clips: Path, process_film: Process
) -> None:
    plain, turned = film(clips, "lying.mp4", tones=(), seconds=3), clips / "turned.mp4"
    make("-i", plain, "-c", "copy", "-metadata:s:v", "rotate=90", turned)

    run = process_film(turned, until="encode-0000", crf=12)

    assert _likeness(run).ssim > 0.95


def test_frames_are_compared_with_their_own_not_with_their_neighbours(
    clips: Path, process_film: Process
) -> None:
    run = process_film(film(clips, "own.mp4", seconds=5, tones=()), until="encode-0000")

    right, wrong = _likeness(run), _likeness(run, start=2)

    assert right.vmaf is not None
    assert wrong.vmaf is not None
    assert right.vmaf > 60 > wrong.vmaf


def test_what_can_not_be_compared_is_an_error(clips: Path, work: Work) -> None:
    clip = film(clips, "plain.mp4", seconds=1, tones=())
    empty = work.folder / "empty.mp4"
    empty.write_bytes(b"")

    with pytest.raises(TryAgain):
        scores.compare(clip, empty, work, size=(320, 240))


def _likeness(run: LocalRun, start: float = 0) -> scores.Scores:
    """Compare the first chunk of a film with its reference."""
    work = work_after(run)
    spec = run.specs["encode-0000"]
    reference = work.folder / "reference.nut"
    source = run.storage.existing(spec["source"])
    args = pictures.reference_args([spec], source, reference)
    ffmpeg.run(args, work)
    largest = spec["renditions"][-1]
    made = run.folder("encode-0000") / f"{largest['id']}.mp4"
    size = largest["width"], largest["height"]
    return scores.compare(reference, made, work, size=size, start=start, every=1)
