"""Moving films between the disk and a real S3 server, while they stay playable."""

import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.clock import FixedClock
from appliance.db import Database, write
from appliance.delivery import tokens
from appliance.errors import (
    Conflict,
    Forbidden,
    Locked,
    PreconditionFailed,
    StorageFull,
    TryAgain,
)
from appliance.events import Event, latest
from appliance.media import assets, leftovers, tracks
from appliance.media.assets import Asset
from appliance.media.moving import Move
from appliance.media.tracks import Place
from appliance.objects import ObjectStore, Stores
from appliance.permissions import SYSTEM, Role
from appliance.settings import Settings
from appliance.storage import Storage
from jobs.chores import Chores
from tests.builders import Builders
from tests.conftest import Matinee
from tests.host.mounts import Mounts
from tests.host.object_server import ObjectServer
from web import create_app

ROOT = Path(__file__).resolve().parent.parent.parent
SLUG = "the-film"


@pytest.fixture
def film(make: Builders) -> Asset:
    return make.asset(
        make.title("The Film", slug=SLUG), captions=("en",), heights=(234, 360)
    )


@pytest.fixture
def used(settings: Settings, bucket: ObjectServer) -> Settings:
    """The settings of an installation that uses the bucket."""
    return bucket.used_by(settings)


@pytest.fixture
def mover(db: Database, storage: Storage, used: Settings) -> Move:
    return Move(db, Stores(storage, used), SYSTEM)


@pytest.fixture
def viewer(used: Settings, clock: FixedClock, storage: Storage) -> FlaskClient:
    return create_app(used, clock).test_client()


@pytest.fixture
def store(used: Settings) -> ObjectStore:
    return ObjectStore(used)


def files_of(db: Database, storage: Storage, film: Asset) -> dict[str, bytes]:
    """Return every file of a film that lies on the disk, by its path there."""
    return {
        f"{track.path}/{path.name}": path.read_bytes()
        for track in tracks.of_asset(db, film.id)
        for path in storage.path(track.path).glob("*")
    }


def served(
    viewer: FlaskClient, used: Settings, clock: FixedClock, film: Asset, path: str
) -> bytes:
    """Return what a player gets for a file, by its path in the storage."""
    expires = int(clock.now().timestamp()) + 300
    token = tokens.sign(
        tokens.load(used.keys), film.public_id, "0123456789abcdef", expires
    )
    name = path.removeprefix(f"packages/{film.public_id}/")
    answer = viewer.get(f"/media/{token}/{film.public_id}/{name}", buffered=True)
    assert answer.status_code == 200, f"{path}: {answer.status_code}"
    content: bytes = answer.data
    return content


def damage(store: ObjectStore, path: str, tmp_path: Path) -> None:
    """Put other bytes, as many as there were, in the place of an object."""
    (tmp_path / "damaged").write_bytes(b"damaged")
    store.put(tmp_path / "damaged", path, "video/mp4", "no-store")


def places(db: Database, film: Asset) -> set[Place]:
    return {track.place for track in tracks.of_asset(db, film.id)}


def left(db: Database) -> list[dict[str, object]]:
    return db.rows("select place, path from leftovers")


def test_a_film_goes_there_and_comes_back_unchanged(
    db: Database,
    storage: Storage,
    bucket: ObjectServer,
    mover: Move,
    store: ObjectStore,
    film: Asset,
) -> None:
    before = files_of(db, storage, film)

    out = mover.title(SLUG, Place.OBJECTS)
    there = {
        f"{track.path}/{name}": (bucket.folder / track.path / name).read_bytes()
        for track in tracks.of_asset(db, film.id)
        for name, _ in store.listing(track.path)
    }
    gone = files_of(db, storage, film)
    again = mover.title(SLUG, Place.OBJECTS)
    back = mover.title(SLUG, Place.LOCAL)

    assert there == before
    assert gone == {}
    assert out == back
    assert (out.bytes, again.tracks) == (sum(map(len, before.values())), 0)
    assert files_of(db, storage, film) == before
    assert list(store.listing("packages")) == []
    assert places(db, film) == {Place.LOCAL}
    assert left(db) == []


def test_sources_stay_and_the_move_is_in_the_audit_log(
    db: Database, storage: Storage, mover: Move, film: Asset
) -> None:
    mover.title(SLUG, Place.OBJECTS)

    events = [each for each in latest(db) if each.name == Event.STORAGE_MOVE]
    assert storage.existing(film.source_path).is_file()
    assert len(events) == len(tracks.of_asset(db, film.id))
    assert {each.data["to"] for each in events} == {"objects"}
    assert {each.subject for each in events} == {f"asset/{film.public_id}"}


def test_a_player_gets_the_same_bytes_wherever_they_lie(
    db: Database,
    storage: Storage,
    used: Settings,
    clock: FixedClock,
    mover: Move,
    viewer: FlaskClient,
    film: Asset,
) -> None:
    before = files_of(db, storage, film)

    mover.title(SLUG, Place.OBJECTS)

    for path, content in before.items():
        assert served(viewer, used, clock, film, path) == content


def test_parts_conditions_and_heads_are_answered_as_from_the_disk(
    db: Database,
    storage: Storage,
    used: Settings,
    clock: FixedClock,
    mover: Move,
    viewer: FlaskClient,
    film: Asset,
) -> None:
    track = tracks.of_asset(db, film.id)[0]
    expires = int(clock.now().timestamp()) + 300
    token = tokens.sign(
        tokens.load(used.keys), film.public_id, "0123456789abcdef", expires
    )
    address = f"/media/{token}/{film.public_id}/tracks/{track.public_id}/00001.m4s"
    etag = f'"{track.public_id}-00001.m4s"'
    asked: list[dict[str, str]] = [
        {},
        {"Range": "bytes=1-3"},
        {"Range": "bytes=-2"},
        {"Range": "bytes=2-"},
        {"Range": "bytes=100-"},
        {"Range": "bytes=1-3", "If-Range": etag},
        {"Range": "bytes=1-3", "If-Range": '"another"'},
        {"If-None-Match": etag},
    ]
    watched = (
        "Content-Type",
        "Content-Length",
        "Content-Range",
        "Cache-Control",
        "ETag",
        "Accept-Ranges",
    )

    def answers() -> list[object]:
        found: list[object] = []
        for method in ("GET", "HEAD"):
            for headers in asked[: 1 if method == "HEAD" else None]:
                got = viewer.open(
                    address, method=method, headers=headers, buffered=True
                )
                body = got.data if got.status_code < 400 else b""
                said = {name: got.headers.get(name) for name in watched}
                if got.status_code >= 400:
                    said.pop("Content-Length")
                found.append((got.status_code, body, said))
        return found

    here = answers()
    mover.title(SLUG, Place.OBJECTS)

    assert answers() == here


def test_a_film_plays_in_every_moment_of_a_move(
    db: Database,
    storage: Storage,
    used: Settings,
    clock: FixedClock,
    viewer: FlaskClient,
    film: Asset,
) -> None:
    before = files_of(db, storage, film)
    seen = 0

    def play(_: int) -> None:
        nonlocal seen
        seen += 1

    moving = Move(db, Stores(storage, used), SYSTEM, play)
    ended = threading.Event()
    wrong: list[str] = []

    def watch() -> None:
        watcher = create_app(used, clock).test_client()
        while not ended.is_set():
            for path, content in before.items():
                try:
                    if served(watcher, used, clock, film, path) != content:
                        wrong.append(path)
                except AssertionError as error:
                    wrong.append(str(error))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        for place in (Place.OBJECTS, Place.LOCAL) * 3:
            moving.title(SLUG, place)
    finally:
        ended.set()
        thread.join()

    assert seen == 6 * len(before)
    assert wrong == []


@pytest.mark.parametrize("place", list(Place))
def test_killed_at_any_point_it_plays_and_a_second_run_finishes(
    place: Place,
    db: Database,
    storage: Storage,
    used: Settings,
    bucket: ObjectServer,
    clock: FixedClock,
    mover: Move,
    viewer: FlaskClient,
    store: ObjectStore,
    film: Asset,
) -> None:
    before = files_of(db, storage, film)
    other = Place.LOCAL if place is Place.OBJECTS else Place.OBJECTS
    steps = range(1, 100, 9)
    killed = 0
    for step in steps:
        mover.title(SLUG, other)
        ended = subprocess.run(
            [
                *(sys.executable, "-m", "tests.host.mortal_move"),
                *(used.home, bucket.url, SLUG, place, str(step)),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
        killed += ended.returncode < 0
        assert ended.returncode in (0, -9), ended.stderr
        for path, content in before.items():
            assert served(viewer, used, clock, film, path) == content, step

        mover.title(SLUG, place)

        assert places(db, film) == {place}
        assert left(db) == []
        lying = {Place.LOCAL: files_of(db, storage, film), Place.OBJECTS: {}}
        assert lying[Place.LOCAL] == (before if place is Place.LOCAL else {})
        assert len(list(store.listing("packages"))) == (
            0 if place is Place.LOCAL else len(before)
        )
    assert killed >= 5


def test_a_move_that_was_given_up_is_cleared_away_by_the_opposite(
    db: Database,
    mover: Move,
    store: ObjectStore,
    film: Asset,
    tmp_path: Path,
) -> None:
    track = tracks.of_asset(db, film.id)[0]
    leftovers.note(db, Place.OBJECTS, track.path)
    damage(store, f"{track.path}/init.mp4", tmp_path)

    mover.title(SLUG, Place.LOCAL)

    assert list(store.listing("packages")) == []
    assert left(db) == []


def test_removing_a_title_removes_its_objects(
    db: Database,
    storage: Storage,
    used: Settings,
    mover: Move,
    store: ObjectStore,
    film: Asset,
    matinee: Matinee,
) -> None:
    mover.title(SLUG, Place.OBJECTS)

    removed = matinee("title", "remove", SLUG, "--now", "--yes")
    count = leftovers.sweep(db, Stores(storage, used))

    assert removed.exit_code == 0, removed.stderr
    assert count == 5
    assert list(store.listing("packages")) == []
    assert leftovers.sweep(db, Stores(storage, used)) == 0


def test_what_a_track_names_is_never_swept(
    db: Database,
    storage: Storage,
    used: Settings,
    mover: Move,
    film: Asset,
    store: ObjectStore,
) -> None:
    mover.title(SLUG, Place.OBJECTS)
    before = sorted(store.listing("packages"))
    for track in tracks.of_asset(db, film.id):
        leftovers.note(db, Place.OBJECTS, track.path)

    leftovers.sweep(db, Stores(storage, used))

    assert sorted(store.listing("packages")) == before


def test_only_one_moves_and_nothing_is_swept_meanwhile(
    db: Database, storage: Storage, used: Settings, mover: Move, film: Asset
) -> None:
    leftovers.note(db, Place.OBJECTS, "packages/x/tracks/y")

    with leftovers.only_one(used):
        swept = leftovers.sweep(db, Stores(storage, used))
        with pytest.raises(Locked, match="being moved already"):
            mover.title(SLUG, Place.OBJECTS)

    assert swept == 0
    assert len(left(db)) == 1


def test_refused_credentials_leave_the_film_where_it_is(
    db: Database,
    storage: Storage,
    settings: Settings,
    bucket: ObjectServer,
    film: Asset,
) -> None:
    wrong = bucket.used_by(settings, secret="of-somebody-else")
    before = files_of(db, storage, film)

    with pytest.raises(PreconditionFailed, match="check access_key"):
        Move(db, Stores(storage, wrong), SYSTEM).title(SLUG, Place.OBJECTS)

    assert files_of(db, storage, film) == before
    assert places(db, film) == {Place.LOCAL}


def test_a_server_that_goes_away_in_the_middle_leaves_the_film_playable(
    db: Database,
    storage: Storage,
    used: Settings,
    bucket: ObjectServer,
    clock: FixedClock,
    viewer: FlaskClient,
    film: Asset,
) -> None:
    before = files_of(db, storage, film)
    moving = Move(db, Stores(storage, used), SYSTEM, lambda _: bucket.stop())

    with pytest.raises(TryAgain, match="cannot be reached"):
        moving.title(SLUG, Place.OBJECTS)

    # The first track may have been whole before the server was gone.
    assert Place.LOCAL in places(db, film)
    bucket.start()
    for path, content in before.items():
        assert served(viewer, used, clock, film, path) == content
    moving.see = lambda _: None
    moving.title(SLUG, Place.OBJECTS)
    for path, content in before.items():
        assert served(viewer, used, clock, film, path) == content


def test_a_disk_without_room_keeps_the_film_in_the_object_storage(
    db: Database,
    storage: Storage,
    used: Settings,
    mover: Move,
    store: ObjectStore,
    film: Asset,
    mounts: Mounts,
    tmp_path: Path,
) -> None:
    mover.title(SLUG, Place.OBJECTS)
    there = sorted(store.listing("packages"))
    small = Storage(mounts.disk(tmp_path / "small", kilobytes=64))

    with pytest.raises(StorageFull, match="free some room"):
        Move(db, Stores(small, used), SYSTEM).title(SLUG, Place.LOCAL)

    assert sorted(store.listing("packages")) == there
    assert places(db, film) == {Place.OBJECTS}


def test_damaged_files_are_not_moved(
    db: Database, storage: Storage, mover: Move, film: Asset
) -> None:
    track = tracks.of_asset(db, film.id)[0]
    path = storage.path(f"{track.path}/00001.m4s")
    whole = path.read_bytes()
    known = {
        each.name: (each.stat().st_size, hashlib.sha256(each.read_bytes()).hexdigest())
        for each in path.parent.iterdir()
    }
    tracks.remember_files(db, track.id, known)

    for damage in (whole[:-1], bytes(len(whole))):
        path.write_bytes(damage)
        with pytest.raises(Conflict, match=r"00001\.m4s in this storage"):
            mover.title(SLUG, Place.OBJECTS)
    path.unlink()
    with pytest.raises(Conflict):
        mover.title(SLUG, Place.OBJECTS)

    assert track.place is Place.LOCAL
    assert tracks.of_asset(db, film.id)[0].place is Place.LOCAL


def test_damaged_objects_are_not_taken_back(
    db: Database,
    storage: Storage,
    store: ObjectStore,
    mover: Move,
    film: Asset,
    tmp_path: Path,
) -> None:
    mover.title(SLUG, Place.OBJECTS)
    track = tracks.of_asset(db, film.id)[0]
    damage(store, f"{track.path}/00001.m4s", tmp_path)

    with pytest.raises(Conflict, match=r"00001\.m4s in s3://films/"):
        mover.title(SLUG, Place.LOCAL)

    assert not storage.path(f"{track.path}/00001.m4s").exists()
    assert tracks.of_asset(db, film.id)[0].place is Place.OBJECTS


def test_films_that_nginx_packages_stay_on_the_disk(
    db: Database, mover: Move, film: Asset
) -> None:
    with write(db):
        db.conn.execute(
            "update tracks set facts = json_set(facts, '$.film', 'film.clear.mp4')"
        )

    with pytest.raises(Conflict, match="packaged by nginx"):
        mover.title(SLUG, Place.OBJECTS)


def test_a_film_that_is_being_encrypted_anew_stays_where_workers_read_it(
    db: Database, mover: Move, film: Asset, make: Builders
) -> None:
    make.job(film, kind="reencrypt")

    with pytest.raises(Conflict, match="being encrypted anew"):
        mover.title(SLUG, Place.OBJECTS)


def test_keys_are_replaced_only_of_films_that_workers_can_read(
    db: Database, matinee: Matinee, mover: Move, film: Asset
) -> None:
    mover.title(SLUG, Place.OBJECTS)
    with write(db):
        db.conn.execute("update titles set protected = 1")

    refused = matinee("key", "replace", SLUG, "--yes")

    assert refused.exit_code == 3
    assert f"matinee storage move {SLUG} --to local" in refused.stderr


def test_the_chores_remove_objects_of_removed_titles(
    db: Database,
    storage: Storage,
    used: Settings,
    mover: Move,
    film: Asset,
    store: ObjectStore,
    matinee: Matinee,
) -> None:
    mover.title(SLUG, Place.OBJECTS)
    matinee("title", "remove", SLUG, "--now", "--yes")

    Chores(db, storage, used).do_what_is_due()

    assert list(store.listing("packages")) == []


def test_a_track_that_is_replaced_meanwhile_is_left_alone(
    db: Database, storage: Storage, used: Settings, film: Asset, store: ObjectStore
) -> None:
    def replace(_: int) -> None:
        moving.see = lambda _: None
        with write(db):
            db.conn.execute("delete from tracks where asset_id = ?", (film.id,))

    # Told from the thread that copies, which has no right to this connection.
    moving = Move(db, Stores(storage, used), SYSTEM, replace)

    done = moving.title(SLUG, Place.OBJECTS)
    leftovers.sweep(db, Stores(storage, used))

    assert done.tracks == 0
    assert list(store.listing("packages")) == []


def test_only_administrators_move_films(
    db: Database, storage: Storage, used: Settings, make: Builders, film: Asset
) -> None:
    publisher = make.actor(Role.PUBLISHER)

    with pytest.raises(Forbidden):
        Move(db, Stores(storage, used), publisher).title(SLUG, Place.OBJECTS)


@pytest.fixture
def command(
    matinee: Matinee, used: Settings, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., object]:
    """The command in a home that uses the bucket."""
    monkeypatch.setenv("MATINEE_OBJECTS_BUCKET", used.objects.bucket)
    monkeypatch.setenv("MATINEE_OBJECTS_ENDPOINT", used.objects.endpoint)
    return matinee


def test_the_command_moves_shows_and_verifies(
    db: Database, command: Matinee, film: Asset, store: ObjectStore, tmp_path: Path
) -> None:
    moved = command("storage", "move", SLUG, "--to", "objects", "--json")
    shown = json.loads(command("storage", "show", "--json").stdout)
    verified = command("storage", "verify", SLUG, "--json")
    track = tracks.of_asset(db, film.id)[0]
    damage(store, f"{track.path}/00001.m4s", tmp_path)
    store.remove(f"{track.path}/00002.m4s")
    wrong = command("storage", "verify", "--json")
    told = command("storage", "verify")

    assert json.loads(moved.stdout)["tracks"] == 5
    assert shown["titles"][0]["places"] == ["objects"]
    assert shown["totals"]["local"] == 0
    assert shown["totals"]["objects"] == shown["titles"][0]["bytes"] > 0
    assert shown["totals"]["packaged"] == shown["totals"]["objects"]
    assert shown["totals"]["vod"] == shown["totals"]["objects"]
    assert verified.exit_code == 0
    assert json.loads(verified.stdout)["without_hashes"] == 0
    assert wrong.exit_code == 1
    assert [
        (each["file"], each["problem"]) for each in json.loads(wrong.stdout)["problems"]
    ] == [("00001.m4s", "hash"), ("00002.m4s", "missing")]
    assert "00002.m4s (objects) is missing." in told.stdout


def test_the_command_says_in_a_sentence_what_is_missing(
    matinee: Matinee, film: Asset
) -> None:
    unset = matinee("storage", "move", SLUG, "--to", "objects")
    unknown = matinee("storage", "move", "no-film", "--to", "local")
    shown = matinee("storage", "show", SLUG)
    nothing = matinee("storage", "show", "no-film")

    assert unset.exit_code == 2
    assert "set objects.bucket" in unset.stderr
    assert unknown.exit_code == 4
    assert "360p" in shown.stdout
    assert nothing.exit_code == 4


def test_the_doctor_asks_the_object_storage(
    command: Matinee, bucket: ObjectServer
) -> None:
    def found() -> dict[str, str]:
        checks = json.loads(command("doctor", "--json").stdout)["checks"]
        by_id: dict[str, dict[str, str]] = {each["id"]: each for each in checks}
        return by_id["storage.objects"]

    well = found()
    bucket.stop()
    away = found()

    assert well["level"] == "ok"
    assert away["level"] == "fail"
    assert "cannot be reached" in away["sentence"]


def test_films_from_before_hashes_are_verified_by_size(
    db: Database, storage: Storage, matinee: Matinee, film: Asset
) -> None:
    track = tracks.of_asset(db, film.id)[0]

    fine = matinee("storage", "verify", "--json")
    storage.path(f"{track.path}/00001.m4s").write_bytes(b"longer than it was")
    (storage.path(track.path) / "notes.txt").write_text("x")
    wrong = matinee("storage", "verify", SLUG, "--json")

    assert fine.exit_code == 0
    assert json.loads(fine.stdout)["without_hashes"] == 5
    assert [each["problem"] for each in json.loads(wrong.stdout)["problems"]] == [
        "size",
        "extra",
    ]


def test_while_the_object_storage_is_away_players_are_told_to_come_back(
    db: Database,
    used: Settings,
    clock: FixedClock,
    app: Flask,
    bucket: ObjectServer,
    mover: Move,
    viewer: FlaskClient,
    film: Asset,
) -> None:
    mover.title(SLUG, Place.OBJECTS)
    track = tracks.of_asset(db, film.id)[0]
    bucket.stop()
    expires = int(clock.now().timestamp()) + 300
    token = tokens.sign(
        tokens.load(used.keys), film.public_id, "0123456789abcdef", expires
    )
    base = f"/media/{token}/{film.public_id}"

    away = viewer.get(f"{base}/tracks/{track.public_id}/00001.m4s")
    manifest = viewer.get(f"{base}/manifest.mpd")

    assert away.status_code == 503
    assert away.headers["Cache-Control"] == "no-store"
    assert bucket.url not in away.text
    assert manifest.status_code == 200
    assert assets.by_id(db, film.id).version == film.version
