"""The storyboard shows what is at its time; poster candidates show something."""

from pathlib import Path

import pytest
from PIL import Image, ImageStat

from jobs.planning.chunks import Grid
from jobs.steps import candidates
from tests.media_samples import FAST, ffmpeg, film
from tests.pipeline.conftest import Process
from tests.pipeline.local_run import LocalRun


def _brightness(run: LocalRun, number: int) -> float:
    """Return how bright one picture of the storyboard is."""
    track = run.results["thumbnails"]
    facts = track["facts"]
    sheet, place = divmod(number, facts["columns"] * facts["rows"])
    row, column = divmod(place, facts["columns"])
    width, height = facts["width"], facts["height"]
    with Image.open(run.track_folder(track) / facts["sheets"][sheet]) as image:
        left, top = column * width, row * height
        box = (left + 4, top + 4, left + width - 4, top + height - 4)
        return ImageStat.Stat(image.convert("L").crop(box)).mean[0]


def _brightening(folder: Path, seconds: int) -> Path:
    """Make a clip that is a shade brighter every second."""
    target = folder / f"brightening-{seconds}.mp4"
    if not target.exists():
        ffmpeg(
            *("-f", "lavfi", "-i", f"color=black:s=320x180:r=10:d={seconds}", "-vf"),
            *(f"geq=lum='16+floor(T)*{200 // seconds}':cb=128:cr=128", *FAST, target),
        )
    return target


# The second has frames that are shown before those that they are made from.
orders = pytest.mark.parametrize("preset", ["ultrafast", "veryfast"])


@orders
def test_every_picture_is_the_first_keyframe_of_its_stretch(
    clips: Path, process_film: Process, preset: str
) -> None:
    run = process_film(
        _brightening(clips, 31),
        until="thumbnails",
        thumbnail_seconds=5,
        preset=preset,
    )

    facts = run.results["thumbnails"]["facts"]
    assert (facts["step"], facts["count"]) == (5, 7)
    # Keyframes stand at even seconds: for 5 s that is the picture of 6 s.
    for number, second in enumerate([0, 6, 10, 16, 20, 26, 30]):
        assert _brightness(run, number) == pytest.approx(
            second * (200 // 31) * 255 / 219, abs=3
        )


@orders
def test_sheets_hold_twenty_five_pictures(
    clips: Path, process_film: Process, preset: str
) -> None:
    run = process_film(
        _brightening(clips, 60),
        until="thumbnails",
        thumbnail_seconds=2,
        preset=preset,
    )

    track = run.results["thumbnails"]
    assert track["facts"]["sheets"] == ["00001.jpg", "00002.jpg"]
    assert (track["facts"]["width"], track["facts"]["height"]) == (160, 90)
    for sheet in track["facts"]["sheets"]:
        with Image.open(run.track_folder(track) / sheet) as image:
            assert image.size == (800, 450) == (track["width"], track["height"])
    for number in range(30):
        assert _brightness(run, number) == pytest.approx(
            2 * number * (200 // 60) * 255 / 219, abs=3
        )


def test_a_last_stretch_without_a_keyframe_shows_the_one_before(
    clips: Path, process_film: Process
) -> None:
    run = process_film(_brightening(clips, 16), until="thumbnails", thumbnail_seconds=5)

    assert run.results["thumbnails"]["facts"]["count"] == 4
    assert _brightness(run, 3) >= _brightness(run, 2)


def test_an_upright_film_has_upright_pictures(
    clips: Path, process_film: Process
) -> None:
    clip = film(clips, "upright.mp4", seconds=3, size="360x640", tones=())

    facts = process_film(clip, until="thumbnails").results["thumbnails"]["facts"]

    assert (facts["width"], facts["height"]) == (90, 160)


def test_candidates_are_real_frames_of_the_largest_rendition(
    clips: Path, process_film: Process
) -> None:
    run = process_film(
        film(clips, "posters.mp4", seconds=14, size="640x360", tones=()),
        until="thumbnails",
    )

    found = run.results["thumbnails"]["candidates"]
    assert len(found) == 5
    assert [each["score"] for each in found] == sorted(
        (each["score"] for each in found), reverse=True
    )
    assert all(each["seconds"] % 2 == 0 for each in found)
    for each in found:
        with Image.open(run.folder("thumbnails") / each["file"]) as image:
            assert image.size == (640, 360)
    left = list((run.folder("thumbnails") / candidates.FOLDER).iterdir())
    assert len(left) == 5


def test_black_and_flat_frames_are_the_last_to_be_chosen(
    clips: Path, process_film: Process
) -> None:
    # Black but for the last third.
    clip = film(
        clips,
        "dark.mp4",
        seconds=16,
        size="416x234",
        filters="drawbox=t=fill:color=black:enable='lt(t,9)'",
        tones=(),
    )

    found = process_film(clip, until="thumbnails").results["thumbnails"]["candidates"]

    assert found[0]["seconds"] >= 10
    assert found[0]["score"] > 0.3
    assert found[-1]["score"] < 0.05


def test_a_film_of_a_moment_still_has_a_candidate() -> None:
    assert candidates.sample_times(
        Grid.from_spec({"frames": 13, "rate": "24", "segment": 4, "distance": 2})
    ) == [0.0]
