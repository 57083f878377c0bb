"""What sharing films over machines brings, and what the queue costs."""

import queue as hints
import secrets
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from huey import PriorityRedisHuey, SqliteHuey
from huey.consumer import Consumer
from redis import ConnectionPool

from appliance import migrations
from appliance.db import Database, connect
from appliance.media import jobs, transitions, uploads
from appliance.permissions import SYSTEM
from appliance.settings import Queue, Settings
from appliance.storage import Storage
from jobs import control, pipeline, queue, settle
from jobs.attempts import Attempt, Spec
from jobs.machines.gate import Gate
from jobs.media_worker import Ending, MediaWorker
from jobs.planning.plan import NewUnit
from jobs.queue import QueueName
from jobs.work import Work
from tests.bench import figures
from tests.bench.figures import Figure
from tests.bench.films import Films
from tests.pipeline.cluster import Cluster, cluster
from tests.pipeline.redis_server import RedisServer
from tests.pipeline.served_home import until

_PAIRS = 3
_GOAL_FASTER = 1.6
_UNITS, _GOAL_OVERHEAD = 100, 0.05
_HINTS, _THREADS, _GOAL_RATE = 2000, 2, 0.6


def machines(films: Films, folder: Path) -> Iterator[Figure]:
    """The time of a film with one machine of one core, and with two of them."""
    folder.mkdir()
    ones, twos = [], []
    for number in range(_PAIRS):
        with cluster(
            folder / str(number),
            MATINEE_ENCODE_CHUNK_SECONDS="12",
            MATINEE_ENCODE_PER_TITLE="false",
        ) as built:
            built.join("one", core=0, share=False)
            ones.append(_seconds(built, films.short))
            built.join("two", core=1, share=False)
            twos.append(_seconds(built, films.short))
    pairs = statistics.median(a / b for a, b in zip(ones, twos, strict=True))
    note = f"median of {_PAIRS} pairs; each machine has one core, and one its control"
    yield Figure(
        "one machine ÷ two, wall",
        round(statistics.median(ones), 2),
        round(statistics.median(twos), 2),
        round(pairs, 4),
        _GOAL_FASTER,
        "higher",
        note,
    )


def overhead(_films: Films, folder: Path) -> Iterator[Figure]:
    """What a work unit costs besides its work: handed out, claimed, accepted."""
    folder.mkdir()
    for store, settings in _stores(folder):
        seconds = _through_everything(settings)
        note = f"seconds for each of {_UNITS} units that do nothing; one hand"
        name = f"queue overhead, {store}"
        yield figures.ratio(name, seconds, _GOAL_OVERHEAD, 1.0, note)


def consuming(_films: Films, folder: Path) -> Iterator[Figure]:
    """How fast hints are taken and claimed, against stock Huey doing nothing."""
    folder.mkdir()
    for store, settings in _stores(folder):
        ours, stock = [], []
        for _ in range(_PAIRS):
            stock.append(_stock_rate(settings))
            ours.append(_our_rate(settings))
        ratio = statistics.median(a / b for a, b in zip(ours, stock, strict=True))
        yield Figure(
            f"consume rate, {store}",
            round(statistics.median(ours)),
            round(statistics.median(stock)),
            round(ratio, 4),
            _GOAL_RATE,
            "higher",
            f"units/s taken and claimed; stock Huey's tasks/s; {_THREADS} threads",
        )


def _seconds(built: Cluster, film: Path) -> float:
    """Return how long a film takes from its arrival to its end."""
    storage = Storage(built.settings.media)
    with connect(built.settings.database) as db:
        since = time.monotonic()
        arrival = uploads.take_in(
            db, storage, built.settings, SYSTEM, film, film.name, keep_source=True
        )
        until(lambda: not jobs.by_public_id(db, arrival.job).open, seconds=1800)
        return time.monotonic() - since


@contextmanager
def _redis(folder: Path) -> Iterator[Settings]:
    with RedisServer(folder) as server:
        yield Settings(home=folder / "redis", queue=Queue(url=server.url, slots=1))


def _stores(folder: Path) -> Iterator[tuple[str, Settings]]:
    yield "SQLite", Settings(home=folder / "sqlite", queue=Queue(slots=1))
    with _redis(folder) as settings:
        yield "Redis", settings


def _through_everything(settings: Settings) -> float:
    """Run units that do nothing through rows, queue and folders; seconds for each."""
    settings.home.mkdir()
    migrations.migrate(settings.database)
    storage = Storage(settings.media)
    steps = {"nothing": _nothing}
    worker = MediaWorker(settings, storage, steps, gate=Gate(trouble=""))
    ending = Ending()
    rung: hints.SimpleQueue[str] = hints.SimpleQueue()
    with (
        connect(settings.database) as db,
        control.doorbell(settings, rung.put),
        worker.consuming({QueueName.CPU: 1}, ending),
    ):
        _add_units(db, storage, settings)
        since = time.monotonic()
        while db.value("select count(*) from work_units where state != 'done'"):
            settle.settle(db, storage, settings)
            pipeline.hand_out(db, storage, settings)
            control.take(rung, 0.5)
        return (time.monotonic() - since) / _UNITS


def _add_units(db: Database, storage: Storage, settings: Settings) -> None:
    source = settings.home / "film.mp4"
    source.write_bytes(b"nobody looks at it")
    arrival = uploads.take_in(
        db, storage, settings, SYSTEM, source, source.name, keep_source=False
    )
    job = jobs.by_public_id(db, arrival.job)
    planned = [
        NewUnit(f"unit-{number:04}", "nothing", (), 1.0, {}, number)
        for number in range(_UNITS)
    ]
    transitions.add(db, job.id, planned)


def _nothing(_spec: dict[str, Any], _work: Work) -> dict[str, Any]:
    return {}


def _our_rate(settings: Settings) -> float:
    """Let threads take hints and claim what these name; return how many a second."""
    storage = Storage(settings.home / f"claims-{secrets.token_hex(4)}")
    names = [secrets.token_hex(8) for _ in range(_HINTS)]
    for key in names:
        Attempt(storage, "job", key).prepare(Spec("job", key, "nothing", key, {}))
    claimed = _Counter()

    def answer(job: str, key: str) -> None:
        attempt = Attempt(storage, job, key)
        assert attempt.spec() is not None
        with attempt.claim() as ours:
            claimed.add(ours)

    line = queue.line(settings, QueueName.SPEECH, answer)
    for key in names:
        line.send("job", key)
    return _rate(line.huey, claimed)


def _stock_rate(settings: Settings) -> float:
    """Let stock Huey do as many tasks that do nothing, on the same store.

    As it comes it waits for the disk, since what it forgets is lost. Ours need not: the
    rows say again what is to be done.
    """
    name = f"stock-{secrets.token_hex(4)}"
    if settings.queue.url:
        pool = ConnectionPool.from_url(settings.queue.url)
        huey = PriorityRedisHuey(name, connection_pool=pool, results=False)
    else:
        settings.home.mkdir(exist_ok=True)
        place = str(settings.home / f"{name}.db")
        huey = SqliteHuey(name, filename=place, results=False)
    done = _Counter()

    def count(_job: str, _key: str) -> None:
        done.add(True)

    nothing = huey.task(name="nothing")(count)
    for _ in range(_HINTS):
        nothing("job", secrets.token_hex(8))
    return _rate(huey, done)


class _Counter:
    """Counts what threads have done."""

    def __init__(self) -> None:
        self.count = 0
        self.lock = threading.Lock()
        self.all = threading.Event()

    def add(self, done: bool) -> None:
        with self.lock:
            self.count += done
            if self.count == _HINTS:
                self.all.set()


def _rate(huey: Any, counter: _Counter) -> float:
    consumer = _QuietConsumer(huey, workers=_THREADS, periodic=False, **queue.POLLING)
    since = time.monotonic()
    consumer.start()
    assert counter.all.wait(120)
    seconds = time.monotonic() - since
    consumer.stop(graceful=True)
    return _HINTS / seconds


class _QuietConsumer(Consumer):  # type: ignore[misc]
    """Huey's consumer, which leaves the signals of this process alone."""

    def _set_signal_handlers(self) -> None:
        pass
