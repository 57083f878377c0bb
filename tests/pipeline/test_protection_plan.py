"""Content keys on their way into a job, whoever makes them, however slowly."""

import dataclasses
import json
import logging
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from appliance.catalog import titles
from appliance.catalog.titles import TitleState
from appliance.cenc import SYSTEM_IDS, KeySystem, Label, Scheme
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.media import assets, jobs, units
from appliance.media.jobs import JobState
from appliance.media.uploads import Arrival
from appliance.permissions import SYSTEM
from appliance.protection import keys, pssh
from appliance.settings import Encode, Protection, Settings
from appliance.storage import Storage
from jobs.errands import Beside
from jobs.making import encryption, protection
from jobs.making.protection import Wish
from tests.builders import Builders
from tests.doubles.server import Mood, Service, served
from tests.doubles.speke_service import SpekeService
from tests.pipeline.control_room import ControlRoom, steps


@pytest.fixture
def room(
    db: Database, storage: Storage, settings: Settings, clock: FixedClock
) -> ControlRoom:
    quick = dataclasses.replace(
        settings, encode=Encode(chunk_seconds=20, per_title=False)
    )
    return ControlRoom(db, storage, quick, clock, steps())


@pytest.fixture
def service() -> Iterator[Service]:
    with served(SpekeService()) as service:
        yield service


def test_units_get_the_keys_of_the_title_sealed_and_nobody_else_sees_them(
    room: ControlRoom, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    arrival = _protected(room)

    room.until_handed_out("package")

    asset = assets.by_public_id(room.db, arrival.asset)
    made = keys.of_asset(room.db, room.settings, asset.id)
    spec = json.loads(room.unit("package")["spec"])["encryption"]
    opened = encryption.opened(spec, room.settings.keys, arrival.job)
    assert opened is not None
    assert {key.label for key in made} == {Label.AUDIO, Label.SD} == set(opened.keys)
    for key in made:
        assert opened.of(key.label).key == key.key.hex()
        assert opened.of(key.label).iv == key.iv
        _nowhere(room, caplog, key.key)


def test_a_clear_title_needs_no_keys(room: ControlRoom) -> None:
    arrival = room.film()

    room.until_handed_out("package")

    asset = assets.by_public_id(room.db, arrival.asset)
    assert keys.of_asset(room.db, room.settings, asset.id) == ()
    assert json.loads(room.unit("package")["spec"])["encryption"] is None


def test_a_title_says_how_it_is_encrypted_before_the_library_does(
    make: Builders, settings: Settings
) -> None:
    library = Protection(scheme="cenc", key_systems="widevine", clear_lead_seconds=8)
    settings = dataclasses.replace(settings, protection=library)
    of_library = make.title(protected=1)
    of_its_own = make.title(
        protected=1, scheme="cbcs", key_systems=json.dumps(["org.w3.clearkey"])
    )

    assert protection.wish(of_library, settings) == Wish(
        Scheme.CENC, (KeySystem.WIDEVINE,), 8
    )
    assert protection.wish(of_its_own, settings) == Wish(
        Scheme.CBCS, (KeySystem.CLEARKEY,), 8
    )
    assert protection.wish(make.title(), settings) is None


@pytest.mark.parametrize(
    ("allowed", "boxes"),
    [
        ((KeySystem.CLEARKEY,), [KeySystem.CLEARKEY]),
        ((KeySystem.WIDEVINE,), [KeySystem.WIDEVINE]),
        (
            (KeySystem.FAIRPLAY, KeySystem.PLAYREADY, KeySystem.WIDEVINE),
            [KeySystem.WIDEVINE, KeySystem.PLAYREADY],
        ),
    ],
)
def test_init_segments_get_boxes_of_the_allowed_key_systems_only(
    db: Database,
    settings: Settings,
    make: Builders,
    allowed: tuple[KeySystem, ...],
    boxes: list[KeySystem],
) -> None:
    asset = make.asset()
    every = tuple(KeySystem)
    labels = (Label.AUDIO, Label.SD)
    made = keys.ensure(db, settings, SYSTEM, asset, labels, Scheme.CBCS, every)

    found = protection.encryption(Wish(Scheme.CBCS, allowed, 0), made)

    for key in found.keys.values():
        assert [box.system_id for box in pssh.read(key.boxes)] == [
            SYSTEM_IDS[system] for system in boxes
        ]


def test_a_key_service_that_is_slow_keeps_only_its_own_job_waiting(
    room: ControlRoom, service: Service
) -> None:
    rung = _ask(room, service, Mood.SILENT)
    slow = _protected(room)
    room.run(room.until_handed_out("inspect"))
    room.round()

    quick = room.film("quick.mp4")
    done = room.until_ended(quick.job)

    assert done.state is JobState.DONE
    assert set(units.states(room.db, _job_id(room, slow))) == {"inspect"}
    assert jobs.by_public_id(room.db, slow.job).open
    service.mood = Mood.WELL
    service.over.set()  # the one who was silent gives up: that was the first try
    assert rung.get(timeout=20) == slow.job


def test_a_key_service_that_fails_is_asked_three_times_before_the_job_fails(
    room: ControlRoom, service: Service
) -> None:
    rung = _ask(room, service, Mood.FAILS)
    arrival = _protected(room)
    room.run(room.until_handed_out("inspect"))
    room.round()

    for _ in range(3):
        assert jobs.by_public_id(room.db, arrival.job).open
        room.round(rung.get(timeout=20))
        room.round(arrival.job)

    job = jobs.by_public_id(room.db, arrival.job)
    assert job.state is JobState.FAILED
    assert job.error_code == "protection.provider-failed"
    assert job.error_message.endswith(".")
    assert len(service.bodies) == 3
    asset = assets.by_public_id(room.db, arrival.asset)
    assert keys.of_asset(room.db, room.settings, asset.id) == ()


def test_a_job_that_got_no_keys_is_tried_again_and_inspects_nothing_twice(
    room: ControlRoom, service: Service
) -> None:
    rung = _ask(room, service, Mood.REFUSES)
    arrival = _protected(room)
    room.run(room.until_handed_out("inspect"))
    room.round()
    room.round(rung.get(timeout=20))
    assert jobs.by_public_id(room.db, arrival.job).state is JobState.FAILED

    service.mood = Mood.WELL
    jobs.retry(room.db, SYSTEM, arrival.job)
    room.round(arrival.job)
    room.round(rung.get(timeout=20))
    job = room.until_ended(arrival.job)

    assert job.state is JobState.DONE, job.error_message
    assert room.ran.count("inspect") == 1
    assert titles.by_slug(room.db, SYSTEM, arrival.title_slug).state is TitleState.READY


def test_no_transaction_is_open_while_a_key_service_is_asked(
    room: ControlRoom, service: Service
) -> None:
    rung = _ask(room, service, Mood.SILENT)
    _protected(room)
    room.run(room.until_handed_out("inspect"))
    room.round()

    # Whoever wants to write can: a held lock would make this wait and fail.
    room.db.conn.execute("pragma busy_timeout = 0")
    titles.create(room.db, SYSTEM, "Another")

    service.over.set()
    assert rung.get(timeout=20)


@pytest.mark.parametrize("protected", [True, False])
def test_a_title_whose_protection_changes_meanwhile_is_packaged_again(
    room: ControlRoom, protected: bool
) -> None:
    arrival = room.film() if protected else _protected(room)
    room.run(room.until_handed_out("verify"))

    titles.edit(room.db, SYSTEM, arrival.title_slug, protected=protected)
    room.until_ended(arrival.job)

    twice = {name for name in room.ran if room.ran.count(name) == 2}
    assert twice == {"package", "verify"}
    assert assets.by_public_id(room.db, arrival.asset).version == 1


def _protected(room: ControlRoom) -> Arrival:
    title = titles.create(room.db, SYSTEM, "Protected", protected=True)
    return room.film(title_id=title.id)


def _job_id(room: ControlRoom, arrival: Arrival) -> int:
    return jobs.by_public_id(room.db, arrival.job).id


def _ask(room: ControlRoom, service: Service, mood: Mood) -> "SimpleQueue[str]":
    """Let the room get its keys from a service, as the real process does."""
    service.mood = mood
    place = room.settings.keys / "drm.toml"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("[speke]\n")
    place.chmod(0o600)
    library = Protection(keys_from="speke", keys_url=service.url, timeout_seconds=5)
    room.settings = dataclasses.replace(room.settings, protection=library)
    room.restart()
    rung: SimpleQueue[str] = SimpleQueue()
    room.control.errand = Beside(room.settings.database, rung.put, attempts=3)
    return rung


def _nowhere(room: ControlRoom, caplog: pytest.LogCaptureFixture, key: bytes) -> None:
    """Look for a key in logs, rows and files."""
    assert key.hex() not in caplog.text
    assert key.hex() not in "\n".join(room.db.conn.iterdump()).lower()
    for path in room.settings.home.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert key not in data, path
        assert key.hex().encode() not in data, path
