"""Quality reports as commands, programs and paper show them."""

import json
from pathlib import Path
from typing import Any

import pytest

from appliance.catalog import titles
from appliance.db import Database
from appliance.errors import PreconditionFailed
from appliance.media import assets, quality, quality_pdf
from appliance.media.assets import Asset
from appliance.media.quality_chart import chart
from appliance.permissions import SYSTEM
from tests.builders import Builders
from tests.conftest import Matinee

_SCORES = {
    "measure": "vmaf",
    "tracks": ["234p", "1080p"],
    "places": [
        {"at": 10.0, "scores": [61.5, 94.0]},
        {"at": 300.0, "scores": [55.0, 92.0]},
    ],
}


def found(verdict: str = "warned") -> dict[str, Any]:
    """Return what verification says of a film that is a little too loud."""
    level = {"passed": "pass", "warned": "warn", "failed": "fail"}[verdict]
    return {
        **{"verdict": verdict, "duration": 596.0, "frames": 14304, "segments": 149},
        **{"keyframes": 298, "seconds": 21.4, "scores": _SCORES},
        "checks": [
            _check("frames", "pass", "Every rendition has its 14,304 frames."),
            _check("true-peak", level, "Its true peak is 0.4 dBTP.", "audio-en-1"),
            _check(
                "black", "pass", "The picture is black from 0:05 to 0:25.", note=True
            ),
        ],
        "tracks": [
            {
                **{"id": "a", "kind": "video", "name": "1080p", "packets": 14304},
                **{"width": 1920, "height": 1080, "vmaf": 93.0, "codec": "avc1"},
                "average_bandwidth": 2885000,
            },
            {
                **{"id": "b", "kind": "audio", "name": "audio-en-1", "packets": 27938},
                **{"loudness": -19.4, "loudness_range": 6.1, "true_peak": 0.4},
                **{"channels": 2, "offset_milliseconds": 3},
            },
        ],
    }


def _check(
    name: str, level: str, sentence: str, track: str = "", *, note: bool = False
) -> dict[str, Any]:
    return {
        **{"id": name, "level": level, "sentence": sentence, "track": track},
        **{"value": 0.4, "limit": -1, "note": note},
    }


@pytest.fixture
def film(db: Database, make: Builders) -> Asset:
    title = make.title("Łódź – “a film”", state="ready", slug="lodz")
    asset = make.asset(title)
    quality.record(db, asset.id, 1, found())
    return asset


def test_a_report_is_shown_and_given_to_programs(film: Asset, matinee: Matinee) -> None:
    shown = matinee("quality", "show", "lodz")
    document = json.loads(matinee("quality", "show", "lodz", "--json").output)

    assert "Passed with warnings" in shown.output
    assert "Warning True peak" in shown.output
    assert "audio-en-1: Its true peak is 0.4 dBTP." in shown.output
    assert "1920 × 1080 · avc1 · 2,885 kbit/s · VMAF 93.0" in shown.output
    assert document["verdict"] == "warned"
    assert document["review"]["decision"] == "none"
    assert document["checks"][0]["id"] == "true-peak"
    assert document["scores"]["places"][0]["scores"] == [61.5, 94.0]


def test_reports_are_listed_by_what_waits(film: Asset, matinee: Matinee) -> None:
    waiting = json.loads(
        matinee("quality", "list", "--review", "none", "--json").output
    )
    failed = matinee("quality", "list", "--verdict", "failed")

    assert [(each["title_slug"], each["warned"]) for each in waiting] == [("lodz", 1)]
    assert "no quality reports" in failed.output


def test_a_command_approves_and_rejects(
    db: Database, film: Asset, matinee: Matinee
) -> None:
    assert matinee("quality", "approve", "lodz", "--comment", "Fine.").exit_code == 0
    approved = quality.latest(db, assets.by_id(db, film.id))
    rejected = matinee("quality", "reject", "lodz", "--comment", "Too loud.", "--json")

    assert approved is not None
    assert (approved.review, approved.comment) == ("approved", "Fine.")
    assert json.loads(rejected.output)["review"]["decision"] == "rejected"


def test_a_title_without_a_report_says_what_to_do(
    make: Builders, matinee: Matinee
) -> None:
    make.asset(make.title("Old", slug="old"))

    refused = matinee("quality", "show", "old")

    assert refused.exit_code == 4
    assert "matinee quality check old" in refused.output


def test_a_report_is_written_as_a_pdf(
    film: Asset, matinee: Matinee, tmp_path: Path
) -> None:
    target = tmp_path / "report.pdf"

    done = matinee("quality", "pdf", "lodz", "--to", str(target))

    assert done.exit_code == 0, done.output
    assert target.read_bytes().startswith(b"%PDF-")
    assert matinee("quality", "pdf", "lodz", "--to", "/no/folder/x").exit_code == 4


def test_a_pdf_of_a_long_report_has_several_pages(db: Database, film: Asset) -> None:
    long = found("failed")
    long["checks"] *= 40
    quality.record(db, film.id, 1, long)

    title, asset, report = quality.of_title(db, SYSTEM, "lodz")
    data = quality_pdf.render(title, asset, report)

    assert data.count(b"/Type /Page\n") > 3


def test_a_pdf_says_which_package_is_missing(
    db: Database, film: Asset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality_pdf, "_FONTS", Path("/no/fonts"))
    title = titles.by_slug(db, SYSTEM, "lodz")
    report = quality.latest(db, film)
    assert report is not None

    with pytest.raises(PreconditionFailed, match="fonts-dejavu-core"):
        quality_pdf.render(title, film, report)


def test_the_chart_shows_the_best_rendition_first_and_stays_in_its_square() -> None:
    drawn = chart(found())

    assert drawn is not None
    assert [line.name for line in drawn.lines] == ["1080p", "234p"]
    assert [text for text, _ in drawn.marks][-1] == "100"
    for line in drawn.lines:
        assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in line.points)


def test_without_scores_there_is_no_chart() -> None:
    assert chart({"verdict": "passed", "duration": 3.0}) is None
