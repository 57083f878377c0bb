"""Files on their way to far media workers and back, and what may go there at all."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import InvalidInput, TryAgain
from appliance.objects import ObjectStore
from appliance.settings import Settings
from appliance.storage import Storage
from jobs.attempts import Attempt, Spec
from jobs.exchange import hands, inputs
from jobs.exchange.hands import Hands, Loan
from jobs.exchange.parcels import DAMAGED, PIECE, Carrier, Known, Parcel
from jobs.machines.nodes import Node
from jobs.queue import QueueName
from tests.host.object_server import ObjectServer

SEALED = {"encryption": {"scheme": "cbcs", "sealed": "secret"}}


@pytest.fixture
def objects(bucket: ObjectServer, tmp_path: Path) -> ObjectStore:
    return ObjectStore(bucket.used_by(Settings(home=tmp_path / "home")))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A folder with a file of three pieces, the last of which is small."""
    folder = tmp_path / "sent"
    folder.mkdir()
    (folder / "film.mp4").write_bytes(random.Random(7).randbytes(2 * PIECE + 1000))
    return folder


def test_files_arrive_as_they_were_sent(
    objects: ObjectStore, film: Path, tmp_path: Path
) -> None:
    (film / "empty").touch()
    sent = Carrier(objects, "job").send(film, ["film.mp4", "empty"])

    Carrier(objects, "job").fetch(sent, tmp_path / "got")

    got = {path.name: path.read_bytes() for path in (tmp_path / "got").iterdir()}
    assert got == {path.name: path.read_bytes() for path in film.iterdir()}


def test_what_was_fetched_before_a_kill_is_not_fetched_again(
    objects: ObjectStore, film: Path, tmp_path: Path
) -> None:
    (sent,) = Carrier(objects, "job").send(film, ["film.mp4"])
    begun = tmp_path / "got" / ".film.mp4.part"
    begun.parent.mkdir()
    begun.write_bytes((film / "film.mp4").read_bytes()[: PIECE + 10])
    objects.remove(f"work/job/pieces/{sent.pieces[0]}")

    Carrier(objects, "job").fetch([sent], tmp_path / "got")

    whole = (tmp_path / "got" / "film.mp4").read_bytes()
    assert whole == (film / "film.mp4").read_bytes()


def test_what_came_damaged_is_not_taken(
    objects: ObjectStore, film: Path, tmp_path: Path
) -> None:
    (sent,) = Carrier(objects, "job").send(film, ["film.mp4"])
    objects.write(f"work/job/pieces/{sent.pieces[1]}", b"something else")

    with pytest.raises(TryAgain) as refused:
        Carrier(objects, "job", patience=0).fetch([sent], tmp_path / "got")

    assert refused.value.code == DAMAGED
    assert not (tmp_path / "got" / "film.mp4").exists()


def test_a_file_that_was_made_anew_is_fetched_anew(
    objects: ObjectStore, film: Path, tmp_path: Path
) -> None:
    carrier = Carrier(objects, "job", Known())
    carrier.fetch(carrier.send(film, ["film.mp4"]), tmp_path / "got")
    (film / "film.mp4").write_bytes(b"made again")

    carrier.fetch(carrier.send(film, ["film.mp4"]), tmp_path / "got")

    assert (tmp_path / "got" / "film.mp4").read_bytes() == b"made again"


def test_no_file_leaves_the_folder_it_is_fetched_to(
    objects: ObjectStore, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput):
        Carrier(objects, "job").fetch([Parcel("../out", 0, ())], tmp_path / "got")


def test_what_needs_content_keys_goes_only_where_they_can_be_opened(
    tmp_path: Path,
) -> None:
    sealed = _spec("package", SEALED)
    nobody = Hands([])

    assert not nobody.free(_node("far"), "far", sealed)
    assert nobody.free(_node("far", unseals=True), "far", sealed)
    assert nobody.free(_node("far"), "far", _spec("package", {"encryption": None}))


def test_what_is_soon_done_is_lent_only_if_nobody_near_can_do_it() -> None:
    near = [_node("near")]

    assert hands.may_be_lent(_spec("encode", {}), near)
    assert not hands.may_be_lent(_spec("package", {}), near)
    assert hands.may_be_lent(_spec("package", {}), [])
    assert hands.may_be_lent(_spec("package", SEALED), near)


def test_what_reads_installed_tracks_stays() -> None:
    decrypt = {"tracks": [{"file": "1.mp4", "path": "packages/1"}], "sealed": None}

    assert not inputs.portable(_spec("decrypt", decrypt))
    assert inputs.portable(_spec("join", {"tracks": ["1", "2"], "chunks": ["3"]}))


def test_a_worker_gets_no_more_than_it_has_hands_for(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    attempt = Attempt(storage, "job", "first")
    attempt.prepare(_spec("encode", {}))
    assert attempt.lend("far", "far")
    assert not attempt.lend("other", "other")

    one = Hands([Loan(attempt, "far", None)])
    ended = Hands([Loan(attempt, "far", {"ended": True})])

    assert not one.free(_node("far"), "far", _spec("encode", {}))
    assert one.free(_node("other"), "other", _spec("encode", {}))
    assert ended.free(_node("far"), "far", _spec("encode", {}))


def test_a_unit_gets_what_it_needs_and_what_all_others_reported(
    tmp_path: Path,
) -> None:
    storage = Storage(tmp_path)
    storage.write("sources/film/source.mp4", b"source")
    for unit in ("encode-0000", "audio"):
        for name in ("result.json", "out.mp4", "spec.json"):
            storage.write(f"work/job/done/{unit}/{name}", b"{}")
    spec = Spec("job", "x", "x", "k", {"source": "sources/film/source.mp4"}, ["audio"])

    assert list(inputs.names(storage, spec)) == [
        "sources/film/source.mp4",
        "work/job/done/audio/out.mp4",
        "work/job/done/audio/result.json",
        "work/job/done/encode-0000/result.json",
    ]


def _spec(step: str, spec: dict[str, Any]) -> Spec:
    return Spec("job", step, step, "key", json.loads(json.dumps(spec)))


def _node(key: str, *, unseals: bool = False) -> Node:
    return Node(
        key=key,
        name=key,
        pid=1,
        alive=True,
        silent=0,
        slots={QueueName.CPU: 1},
        roles=("cpu",),
        labels=(),
        versions={},
        encoders=(),
        degraded=(),
        refused="",
        trouble="",
        draining=False,
        unseals=unseals,
        limit=0,
        load=0,
        cores=1,
        memory_free=0,
        memory_total=0,
        scratch_free=0,
        doing=(),
    )
