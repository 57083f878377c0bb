"""The preview: short, silent, small, and of moments that are worth seeing."""

import json
from pathlib import Path

from jobs.steps import preview
from jobs.work import Work
from tests import media_samples


def prepared(work: Work, film: Path, best: list[float]) -> dict[str, object]:
    """Leave what earlier units of a job would have left."""
    done = work.storage.path(f"work/{work.job}/done")
    (done / "join").mkdir(parents=True)
    (done / "join" / "small.mp4").hardlink_to(film)
    (done / "thumbnails").mkdir()
    result = {"candidates": [{"seconds": each, "score": 0.5} for each in best]}
    (done / "thumbnails" / "result.json").write_text(json.dumps({"result": result}))
    return {"rendition": {"id": "small"}, "duration": 24.0}


def test_a_preview_shows_the_best_moments_in_their_order(
    clips: Path, work: Work
) -> None:
    film = media_samples.numbered(clips, frames=24 * 24)
    spec = prepared(work, film, [12.0, 4.0, 13.0, 18.0])

    made = preview.run(spec, work)

    path = work.folder / made["file"]
    [[width, height]] = media_samples.ffprobe(path, "stream=width,height", stream="v:0")
    assert max(int(width), int(height)) <= 480
    assert media_samples.ffprobe(path, "stream=codec_type", stream="a") == []
    assert made["seconds"] == 3 * preview.PIECE_SECONDS
    shown = media_samples.shades(path)
    assert len(shown) == round(made["seconds"] * 24)
    source = media_samples.shades(film)
    for number, at in enumerate((4.0, 12.0, 18.0)):
        first = round(number * preview.PIECE_SECONDS * 24)
        assert shown[first] == source[round(at * 24)]
    assert made["bytes"] < 700_000


def test_a_short_film_has_no_preview(clips: Path, work: Work) -> None:
    film = media_samples.film(clips)

    made = preview.run(prepared(work, film, [1.0]) | {"duration": 4.0}, work)

    assert made == {"file": None}
    assert list(work.folder.iterdir()) == []


def test_pieces_never_overlap_and_never_pass_the_end() -> None:
    assert preview.moments([10, 11, 29.9, 3], 30) == [3, 10, 27.5]
    assert preview.moments([], 30) == []
