"""Machines that do media work: how they are seen, told what to do, and refused."""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.db import Database
from appliance.errors import Conflict, Forbidden, Locked, NotFound
from appliance.permissions import SYSTEM, Role
from appliance.settings import Queue, Settings
from appliance.storage import Storage
from jobs import queue
from jobs.attempts import Attempt, Spec
from jobs.machines import announcing, directing, lease, nodes, wishes
from jobs.machines.announcing import Announcer
from jobs.machines.board import Board
from jobs.machines.gate import Gate
from jobs.machines.wishes import Wish
from jobs.media_worker import MediaWorker
from jobs.queue import QueueName
from jobs.tools import versions
from jobs.tools.encoders import Codec, Family
from tests.builders import Builders
from tests.conftest import Matinee

SLOTS = {QueueName.CPU: 3}


@pytest.fixture
def named(settings: Settings) -> Settings:
    """The settings of a machine that has a name."""
    return replace(settings, queue=Queue(node="encoder-1", labels="rack-2, fast"))


@pytest.fixture
def decided(storage: Storage) -> Iterator[None]:
    """A control worker holds the lease."""
    with _deciding(storage):
        yield


@pytest.fixture
def announcer(named: Settings, storage: Storage, decided: None) -> Announcer:
    return Announcer(named, storage, Board(), Gate(), SLOTS)


def test_a_machine_shows_what_it_has_and_does(
    announcer: Announcer, storage: Storage
) -> None:
    board = announcer.board
    with announcing.announced(announcer), board.entry("job", "encode-0003") as report:
        report(0.25, 30)
        announcer.look()
        found = nodes.listing(storage, time.time())

    node = found[0]
    assert (node.name, node.state, node.labels) == (
        "encoder-1",
        "working",
        ("rack-2", "fast"),
    )
    assert [(each.unit, each.progress, each.fps) for each in node.doing] == [
        ("encode-0003", 0.25, 30)
    ]
    assert node.versions == versions.installed()
    assert (Codec.H264, Family.SOFTWARE) in [
        (each.codec, each.family) for each in node.encoders
    ]
    assert node.memory_total > node.memory_free > 0
    assert nodes.listing(storage, time.time()) == []


def test_only_machines_that_live_and_may_work_are_counted(
    announcer: Announcer, storage: Storage
) -> None:
    with announcing.announced(announcer):
        _elsewhere(storage, "other", slots={"cpu": 7})
        _elsewhere(storage, "refused", slots={"cpu": 5}, refused="It is old.")
        _elsewhere(storage, "drained", slots={"cpu": 4})
        _elsewhere(storage, "limited", slots={"cpu": 9})
        wishes.put(storage, "drained", Wish(drain=True))
        wishes.put(storage, "limited", Wish(limit=2))
        now = time.time()

        assert sorted(nodes.slots(storage, now)) == [2, 3, 7]
        assert nodes.slots(storage, now, QueueName.GPU) == []
        # Of those elsewhere only their silence tells; this process lives.
        assert nodes.slots(storage, now + 60) == [3]


def test_what_another_version_announces_does_not_hide_the_others(
    storage: Storage,
) -> None:
    _elsewhere(storage, "other", slots={"cpu": 7, "abacus": 3})
    _elsewhere(storage, "newer", slots=["cpu"], doing=[{"unit": "x", "mood": "good"}])
    _elsewhere(storage, "../x", slots={"cpu": 1})

    found = nodes.listing(storage, time.time())

    assert [node.name for node in found] == ["other"]
    assert nodes.hands(found, QueueName.CPU) == [7]


def test_a_worker_that_was_killed_is_lost_at_once_on_its_own_machine(
    announcer: Announcer, storage: Storage
) -> None:
    announcer.look()
    announcer._beacon.close(remove=False)

    assert [n.state for n in nodes.listing(storage, time.time())] == ["lost"]

    with announcing.announced(announcer):
        assert [n.state for n in nodes.listing(storage, time.time())] == ["idle"]


@pytest.mark.parametrize("order", [("0a", "f9"), ("f9", "0a")])
def test_a_far_worker_that_began_anew_has_the_place_of_the_one_before(
    storage: Storage, order: tuple[str, str]
) -> None:
    before, now = (
        storage.path(nodes.FOLDER / f"{nodes.FAR}{key}.json") for key in order
    )
    text = json.dumps({"name": "one", "place": "", "roles": ["cpu"]})
    before.parent.mkdir(parents=True, exist_ok=True)
    before.write_text(text)
    os.utime(before, (time.time() - 60,) * 2)
    assert [n.state for n in nodes.listing(storage, time.time())] == ["lost"]

    now.write_text(text)

    assert [n.state for n in nodes.listing(storage, time.time())] == ["idle"]
    later = time.time() + 60
    assert {n.state for n in nodes.listing(storage, later)} == {"lost"}


def test_the_command_lists_drains_and_limits_machines(
    storage: Storage, matinee: Matinee
) -> None:
    doing = {"job": "j", "unit": "encode-0007", "seconds": 3.0, "progress": 0.5}
    _elsewhere(
        storage,
        "encoder-1",
        slots={"cpu": 4},
        labels=["rack-2"],
        doing=[doing | {"fps": None}],
    )
    _elsewhere(storage, "encoder-2", refused="Its ffmpeg is older.")

    listed = matinee("node", "list")
    assert "encode-0007 50 %" in listed.stdout
    assert "encoder-2: Its ffmpeg is older." in listed.stderr
    found = json.loads(matinee("node", "list", "--label", "rack-2", "--json").stdout)
    assert [(each["name"], each["state"]) for each in found] == [
        ("encoder-1", "working")
    ]

    drained = matinee("node", "drain", "encoder-1")
    assert "It finishes 1 work units." in drained.stdout
    assert matinee("node", "limit", "encoder-1", "2").exit_code == 0
    assert wishes.of(storage, "encoder-1") == Wish(drain=True, limit=2)
    assert matinee("node", "resume", "encoder-1").exit_code == 0
    assert matinee("node", "remove", "encoder-1").exit_code == 3
    assert matinee("node", "drain", "nobody").exit_code == 4


def test_the_best_family_that_a_machine_offers_is_chosen(storage: Storage) -> None:
    vaapi = {"codec": "h264", "family": "vaapi", "device": "/dev/dri/x", "fps": 400}
    _elsewhere(storage, "gpu", slots={"cpu": 2, "gpu": 2}, encoders=[vaapi])

    found = nodes.families(storage, time.time())

    assert found[Codec.H264] is Family.VAAPI
    assert found[Codec.AV1] is Family.SOFTWARE
    assert nodes.families(storage, time.time() + 60)[Codec.H264] is Family.SOFTWARE


def test_clocks_that_disagree_make_nobody_lost(storage: Storage) -> None:
    with _deciding(storage):
        path = storage.path(lease.PLACE)
        told = json.loads(path.read_text())
        # The clock of the control worker is an hour behind that of the storage.
        path.write_text(json.dumps(told | {"at": path.stat().st_mtime - 3600}))
        _elsewhere(storage, "other", slots={"cpu": 2})

        assert nodes.slots(storage, time.time() - 3600) == [2]
        assert nodes.slots(storage, time.time()) == []


def test_a_machine_with_other_tools_is_refused_with_the_reason(
    settings: Settings, storage: Storage
) -> None:
    other = versions.installed() | {"ffmpeg": "4.4"}
    with _deciding(storage, other):
        announcer = Announcer(settings, storage, Board(), Gate(), SLOTS)
        with announcing.announced(announcer):
            node = nodes.listing(storage, time.time())[0]

            assert node.state == "refused"
            assert f"ffmpeg is {versions.installed()['ffmpeg']} here" in node.refused
            assert "4.4 there" in node.refused
            assert not announcer.gate.open
            assert nodes.slots(storage, time.time()) == []


def test_a_machine_that_does_not_share_the_storage_takes_nothing(
    settings: Settings, storage: Storage
) -> None:
    announcer = Announcer(settings, storage, Board(), Gate(), SLOTS)
    announcer.look()
    assert "No control worker" in announcer.gate.trouble

    with _deciding(storage):
        announcer.look()
        assert announcer.gate.open
    announcer.close()


def test_the_gate_lets_in_as_many_as_are_wished() -> None:
    gate = Gate(trouble="", wish=Wish(limit=2))

    with gate.place() as first, gate.place() as second, gate.place() as third:
        assert (first, second, third) == (True, True, False)
    with gate.place() as again:
        assert again
    gate.wish = Wish(drain=True)
    with gate.place() as drained:
        assert not drained


def test_a_hint_that_comes_to_a_draining_machine_goes_back_to_the_others(
    settings: Settings, storage: Storage
) -> None:
    worker = MediaWorker(settings, storage, {}, gate=Gate(trouble="", wish=Wish(True)))
    attempt = Attempt(storage, "job", "key")
    attempt.prepare(Spec("job", "encode-0000", "encode", "key", {}))

    worker.answer(QueueName.CPU, "job", "key")

    assert not attempt.claimed
    line = queue.line(settings, QueueName.CPU)
    assert line.huey.dequeue().args == ["job", "key"]


def test_protected_films_are_left_to_machines_that_have_the_key(
    named: Settings, storage: Storage
) -> None:
    with _deciding(storage, worker_key="of the control worker"):
        announcer = Announcer(named, storage, Board(), Gate(), SLOTS)
        announcer.look()
        node = nodes.listing(storage, time.time())[0]
        alone = announcer.others_unseal()
        _elsewhere(storage, "other", slots={"cpu": 2}, unseals=True)

        assert node.state == "idle"
        assert "worker.key" in node.degraded[0]
        assert not alone
        assert announcer.others_unseal()
        attempt = Attempt(storage, "job", "key")
        sealed = {"encryption": {"sealed": "of keys"}}
        attempt.prepare(Spec("job", "package", "package", "key", sealed))
        worker = MediaWorker(
            named,
            storage,
            {},
            gate=announcer.gate,
            others_unseal=announcer.others_unseal,
        )
        worker.answer(QueueName.CPU, "job", "key")

        assert not attempt.claimed
        assert queue.line(named, QueueName.CPU).waiting() == 1
        announcer.close()


def test_wishes_are_recorded_and_hold_until_they_are_taken_back(
    db: Database, storage: Storage
) -> None:
    _elsewhere(storage, "encoder-2", slots={"cpu": 4})

    directing.drain(db, SYSTEM, storage, "encoder-2")
    directing.limit(db, SYSTEM, storage, "encoder-2", 3)
    assert wishes.of(storage, "encoder-2") == Wish(drain=True, limit=3)
    directing.resume(db, SYSTEM, storage, "encoder-2")
    assert wishes.of(storage, "encoder-2") == Wish(limit=3)

    told = db.rows("select data from events where name = 'node:change' order by id")
    assert [json.loads(row["data"]) for row in told] == [
        {"drain": True, "limit": 0},
        {"drain": True, "limit": 3},
        {"drain": False, "limit": 3},
    ]


def test_only_machines_that_are_gone_can_be_removed(
    db: Database, storage: Storage
) -> None:
    path = _elsewhere(storage, "encoder-2", slots={"cpu": 4})
    directing.drain(db, SYSTEM, storage, "encoder-2")
    with pytest.raises(Conflict, match="runs"):
        directing.remove(db, SYSTEM, storage, "encoder-2")

    os.utime(path, (0, db.clock.now().timestamp() - 60))
    directing.remove(db, SYSTEM, storage, "encoder-2")

    assert directing.listing(db, SYSTEM, storage) == []
    assert wishes.of(storage, "encoder-2") == Wish()
    with pytest.raises(NotFound):
        directing.resume(db, SYSTEM, storage, "encoder-2")


def test_only_who_may_sees_and_drains_machines(
    db: Database, storage: Storage, make: Builders
) -> None:
    uploader = make.actor(Role.CONTRIBUTOR)

    with pytest.raises(Forbidden):
        directing.listing(db, uploader, storage)
    with pytest.raises(Forbidden):
        directing.drain(db, uploader, storage, "encoder-2")


def test_a_second_control_worker_is_refused(storage: Storage) -> None:
    with (
        _deciding(storage),
        pytest.raises(Locked, match="runs already"),
        _deciding(storage),
    ):
        pass


def test_a_control_worker_on_another_machine_counts_as_long_as_it_writes(
    storage: Storage,
) -> None:
    path = storage.path(lease.PLACE)
    ended = threading.Event()

    def write() -> None:
        beat = 0
        while not ended.wait(0.05):
            beat += 1
            told = {"token": "theirs", "beat": beat, "host": "elsewhere", "at": 0}
            aside = path.with_suffix(".aside")
            aside.parent.mkdir(parents=True, exist_ok=True)
            aside.write_text(json.dumps(told | {"place": "another kernel"}))
            aside.replace(path)

    thread = threading.Thread(target=write)
    thread.start()
    while not path.exists():
        ended.wait(0.01)
    try:
        with pytest.raises(Locked, match="elsewhere"), _deciding(storage):
            pass
    finally:
        ended.set()
        thread.join()

    with _deciding(storage) as mine:
        mine.require()
        assert lease.elsewhere(storage) == ""


def test_a_control_worker_that_was_replaced_meanwhile_ends(storage: Storage) -> None:
    with _deciding(storage) as mine:
        path = storage.path(lease.PLACE)
        theirs = {"token": "theirs", "host": "elsewhere", "place": "another kernel"}
        path.write_text(json.dumps(theirs))

        mine.renew()

        with pytest.raises(Locked, match="elsewhere"):
            mine.require()
    assert json.loads(path.read_text()) == theirs


@contextmanager
def _deciding(
    storage: Storage, told: dict[str, str] | None = None, worker_key: str = ""
) -> Iterator[lease.Lease]:
    found = {
        "versions": versions.installed() if told is None else told,
        "worker_key": worker_key,
    }
    with lease.held(storage, 0.5, lambda: found, threading.Event()) as mine:
        yield mine


def _elsewhere(storage: Storage, name: str, **told: Any) -> Path:
    """Announce a machine whose locks mean nothing here."""
    text = json.dumps({"name": name, "place": "another kernel", **told})
    key = name.replace("/", "-")
    return storage.write(nodes.FOLDER / f"{key}.json", text.encode())
