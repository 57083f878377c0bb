"""The audit log: written with what it speaks of, or not at all."""

import pytest

from appliance import events
from appliance.clock import FixedClock
from appliance.db import Database, write
from appliance.events import Event, record
from appliance.permissions import SYSTEM
from tests.builders import Builders


def test_an_event_tells_who_when_and_what(
    db: Database, make: Builders, clock: FixedClock
) -> None:
    actor = make.actor()
    clock.advance(minutes=5)

    with write(db):
        record(
            db, actor, Event.TITLE_STATE, "title/1", before="ready", after="published"
        )

    [event] = events.since(db)
    assert event.at == "2026-01-02T12:05:00.000000Z"
    assert (event.name, event.actor, event.subject) == (
        "title:state",
        actor.username,
        "title/1",
    )
    assert event.data == {"before": "ready", "after": "published"}


def test_an_event_disappears_with_what_failed(db: Database) -> None:
    with pytest.raises(ZeroDivisionError), write(db):
        record(db, SYSTEM, Event.JOB_CREATE, "job/1")
        raise ZeroDivisionError

    assert events.since(db) == []


def test_an_event_outside_a_transaction_is_refused(db: Database) -> None:
    with pytest.raises(RuntimeError, match="job:create"):
        record(db, SYSTEM, Event.JOB_CREATE, "job/1")


def test_a_reader_goes_on_from_a_cursor(db: Database) -> None:
    with write(db):
        for number in range(5):
            record(db, SYSTEM, Event.JOB_CREATE, f"job/{number}")

    first = events.since(db, limit=2)
    rest = events.since(db, first[-1].id)

    assert [e.subject for e in first + rest] == [f"job/{n}" for n in range(5)]


def test_the_latest_come_in_the_order_they_happened(db: Database) -> None:
    with write(db):
        for number in range(5):
            record(db, SYSTEM, Event.JOB_CREATE, f"job/{number}")

    assert [e.subject for e in events.latest(db, 2)] == ["job/3", "job/4"]
