"""The real processes: cancelling ends encoders, and nothing stays behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import db as database
from appliance.db import Database
from appliance.media import jobs, reports, uploads
from appliance.media.jobs import JobState
from appliance.media.uploads import Arrival
from appliance.permissions import SYSTEM
from appliance.storage import Storage
from jobs import queue
from tests import media_samples
from tests.pipeline.served_home import ServedHome, served_home, until

pytestmark = pytest.mark.media


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedHome]:
    with served_home(tmp_path / "home", MATINEE_ENCODE_PRESET="slower") as home:
        home.start()
        yield home


@pytest.fixture
def db(served: ServedHome) -> Iterator[Database]:
    with database.connect(served.settings.database) as connection:
        yield connection


def test_cancelling_ends_the_encoders_and_clears_up(
    served: ServedHome, db: Database, clips: Path
) -> None:
    film = media_samples.film(clips, "long.mp4", seconds=60, size="640x360")
    arrival = _take_in(served, db, film)
    until(lambda: served.processes("libx264"))

    jobs.cancel(db, SYSTEM, arrival.job)
    queue.wake(served.settings, arrival.job)

    until(lambda: not served.processes("libx264"))
    work = served.settings.media / "work"
    until(lambda: not [*work.glob("[!.]*"), *work.glob(".trash/*")])
    assert reports.report(db, arrival.job).state is JobState.CANCELLED
    assert film.exists()


def test_progress_and_speed_are_seen_while_a_film_is_encoded(
    served: ServedHome, db: Database, clips: Path
) -> None:
    film = media_samples.film(clips, "long.mp4", seconds=60, size="640x360")
    arrival = _take_in(served, db, film)

    seen = until(lambda: _moving(db, arrival), seconds=60)

    assert 0 < seen.percent < 100
    assert [each.name for each in seen.renditions] == ["234p", "360p"]
    assert all(each.fps for each in seen.renditions)


def test_a_text_file_named_like_a_film_is_refused_in_one_sentence(
    served: ServedHome, db: Database, tmp_path: Path
) -> None:
    text = tmp_path / "shopping.mp4"
    text.write_text("milk, bread")
    arrival = _take_in(served, db, text)

    until(lambda: not jobs.by_public_id(db, arrival.job).open)

    report = reports.report(db, arrival.job)
    assert report.state is JobState.FAILED
    assert report.error_message.endswith(".")
    assert "Traceback" not in report.log_tail


def _take_in(served: ServedHome, db: Database, film: Path) -> Arrival:
    settings = served.settings
    arrival = uploads.take_in(
        db,
        Storage(settings.media),
        settings,
        SYSTEM,
        film,
        film.name,
        keep_source=True,
    )
    queue.wake(settings, arrival.job)
    return arrival


def _moving(db: Database, arrival: Arrival) -> reports.JobReport | None:
    report = reports.report(db, arrival.job)
    encode = next((step for step in report.steps if step.name == "encode"), None)
    return report if encode and encode.fps and encode.percent > 0 else None
