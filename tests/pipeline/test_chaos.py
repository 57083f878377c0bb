"""Chaos: kill -9 of anything at any moment costs little and breaks nothing."""

import logging
import os
import random
import re
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from appliance import db as database
from appliance.catalog import titles
from appliance.catalog.titles import TitleState
from appliance.db import Database
from appliance.media import assets, jobs, reports, tracks, uploads
from appliance.media.jobs import JobState
from appliance.media.uploads import Arrival
from appliance.permissions import SYSTEM
from appliance.protection import keys as content_keys
from appliance.storage import Storage
from jobs import queue, reencrypt
from tests import media_samples
from tests.pipeline.served_home import ServedHome, kill, served_home, until

FILM = Path(__file__).parents[2] / "var" / "films" / "big-buck-bunny.mp4"
SECONDS = 48
SLOTS = 2
# Long enough that something is under way again, short enough that the job is not done.
PAUSES = (0.2, 1.0)
VICTIMS = ("jobs.media_worker", "ffmpeg", "jobs.control", "gunicorn", "supervisor")
EACH = 2
KILLED_ANEW = (
    ("decrypt", "supervisor"),
    ("package", "jobs.media_worker"),
    ("verify", "jobs.control"),
)
# What a kill of each costs at most; the others are killed for nothing.
COSTS = {"jobs.media_worker": SLOTS, "supervisor": SLOTS, "ffmpeg": 1}

logger = logging.getLogger(__name__)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Less than a minute of the real film where it was fetched, else of a pattern."""
    if not FILM.exists():
        return media_samples.film(tmp_path, seconds=SECONDS, size="640x360")
    target = tmp_path / "clip.mp4"
    cut = ("-ss", "30", "-t", str(SECONDS), "-i", FILM, "-vf", "scale=640:360")
    media_samples.ffmpeg(*cut, *media_samples.FAST, "-c:a", "copy", target)
    return target


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedHome]:
    with served_home(
        tmp_path / "home",
        MATINEE_ENCODE_CHUNK_SECONDS="4",
        MATINEE_ENCODE_PRESET="medium",
        MATINEE_QUEUE_SLOTS=str(SLOTS),
    ) as home:
        yield home


@pytest.fixture
def db(served: ServedHome) -> Iterator[Database]:
    with database.connect(served.settings.database) as connection:
        yield connection


@dataclass
class Chaos:
    """Kills what it is told to; ``finished`` notes in which attempt a unit was done."""

    served: ServedHome
    db: Database
    job: str
    dice: random.Random
    finished: dict[str, int] = field(default_factory=dict)

    def strike(self, victim: str) -> None:
        """Kill -9 one that lives, at some moment; all of it comes back by itself."""
        moment = time.monotonic() + self.dice.uniform(*PAUSES)
        until(lambda: self.noted() and time.monotonic() > moment)
        if victim == "supervisor":
            self.served.kill_supervisor()
            self.served.start()
        else:
            kill(self.dice.choice(until(lambda: self.served.processes(victim))))

    def noted(self) -> bool:
        """Look which units are done; one that was done must stay so."""
        for name, attempt in _attempts(self.db, self.job, "state = 'done'").items():
            assert self.finished.setdefault(name, attempt) == attempt, name
        return True


@pytest.mark.media
def test_a_job_survives_every_kind_of_kill(
    served: ServedHome, db: Database, clip: Path
) -> None:
    seed = int(os.environ.get("CHAOS_SEED", secrets.randbelow(10**6)))
    dice = random.Random(seed)
    victims = dice.sample(VICTIMS * EACH, k=len(VICTIMS) * EACH)
    logger.warning("CHAOS_SEED=%d kills %s", seed, victims)
    served.start()
    arrival = _take_in(served, db, clip)
    chaos = Chaos(served, db, arrival.job, dice)

    for victim in victims:
        assert jobs.by_public_id(db, arrival.job).open, "it was done too soon"
        chaos.strike(victim)
    until(lambda: chaos.noted() and _ended(db, arrival.job), seconds=120)

    report = reports.report(db, arrival.job)
    assert report.state is JobState.DONE, (report.error_message, report.log_tail)
    attempts = _attempts(db, arrival.job)
    assert {name: attempts[name] for name in chaos.finished} == chaos.finished
    begun = Counter(re.findall(r"(\S+) of job \w+ begins", served.log()))
    again = {name: times - 1 for name, times in begun.items() if times > 1}
    assert sum(again.values()) <= sum(COSTS.get(each, 0) for each in victims), again
    assert db.value("select sum(failures) from work_units") == 0
    _is_whole(served, db, arrival)


@pytest.mark.media
def test_encrypting_anew_survives_a_kill_at_any_step(
    served: ServedHome, db: Database, clip: Path
) -> None:
    title = titles.create(db, SYSTEM, "Protected", protected=True)
    served.start()
    arrival = _take_in(served, db, clip, title_id=title.id)
    until(lambda: _ended(db, arrival.job), seconds=120)
    asset = assets.by_public_id(db, arrival.asset)
    storage = Storage(served.settings.media)

    for step, victim in KILLED_ANEW:
        before = _kids(db, asset.id)
        job = reencrypt.start(db, storage, served.settings, SYSTEM, title.slug)
        until(partial(_begun, db, step))
        if victim == "supervisor":
            served.kill_supervisor()
            served.start()
        for pid in served.processes(victim):
            kill(pid)
        until(partial(_ended, db, job), seconds=60)

        assert jobs.by_public_id(db, job).state is JobState.DONE
        kids = _kids(db, asset.id)
        live = content_keys.of_asset(db, served.settings, asset.id)
        assert {key.kid for key in live} == kids
        assert len(kids) == 2
        assert not kids & before
        until(lambda: not [*storage.path("work").glob("[!.]*")])
        folders = storage.path(f"packages/{asset.public_id}/tracks").iterdir()
        rows = tracks.of_asset(db, asset.id)
        assert {path.name for path in folders} == {row.public_id for row in rows}
    assert assets.by_id(db, asset.id).version == 1 + len(KILLED_ANEW)


def _begun(db: Database, step: str) -> bool:
    """Say whether a unit of this step was handed out, in the job that is open."""
    found = db.value(
        """
        select 1 from work_units u join jobs j on j.id = u.job_id
        where u.step = ? and u.state != 'waiting' and j.state in ('queued', 'running')
        """,
        (step,),
    )
    ended = not db.value("select 1 from jobs where state in ('queued', 'running')")
    return found is not None or ended


def _kids(db: Database, asset_id: int) -> set[str]:
    return {track.kid for track in tracks.of_asset(db, asset_id) if track.kid}


def _take_in(
    served: ServedHome, db: Database, clip: Path, title_id: int | None = None
) -> Arrival:
    settings = served.settings
    arrival = uploads.take_in(
        db,
        Storage(settings.media),
        settings,
        SYSTEM,
        clip,
        "clip.mp4",
        keep_source=False,
        publish=True,
        title_id=title_id,
    )
    queue.wake(settings, arrival.job)
    return arrival


def _ended(db: Database, job: str) -> bool:
    return not jobs.by_public_id(db, job).open


def _attempts(db: Database, job: str, where: str = "1 = 1") -> dict[str, int]:
    rows = db.rows(
        f"""
        select name, attempt from work_units
        where job_id = (select id from jobs where public_id = ?) and {where}
        """,
        (job,),
    )
    return {row["name"]: row["attempt"] for row in rows}


def _is_whole(served: ServedHome, db: Database, arrival: Arrival) -> None:
    """Look whether the result is what an uninterrupted run gives."""
    asset = assets.by_public_id(db, arrival.asset)
    storage = Storage(served.settings.media)
    videos = [t for t in tracks.of_asset(db, asset.id) if t.kind == "video"]
    for track in videos:
        segments = sorted(storage.path(track.path).glob("*.m4s"))
        assert len(segments) == SECONDS // 4
    assert [track.height for track in videos] == [234, 360]
    title = titles.by_slug(db, SYSTEM, arrival.title_slug)
    assert title.state is TitleState.PUBLISHED
    until(lambda: not [*storage.path("work").glob("[!.]*")])
