"""Chaos: kill -9 of anything at any moment costs little and breaks nothing."""

import hashlib
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
from jobs import queue
from jobs.making import reencrypt
from tests import media_samples
from tests.pipeline.redis_server import RedisServer, needs_redis
from tests.pipeline.served_home import ServedHome, kill, served_home, until

FILM = Path(__file__).parents[2] / "var" / "films" / "big-buck-bunny.mp4"
SECONDS = 16
FILMS = 3
SLOTS = 2
# Long enough that something is under way again, short enough that work is left.
PAUSES = (0.1, 0.8)
LONGEST_WAIT = 3.0
VICTIMS = ("jobs.media_worker", "ffmpeg", "jobs.control", "redis", "supervisor")
EACH = 4
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
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path) as server:
        yield server


@pytest.fixture
def served(tmp_path: Path, redis: RedisServer) -> Iterator[ServedHome]:
    with served_home(
        tmp_path / "home",
        MATINEE_ENCODE_CHUNK_SECONDS="4",
        MATINEE_ENCODE_PRESET="medium",
        MATINEE_ENCODE_PER_TITLE="false",
        MATINEE_QUEUE_SLOTS=str(SLOTS),
        MATINEE_QUEUE_URL=redis.url,
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
    redis: RedisServer
    db: Database
    dice: random.Random
    finished: dict[tuple[str, str], int] = field(default_factory=dict)

    def strike(self, victim: str) -> None:
        """Kill -9 one that lives, at some moment; all of it comes back by itself."""
        moment = time.monotonic() + self.dice.uniform(*PAUSES)
        until(lambda: self.noted() and time.monotonic() > moment)
        if COSTS.get(victim):
            # Something should be under way; between two films nothing may be.
            patience = moment + LONGEST_WAIT
            until(lambda: self._reading() or time.monotonic() > patience)
        if victim == "supervisor":
            self.served.kill_supervisor()
            self.served.start()
        elif victim == "redis":
            self.redis.kill()
            self.redis.start()
        elif victim == "ffmpeg" and (reading := self._reading()):
            kill(self.dice.choice(reading))
        else:
            kill(self.dice.choice(until(lambda: self.served.processes(victim))))

    def _reading(self) -> list[int]:
        """Return the programs that read a source just now."""
        return self.served.processes("/sources/")

    def noted(self) -> bool:
        """Look which units are done; one that was done must stay so."""
        for unit, attempt in _attempts(self.db, "u.state = 'done'").items():
            assert self.finished.setdefault(unit, attempt) == attempt, unit
        return True


@needs_redis
@pytest.mark.media
def test_a_batch_of_films_survives_every_kind_of_kill(
    served: ServedHome, redis: RedisServer, db: Database, clip: Path
) -> None:
    seed = int(os.environ.get("CHAOS_SEED", secrets.randbelow(10**6)))
    dice = random.Random(seed)
    victims = dice.sample(VICTIMS * EACH, k=len(VICTIMS) * EACH)
    logger.warning("CHAOS_SEED=%d kills %s", seed, victims)
    served.start()
    undisturbed = _take_in(served, db, clip)
    until(lambda: _ended(db, undisturbed.job), seconds=120)
    batch = [_take_in(served, db, clip) for _ in range(FILMS)]
    begun_before = Counter(_begun_units(served))
    chaos = Chaos(served, redis, db, dice)

    for victim in victims:
        if all(_ended(db, each.job) for each in batch):
            batch.append(_take_in(served, db, clip))
        chaos.strike(victim)
    until(
        lambda: chaos.noted() and all(_ended(db, each.job) for each in batch),
        seconds=180,
    )

    whole, state = _segments(served, db, undisturbed), _state(db, undisturbed)
    assert state in (TitleState.READY, TitleState.PUBLISHED)
    assert len(whole) == 3 * SECONDS // 4
    for each in batch:
        report = reports.report(db, each.job)
        assert report.state is JobState.DONE, (report.error_message, report.log_tail)
        assert _segments(served, db, each) == whole
        assert _state(db, each) is state
    attempts = _attempts(db)
    assert {unit: attempts[unit] for unit in chaos.finished} == chaos.finished
    begun = Counter(_begun_units(served)) - begun_before
    again = {unit: times - 1 for unit, times in begun.items() if times > 1}
    logger.warning(
        "%d units were begun again for %d kills", sum(again.values()), len(victims)
    )
    assert sum(again.values()) <= sum(COSTS.get(each, 0) for each in victims), again
    assert db.value("select sum(failures) from work_units") == 0
    storage = Storage(served.settings.media)
    until(lambda: not [*storage.path("work").glob("[!.]*")])
    until(lambda: not served.processes("ffmpeg"))


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
        keep_source=True,
        publish=True,
        title_id=title_id,
    )
    queue.wake(settings, arrival.job)
    return arrival


def _ended(db: Database, job: str) -> bool:
    return not jobs.by_public_id(db, job).open


def _attempts(db: Database, where: str = "1 = 1") -> dict[tuple[str, str], int]:
    rows = db.rows(
        f"""
        select j.public_id as job, u.name, u.attempt
        from work_units u join jobs j on j.id = u.job_id
        where {where}
        """
    )
    return {(row["job"], row["name"]): row["attempt"] for row in rows}


def _state(db: Database, arrival: Arrival) -> TitleState:
    return titles.by_slug(db, SYSTEM, arrival.title_slug).state


def _begun_units(served: ServedHome) -> list[tuple[str, str]]:
    """Return every beginning of a unit that the log tells of, as (unit, job)."""
    return re.findall(r"(\S+) of job (\w+) begins", served.log())


def _segments(served: ServedHome, db: Database, arrival: Arrival) -> dict[str, str]:
    """Return a digest of every segment, by its track and number."""
    asset = assets.by_public_id(db, arrival.asset)
    storage = Storage(served.settings.media)
    return {
        f"{track.kind} {track.height} {path.name}": hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for track in tracks.of_asset(db, asset.id)
        for path in storage.path(track.path).rglob("*.m4s")
    }
