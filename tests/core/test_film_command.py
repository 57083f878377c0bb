"""``matinee title replace|supplement|versions|restore`` and holding jobs."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from appliance.db import Database
from appliance.media import assets, jobs, tracks, versions
from appliance.media.assets import Asset
from appliance.media.jobs import JobKind
from appliance.permissions import SYSTEM
from jobs.planning.chunks import Grid
from tests.builders import Builders
from tests.conftest import Matinee
from tests.pipeline.control_room import facts


@pytest.fixture
def film(db: Database, make: Builders) -> Asset:
    made = make.asset(make.title(slug="the-river"), heights=(96,), duration=20)
    assets.inspected(db, made.id, facts(), None)
    grid = Grid(480, Fraction(24), 4, 2)
    cut = {
        "timescale": grid.timescale,
        "segments": [each.frames * grid.ticks for each in grid.segments()],
        "iframes": [[0, key * grid.ticks, 2, 3] for key in grid.keyframes()],
    }
    db.conn.execute(
        "update tracks set facts = json_patch(facts, ?) where kind = 'video'",
        (json.dumps(cut),),
    )
    return made


def test_a_film_is_replaced_by_a_file_that_stays(
    matinee: Matinee, db: Database, film: Asset, tmp_path: Path
) -> None:
    better = tmp_path / "better.mp4"
    better.write_bytes(b"a better film")

    told = json.loads(
        matinee("title", "replace", "the-river", str(better), "--json").stdout
    )
    again = matinee("title", "replace", "the-river", str(better))

    job = jobs.by_public_id(db, told["job"])
    assert (job.kind, job.asset_id) == (JobKind.REPLACE, film.id)
    assert job.request["source_name"] == "better.mp4"
    assert better.read_bytes() == b"a better film"
    assert again.exit_code == 3
    assert "works on this film" in again.stderr


def test_what_a_film_lacks_is_told_and_then_made(
    matinee: Matinee, db: Database, film: Asset
) -> None:
    dry = matinee("title", "supplement", "the-river", "--codec", "av1", "--dry-run")
    told = json.loads(
        matinee("title", "supplement", "the-river", "--codec", "av1", "--json").stdout
    )

    job = jobs.by_public_id(db, told["job"])
    assert dry.stdout == "96p-av1\n"
    assert job.asset_id == film.id
    assert job.request["codecs"] == ["av1"]


def test_versions_are_listed_and_put_back(
    matinee: Matinee, db: Database, film: Asset
) -> None:
    gone = tracks.of_asset(db, film.id)[-1].public_id
    versions.change(db, SYSTEM, film.id, remove=[gone], reason="captions")

    listed = json.loads(matinee("title", "versions", "the-river", "--json").stdout)
    back = matinee("title", "restore", "the-river", "1")
    twice = matinee("title", "restore", "the-river", "1")

    assert [(each["number"], each["present"]) for each in listed] == [
        (2, True),
        (1, False),
    ]
    assert back.stdout == "the-river is version 1 again.\n"
    assert gone in {each.public_id for each in tracks.of_asset(db, film.id)}
    assert (twice.exit_code, "served already" in twice.stderr) == (3, True)


def test_a_title_without_a_film_has_nothing_to_replace(
    matinee: Matinee, make: Builders, tmp_path: Path
) -> None:
    make.title(slug="empty", state="draft")
    file = tmp_path / "film.mp4"
    file.write_bytes(b"a film")

    refused = matinee("title", "replace", "empty", str(file))

    assert refused.exit_code == 3
    assert "no film that can be played yet" in refused.stderr


def test_a_job_is_paused_goes_on_and_goes_first(
    matinee: Matinee, db: Database, make: Builders
) -> None:
    job = make.job(make.asset(state="uploaded"))

    matinee("job", "pause", job)
    listed = matinee("job", "list").stdout
    held = json.loads(matinee("job", "show", job, "--json").stdout)
    matinee("job", "resume", job)
    matinee("job", "priority", job, "--", "-5")

    now = jobs.by_public_id(db, job)
    assert "paused" in listed
    assert held["paused"]
    assert (now.paused, now.priority) == (False, -5)
