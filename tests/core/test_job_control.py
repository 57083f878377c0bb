"""Holding jobs and letting some go first."""

import pytest

from appliance.db import Database
from appliance.errors import Conflict, Forbidden, InvalidInput
from appliance.events import latest
from appliance.media import job_control, jobs, reports, transitions, units
from appliance.permissions import SYSTEM, Role
from jobs.planning.plan import NewUnit
from tests.builders import Builders


def test_a_paused_job_has_nothing_ready_until_it_goes_on(
    db: Database, make: Builders
) -> None:
    job = _job(db, make)

    job_control.pause(db, SYSTEM, job.public_id)
    held = units.ready(db, 9, inspecting=True)
    told = reports.report(db, job.public_id)
    job_control.resume(db, SYSTEM, job.public_id)

    assert held == []
    assert told.paused
    assert len(units.ready(db, 9, inspecting=True)) == 1
    assert not reports.report(db, job.public_id).paused
    assert [each.name for each in latest(db, 2)] == ["job:pause", "job:resume"]


def test_a_job_of_higher_priority_goes_before_an_older_one(
    db: Database, make: Builders
) -> None:
    _job(db, make)
    urgent = _job(db, make)

    job_control.prioritise(db, SYSTEM, urgent.public_id, 10)

    first = units.ready(db, 1, inspecting=True)[0]
    assert (first.job, first.priority) == (urgent.public_id, 10)
    assert reports.report(db, urgent.public_id).priority == 10


def test_a_paused_job_keeps_nobody_waiting(db: Database, make: Builders) -> None:
    first, second = _job(db, make), _job(db, make)
    behind = reports.report(db, second.public_id).queue_position

    job_control.pause(db, SYSTEM, first.public_id)

    assert behind == 2
    assert reports.report(db, second.public_id).queue_position is None
    assert reports.report(db, first.public_id).queue_position is None


def test_what_makes_no_sense_is_refused(db: Database, make: Builders) -> None:
    job = _job(db, make).public_id

    with pytest.raises(Forbidden):
        job_control.pause(db, make.actor(Role.CONTRIBUTOR), job)
    with pytest.raises(Conflict, match="is not paused"):
        job_control.resume(db, SYSTEM, job)
    with pytest.raises(InvalidInput, match="between -100 and 100"):
        job_control.prioritise(db, SYSTEM, job, 101)
    job_control.pause(db, SYSTEM, job)
    with pytest.raises(Conflict, match="is paused already"):
        job_control.pause(db, SYSTEM, job)
    jobs.cancel(db, SYSTEM, job)
    with pytest.raises(Conflict, match="has ended: it is cancelled"):
        job_control.resume(db, SYSTEM, job)


def test_a_retried_job_is_not_paused_any_more(db: Database, make: Builders) -> None:
    job = _job(db, make).public_id
    job_control.pause(db, SYSTEM, job)
    jobs.cancel(db, SYSTEM, job)

    assert not jobs.retry(db, SYSTEM, job).paused


def _job(db: Database, make: Builders) -> jobs.Job:
    job = jobs.create(db, SYSTEM, make.asset(state="uploaded").id)
    transitions.add(db, job.id, [NewUnit("inspect", "inspect", (), 1, {}, 0)])
    return job
