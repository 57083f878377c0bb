"""Films shared over several machines: one is cut off, another joins, a third is old."""

import logging
import time
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
from jobs.machines import directing, nodes
from jobs.machines.nodes import Node
from tests import media_samples
from tests.pipeline.cluster import PASSWORD, Cluster, can_share, cluster
from tests.pipeline.lan import needs_lan
from tests.pipeline.served_home import until

pytestmark = [
    pytest.mark.media,
    needs_lan,
    pytest.mark.skipif(not can_share, reason="sshfs and socat are not installed"),
]

MINUTE = 60

logger = logging.getLogger(__name__)


@pytest.fixture
def built(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(
        tmp_path,
        MATINEE_ENCODE_CHUNK_SECONDS="4",
        MATINEE_ENCODE_PRESET="slower",
        MATINEE_ENCODE_PER_TITLE="false",
        MATINEE_QUEUE_SLOTS="1",
    ) as found:
        yield found


@pytest.fixture
def db(built: Cluster) -> Iterator[Database]:
    with database.connect(built.settings.database) as connection:
        yield connection


@pytest.fixture
def storage(built: Cluster) -> Storage:
    return Storage(built.settings.media)


def test_what_a_machine_was_doing_is_taken_over_when_it_is_cut_off(
    built: Cluster, db: Database, storage: Storage, clips: Path
) -> None:
    # Large enough to be met while it is encoded, also on a quick machine.
    clip = media_samples.film(clips, "shared.mp4", seconds=16, size="854x480")
    short = media_samples.film(clips, "short.mp4", seconds=4, size="128x96")
    built.join("first", core=0)
    arrival = _take_in(built, db, storage, clip)
    lost = until(lambda: _encoding(db, "first"), seconds=MINUTE)

    built.lan.cut("first")
    cut = time.monotonic()
    built.join("second", core=1)
    until(lambda: _done_by(db, arrival, lost) == "second", seconds=2 * MINUTE)
    taken_over = time.monotonic() - cut
    until(lambda: _ended(db, arrival), seconds=2 * MINUTE)

    logger.warning("taken over after %.0f s", taken_over)
    assert taken_over < MINUTE
    report = reports.report(db, arrival.job)
    assert report.state is JobState.DONE, report.error_message
    assert _losses(db, arrival) == 1
    assert _node(built, db, storage, "first").state == "lost"

    built.lan.mend("first")
    until(lambda: _node(built, db, storage, "first").takes, seconds=MINUTE)
    directing.drain(db, SYSTEM, storage, "second")
    until(lambda: _node(built, db, storage, "second").state == "drained")
    again = _take_in(built, db, storage, short)
    until(lambda: _ended(db, again), seconds=2 * MINUTE)

    assert _done_by(db, again) == "first"
    assert PASSWORD not in "".join(built.log(name) for name in built.homes)


def _take_in(built: Cluster, db: Database, storage: Storage, clip: Path) -> Arrival:
    return uploads.take_in(
        db, storage, built.settings, SYSTEM, clip, clip.name, keep_source=True
    )


def _ended(db: Database, arrival: Arrival) -> bool:
    return not jobs.by_public_id(db, arrival.job).open


def _encoding(db: Database, node: str) -> str | None:
    """Return the name of a chunk that a machine has begun with."""
    name: str | None = db.value(
        """
        select name from work_units
        where state = 'running' and step = 'encode' and node = ? and progress > 0
        """,
        (node,),
    )
    return name


def _done_by(db: Database, arrival: Arrival, name: str = "package") -> str:
    node: str = db.value(
        """
        select node from work_units
        where job_id = (select id from jobs where public_id = ?) and name = ?
        """,
        (arrival.job, name),
    )
    return node


def _losses(db: Database, arrival: Arrival) -> int:
    lost: int = db.value(
        """
        select sum(attempt - 1) from work_units
        where job_id = (select id from jobs where public_id = ?)
        """,
        (arrival.job,),
    )
    return lost


def _node(built: Cluster, db: Database, storage: Storage, name: str) -> Node:
    """Return a machine that is listed: the name of a file that is just being replaced
    may be missed by who reads its folder in memory.
    """

    def look() -> Node | None:
        found = nodes.listing(storage, db.clock.now().timestamp())
        return next((node for node in found if node.name == name), None)

    return until(look)
