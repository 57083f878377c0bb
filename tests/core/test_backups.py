"""Backups: made live, sealed, whole or not at all, and restored as they were."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from appliance import in_use, migrations
from appliance.cenc import KeySystem, Label, Scheme
from appliance.clock import FixedClock
from appliance.db import Database, connect, write
from appliance.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    Locked,
    NotFound,
    PreconditionFailed,
    StorageFull,
)
from appliance.events import Event, latest
from appliance.media import assets
from appliance.media.assets import Asset
from appliance.operations.backups import (
    making,
    manifest,
    missing,
    opening,
    recovery,
    restoring,
    runs,
    verifying,
    working,
)
from appliance.operations.backups.folder_place import FolderPlace
from appliance.operations.backups.making import Backup
from appliance.operations.backups.runs import RunKind, RunState
from appliance.permissions import SYSTEM, Role
from appliance.protection import keys
from appliance.settings import Settings
from appliance.storage import Storage
from tests.builders import Builders
from tests.host.mounts import Mounts

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def place(tmp_path: Path) -> FolderPlace:
    return FolderPlace(tmp_path / "backups")


@pytest.fixture
def key(settings: Settings) -> str:
    return recovery.make(settings)


@pytest.fixture
def film(db: Database, settings: Settings, make: Builders) -> Asset:
    """A protected film with captions, and a picture of it."""
    title = make.title("The Film", slug="the-film")
    film = make.asset(title, captions=("en",))
    keys.ensure(
        *(db, settings, SYSTEM, film, [Label.SD], Scheme.CBCS, [KeySystem.CLEARKEY])
    )
    make.storage.write(f"artwork/{title.public_id}/picture/640.jpg", b"a picture")
    return film


@pytest.fixture
def fresh(tmp_path: Path) -> Settings:
    """A machine that was set up anew, with nothing in it."""
    return Settings(home=tmp_path / "fresh")


def create(db: Database, settings: Settings, place: FolderPlace) -> Backup:
    storage = Storage(settings.media, settings.home)
    return making.create(db, settings, storage, SYSTEM, place)


def restore(
    settings: Settings, place: FolderPlace, key: str = "", name: str = runs.LAST
) -> restoring.Restored:
    settings.media.mkdir(parents=True, exist_ok=True)
    return restoring.restore(
        *(settings, Storage(settings.media, settings.home), SYSTEM, place, name),
        recovery_key=recovery.from_text(key) if key else None,
    )


def with_media(settings: Settings, media: str) -> Settings:
    return replace(settings, backup=replace(settings.backup, media=media))


def test_a_backup_made_under_writing_restores_to_what_its_manifest_counts(
    db: Database,
    settings: Settings,
    place: FolderPlace,
    key: str,
    film: Asset,
    fresh: Settings,
) -> None:
    stop = threading.Event()
    writing = threading.Thread(target=_keep_writing, args=(settings.database, stop))
    writing.start()
    try:
        made = create(db, settings, place)
    finally:
        stop.set()
        writing.join()

    restored = restore(fresh, place, key)

    assert restored.name == made.name
    found = making.read(place, made.name)
    assert found.counts["titles"] == 1
    assert found.counts["content_keys"] == 1
    with connect(fresh.database) as again:
        assert again.value("pragma integrity_check") == "ok"
        for table in ("titles", "assets", "content_keys", "tracks", "accounts"):
            counted = again.value(f"select count(*) from {table}")
            assert counted == found.counts[table], table
        # The restore itself is told in the audit log.
        events = again.value("select count(*) from events where name = 'test:write'")
        assert events <= found.counts["events"]
        assert latest(again)[-1].name == Event.BACKUP_RESTORE


def test_a_fresh_machine_has_the_keys_pictures_and_captions_again(
    db: Database,
    settings: Settings,
    storage: Storage,
    place: FolderPlace,
    key: str,
    film: Asset,
    fresh: Settings,
) -> None:
    before = keys.of_asset(db, settings, film.id)
    create(db, settings, place)

    restore(fresh, place, key)

    with connect(fresh.database) as again:
        assert keys.of_asset(again, fresh, film.id) == before
        caption = again.value("select path from tracks where kind = 'text'")
    pictures = list(fresh.media.glob("artwork/*/*/640.jpg"))
    assert [each.read_bytes() for each in pictures] == [b"a picture"]
    text = f"{caption}/text.vtt"
    assert (fresh.media / text).read_bytes() == storage.path(text).read_bytes()
    assert {each.name for each in fresh.keys.iterdir()} >= {
        each.name for each in settings.keys.iterdir()
    }
    for each in fresh.keys.iterdir():
        assert each.stat().st_mode & 0o777 == 0o600


def test_nothing_secret_lies_open_in_a_backup(
    db: Database, settings: Settings, place: FolderPlace, key: str, film: Asset
) -> None:
    (opened,) = keys.of_asset(db, settings, film.id)
    kek = (settings.keys / "content-1.key").read_text().strip()
    create(db, settings, place)
    files = [each for each in place.root.rglob("*") if each.is_file()]
    held = b"".join(each.read_bytes() for each in files)
    for secret in (opened.key, bytes.fromhex(kek), kek.encode(), key.encode()):
        assert secret not in held
    assert b"The Film" not in held
    assert {each.stat().st_mode & 0o077 for each in files if "seal" in each.name} == {0}


def test_films_that_were_not_copied_are_marked_and_come_back_with_their_files(
    db: Database,
    settings: Settings,
    storage: Storage,
    place: FolderPlace,
    key: str,
    film: Asset,
    fresh: Settings,
) -> None:
    create(db, settings, place)
    restored = restore(fresh, place, key)
    assert [each.title for each in restored.missing] == ["the-film"]

    copied = Storage(fresh.media, fresh.home)
    with connect(fresh.database) as again:
        assert assets.by_id(again, film.id).state == "failed"
        assert missing.look_again(again, copied, SYSTEM) == []
        for each in sorted(storage.root.rglob("*")):
            if each.is_file():
                copied.copy(each, each.relative_to(storage.root))
        back = missing.look_again(again, copied, SYSTEM)
        assert [each.title for each in back] == ["the-film"]
        assert assets.by_id(again, film.id).state == "ready"
        assert missing.listing(again) == []


def test_sources_that_were_copied_let_films_be_made_again(
    db: Database,
    settings: Settings,
    place: FolderPlace,
    key: str,
    film: Asset,
    fresh: Settings,
) -> None:
    create(db, with_media(settings, "sources"), place)
    restore(fresh, place, key)
    with connect(fresh.database) as again:
        (each,) = missing.listing(again)
        assert each.can_be_made
        copied = Storage(fresh.media, fresh.home)
        (job,) = missing.make_again(again, copied, SYSTEM)
        assert job.asset_id == film.id
        assert missing.make_again(again, copied, SYSTEM) == []


def test_with_all_media_everything_is_there_again(
    db: Database,
    settings: Settings,
    storage: Storage,
    place: FolderPlace,
    key: str,
    film: Asset,
    fresh: Settings,
) -> None:
    made = create(db, with_media(settings, "all"), place)
    restored = restore(fresh, place, key)
    assert restored.missing == ()
    assert made.files == len([e for e in storage.root.rglob("*") if e.is_file()])
    for each in storage.root.rglob("*"):
        if each.is_file():
            again = fresh.media / each.relative_to(storage.root)
            assert again.read_bytes() == each.read_bytes()


def test_a_second_backup_keeps_unchanged_files_once(
    db: Database, settings: Settings, place: FolderPlace, key: str, film: Asset
) -> None:
    create(db, settings, place)
    first = {each: each.stat().st_ino for each in place.root.glob("files/*/*")}
    create(db, settings, place)
    assert {each: each.stat().st_ino for each in place.root.glob("files/*/*")} == first
    assert len(place.names()) == 2


def test_verifying_opens_titles_and_their_keys_and_is_remembered(
    db: Database, settings: Settings, place: FolderPlace, key: str, film: Asset
) -> None:
    made = create(db, settings, place)
    found = verifying.verify(db, settings, SYSTEM, place)
    assert found.name == made.name
    assert found.titles == ("the-film",)
    assert found.keys == 1
    assert found.hashed == found.files == 2
    assert list(runs.verified(db)) == [made.name]
    assert latest(db)[-1].name == Event.BACKUP_VERIFY
    assert not (settings.home / "state" / "backup-verify").exists()


@pytest.mark.parametrize("part", [*manifest.PARTS, manifest.FILE])
@pytest.mark.parametrize("harm", ["cut", "changed", "emptied", "gone"])
def test_a_harmed_part_is_found_and_nothing_is_restored_of_it(
    db: Database,
    settings: Settings,
    place: FolderPlace,
    key: str,
    film: Asset,
    part: str,
    harm: str,
) -> None:
    made = create(db, settings, place)
    path = place.root / made.name / part
    content = path.read_bytes()
    harmed = bytearray(content)
    harmed[len(harmed) // 2] ^= 1
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(
            {"cut": content[:-9], "changed": bytes(harmed), "emptied": b""}[harm]
        )
    before = _dump(settings.database)
    with pytest.raises((PreconditionFailed, NotFound)):
        verifying.verify(db, settings, SYSTEM, place, made.name)
    assert latest(db)[-1].name == Event.BACKUP_FAIL
    db.close()
    with pytest.raises((PreconditionFailed, NotFound)):
        restore(settings, place, key, made.name)
    assert _dump(settings.database)[-len(before) :] == before
    in_use.require_whole(settings.home)


def test_a_shared_file_that_was_harmed_or_is_gone_is_found(
    db: Database, settings: Settings, place: FolderPlace, key: str, film: Asset
) -> None:
    create(db, settings, place)
    (first, *_) = sorted(place.root.glob("files/*/*"))
    content = first.read_bytes()
    first.write_bytes(b"?" * len(content))
    with pytest.raises(PreconditionFailed, match="not what was written"):
        verifying.verify(db, settings, SYSTEM, place, every_file=True)
    first.unlink()
    with pytest.raises(PreconditionFailed, match="missing"):
        verifying.verify(db, settings, SYSTEM, place)


def test_a_backup_that_names_paths_outside_of_the_storage_is_refused(
    db: Database,
    settings: Settings,
    place: FolderPlace,
    key: str,
    film: Asset,
    tmp_path: Path,
) -> None:
    made = create(db, settings, place)
    folder = place.root / made.name
    for path in ("../../etc/cron.d/evil", "/etc/passwd", "artwork/../../x"):
        evil = manifest.Entry(path, 4, "0" * 64)
        manifest.write_index([evil], folder / manifest.FILES)
        # Whoever knows the recovery key could even sign it.
        found = making.read(place, made.name)
        opened = opening.key_of(found, settings, None)
        parts = {
            **found.parts,
            manifest.FILES: manifest.digest(folder / manifest.FILES),
        }
        forged = replace(found, parts=parts, files=1, signature="").signed(opened)
        (folder / manifest.FILE).write_bytes(manifest.to_json(forged))
        with pytest.raises(PreconditionFailed, match="list of files"):
            restore(Settings(home=tmp_path / "victim"), place, key, made.name)


def test_the_wrong_recovery_key_and_none_say_what_follows(
    db: Database,
    settings: Settings,
    place: FolderPlace,
    key: str,
    film: Asset,
    fresh: Settings,
) -> None:
    create(db, settings, place)
    other = recovery.make(Settings(home=fresh.home / "elsewhere"))
    with pytest.raises(InvalidInput, match="find the other one"):
        restore(fresh, place, other)
    with pytest.raises(PreconditionFailed, match="there is no other way in"):
        restore(fresh, place)
    with pytest.raises(InvalidInput, match="letter by letter"):
        restore(fresh, place, key[:-1] + ("A" if key[-1] != "A" else "B"))
    assert not fresh.database.exists()


def test_a_recovery_key_can_be_read_as_people_write() -> None:
    text = recovery.as_text(bytes(range(32)))
    assert len(text.split("-")) == 14
    read = recovery.from_text(text)
    sloppy = text.lower().replace("-", " ").replace("o", "0").replace("i", "1")
    assert recovery.identity_of(recovery.from_text(sloppy)) == recovery.identity_of(
        read
    )


def test_without_a_recovery_key_no_backup_is_made(
    db: Database, settings: Settings, place: FolderPlace
) -> None:
    with pytest.raises(PreconditionFailed, match="matinee backup key new"):
        create(db, settings, place)
    assert not place.root.exists()


def test_another_recovery_key_must_be_asked_for(settings: Settings, key: str) -> None:
    with pytest.raises(Conflict, match="--replace"):
        recovery.make(settings)
    assert recovery.make(settings, replace=True) != key


def test_an_older_backup_is_migrated_forward(
    db: Database,
    settings: Settings,
    place: FolderPlace,
    key: str,
    film: Asset,
    fresh: Settings,
) -> None:
    with write(db):
        db.conn.execute("drop table missing_media")
        db.conn.execute("drop table backup_runs")
        db.conn.execute("delete from _sqlite_migrations where name = 'backups'")
    old = FolderPlace(place.root)
    _made_by_an_older_release(db, settings, old)
    restored = restore(fresh, old, key)
    assert restored.applied == ("backups",)
    migrations.require_current(fresh.database)


def test_a_newer_backup_is_refused_with_the_release_to_install(
    db: Database,
    settings: Settings,
    place: FolderPlace,
    key: str,
    fresh: Settings,
) -> None:
    made = create(db, settings, place)
    path = place.root / made.name / manifest.FILE
    text = path.read_text()
    newer = text.replace('"operating"', '"from-the-future"').replace(
        f'"version": "{made.version}"', '"version": "9.1.0"'
    )
    path.write_text(newer)
    with pytest.raises(PreconditionFailed, match=r"install release 9\.1\.0"):
        restore(fresh, place, key)
    path.write_text(text.replace('"format": 1', '"format": 2'))
    with pytest.raises(PreconditionFailed, match="newer than this"):
        restore(fresh, place, key)
    path.write_text("{}")
    with pytest.raises(PreconditionFailed, match="not made by Matinee"):
        restore(fresh, place, key)


def test_a_restore_is_refused_while_anything_uses_the_installation(
    db: Database, settings: Settings, place: FolderPlace, key: str, film: Asset
) -> None:
    create(db, settings, place)
    using = subprocess.Popen(
        [sys.executable, "-c", _USING, settings.home],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
    )
    try:
        assert using.stdout is not None
        using.stdout.readline()
        before = settings.database.read_bytes()
        with pytest.raises(Locked, match=rf"{using.pid}.*systemctl stop"):
            restore(settings, place, key)
        assert settings.database.read_bytes() == before
    finally:
        using.kill()
        using.communicate()
    db.close()
    restore(settings, place, key)


def test_nothing_begins_while_a_restore_is_under_way_or_was_cut_short(
    settings: Settings,
) -> None:
    with in_use.alone(settings.home), pytest.raises(Locked):
        in_use.join(settings.home)
    mark = settings.home / "state" / in_use.RESTORING
    mark.parent.mkdir(exist_ok=True)
    mark.write_text("matinee backup restore 20260102T120000Z-abcdef\nsafety\n")
    with pytest.raises(PreconditionFailed, match="restore 20260102T120000Z-abcdef"):
        in_use.join(settings.home)
    mark.unlink()
    fenced = mark.with_name(in_use.FENCED)
    fenced.touch()
    with pytest.raises(PreconditionFailed, match="has taken over"):
        in_use.join(settings.home)
    fenced.unlink()
    in_use.join(settings.home).close()


def test_what_was_there_is_kept_and_a_stale_log_is_not_replayed(
    db: Database,
    settings: Settings,
    make: Builders,
    place: FolderPlace,
    key: str,
    film: Asset,
) -> None:
    create(db, settings, place)
    make.title("Made later")
    (settings.keys / "content-1.key").write_text("0" * 64 + "\n")
    db.close()
    wal = settings.database.with_name("matinee.db-wal")
    wal.write_bytes(b"stale")
    restored = restore(settings, place, key)
    assert not wal.exists()
    assert restored.safety is not None
    with closing(sqlite3.connect(restored.safety / "matinee.db")) as kept:
        assert kept.execute("select count(*) from titles").fetchone() == (2,)
    assert (restored.safety / "keys" / "content-1.key").read_text() == "0" * 64 + "\n"
    with connect(settings.database) as again:
        assert again.value("select count(*) from titles") == 1
        assert len(keys.of_asset(again, settings, film.id)) == 1


def test_a_damaged_database_is_no_obstacle_to_a_restore(
    db: Database, settings: Settings, place: FolderPlace, key: str, film: Asset
) -> None:
    create(db, settings, place)
    db.close()
    settings.database.write_bytes(b"no database any more" * 1000)
    restored = restore(settings, place, key)
    assert restored.safety is not None
    assert (restored.safety / "matinee.db").read_bytes().startswith(b"no database")
    with connect(settings.database) as again:
        assert again.value("select count(*) from titles") == 1


def test_restoring_twice_ends_the_same(
    db: Database,
    settings: Settings,
    place: FolderPlace,
    key: str,
    film: Asset,
    fresh: Settings,
) -> None:
    made = create(db, settings, place)
    restore(fresh, place, key)
    # It has its own key again.
    restored = restore(fresh, place)
    with connect(fresh.database) as rows:
        (known,) = runs.latest(rows)
    assert (known.name, known.state) == (made.name, "done")
    assert known.facts["files"] == made.files
    assert [each.title for each in restored.missing] == ["the-film"]
    assert not (fresh.home / "state" / "restore").exists()


@pytest.mark.parametrize("step", ["_files", "_keys", "rows", "in_place", "place"])
def test_a_restore_that_was_cut_short_goes_on(
    db: Database,
    settings: Settings,
    place: FolderPlace,
    key: str,
    film: Asset,
    step: str,
) -> None:
    made = create(db, settings, place)
    with write(db):
        db.conn.execute("update titles set name = 'Changed later'")
    db.close()
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, step, settings.home, place.root, made.name],
        cwd=ROOT,
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with pytest.raises(PreconditionFailed, match="goes on"):
        in_use.join(settings.home)
    restored = restore(settings, place, "", made.name)
    in_use.join(settings.home).close()
    assert restored.safety is not None
    with closing(sqlite3.connect(restored.safety / "matinee.db")) as kept:
        assert kept.execute("select name from titles").fetchone() == ("Changed later",)
    with connect(settings.database) as again:
        assert again.value("select name from titles") == "The Film"


@pytest.mark.parametrize("step", ["take", "keep"])
def test_a_backup_that_was_killed_leaves_nothing_half(
    db: Database,
    settings: Settings,
    place: FolderPlace,
    key: str,
    film: Asset,
    step: str,
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED_MAKING, step, settings.home, place.root],
        cwd=ROOT,
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert place.names() == []
    made = create(db, settings, place)
    assert place.names() == [made.name]
    assert list(place.root.glob(".making*")) == []
    states = {each.state for each in runs.latest(db)}
    assert states == {RunState.FAILED, RunState.DONE}


def test_a_full_disk_is_told_and_leaves_no_half_of_a_backup(
    db: Database,
    settings: Settings,
    mounts: Mounts,
    key: str,
    film: Asset,
    tmp_path: Path,
    make: Builders,
) -> None:
    small = FolderPlace(mounts.disk(tmp_path / "small", kilobytes=64))
    make.storage.write("artwork/x/y/640.jpg", os.urandom(100_000))
    with pytest.raises(StorageFull, match="small is full"):
        create(db, settings, small)
    assert small.names() == []
    assert not list((settings.home / "state").glob("backup-work/*"))
    last = runs.last(db, RunKind.CREATE, RunState.FAILED)
    assert last is not None
    assert "is full" in last.message


def test_a_share_that_is_not_mounted_is_no_new_place(
    db: Database, settings: Settings, mounts: Mounts, key: str, tmp_path: Path
) -> None:
    share = mounts.disk(tmp_path / "share", kilobytes=4096)
    create(db, settings, FolderPlace(share))
    mounts.gone(share)
    with pytest.raises(PreconditionFailed, match="is it mounted"):
        create(db, settings, FolderPlace(share))
    assert list(share.iterdir()) == []


def test_the_place_of_another_installation_is_not_touched(
    db: Database, settings: Settings, place: FolderPlace, key: str
) -> None:
    place.root.mkdir()
    place.claim("somebody else")
    with pytest.raises(Conflict, match="another installation"):
        create(db, settings, place)


def test_only_one_backup_is_made_at_a_time(
    db: Database, settings: Settings, place: FolderPlace, key: str
) -> None:
    with working.only_one(settings), pytest.raises(Locked):
        create(db, settings, place)


def test_older_backups_go_and_files_that_nobody_needs_with_them(
    db: Database,
    settings: Settings,
    storage: Storage,
    clock: FixedClock,
    place: FolderPlace,
    key: str,
    film: Asset,
) -> None:
    few = replace(
        settings,
        backup=replace(settings.backup, keep_daily=2, keep_weekly=0, keep_monthly=0),
    )
    names = []
    for number in range(4):
        storage.write(f"artwork/t/p/{number}.jpg", b"picture %d" % number)
        if number:
            storage.remove(f"artwork/t/p/{number - 1}.jpg")
        names.append(create(db, few, place).name)
        clock.advance(days=1)
    assert making.prune(db, few, SYSTEM, place) == names[:2]
    assert place.names() == names[2:]
    held = {each.read_bytes() for each in place.root.glob("files/*/*")}
    assert {b"picture 2", b"picture 3"} <= held
    assert held & {b"picture 0", b"picture 1"} == set()
    assert [each.name for each in runs.kept(db)] == names[:1:-1]


def test_only_who_manages_the_system_makes_backups(
    db: Database, settings: Settings, place: FolderPlace, key: str, make: Builders
) -> None:
    editor = make.actor(Role.PUBLISHER)
    with pytest.raises(Forbidden):
        making.create(db, settings, make.storage, editor, place)
    with pytest.raises(Forbidden):
        verifying.verify(db, settings, editor, place)
    with pytest.raises(Forbidden):
        runs.ask(db, editor, RunKind.CREATE)


def test_a_backup_is_named_and_never_a_path(place: FolderPlace) -> None:
    for name in ("../../etc", "20261399T000000Z-abcdef", "", "x/y"):
        with pytest.raises((InvalidInput, NotFound)):
            opening.named(place, name)


def _made_by_an_older_release(
    db: Database, settings: Settings, place: FolderPlace
) -> None:
    """Make a backup of a database that has no rows of backups yet."""
    with working.workshop(settings, "backup-work") as work:
        storage = Storage(settings.media, settings.home)
        name = manifest.new_name(db.clock.now())
        place.claim(making.identity(settings))
        bundle = making._Making(
            db, settings, storage, place, name, work, lambda _: None
        ).bundle(recovery.load(settings))
        place.keep(bundle.bundle)


def _dump(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as found:
        return [
            line
            for line in found.iterdump()
            if "backup_runs" not in line and "events" not in line
        ]


def _keep_writing(database: Path, stop: threading.Event) -> None:
    with connect(database) as db:
        while not stop.is_set():
            with write(db):
                db.conn.execute(
                    "insert into events (at, name, actor_name, address, subject, data)"
                    " values ('', 'test:write', '', '', '', '{}')"
                )


_USING = """
import sys
from pathlib import Path
from appliance import in_use
with in_use.joined(Path(sys.argv[1])):
    print("using", flush=True)
    sys.stdin.read()
"""

_KILLED = """
import os, signal, sys
from pathlib import Path
from appliance.operations.backups import restoring, snapshots
from appliance.operations.backups.folder_place import FolderPlace
from appliance.permissions import SYSTEM
from appliance.settings import Settings
from appliance.storage import Storage

step, home, place, name = sys.argv[1:]
settings = Settings(home=Path(home))


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


if step == "place":
    whole = snapshots.put_in_place
    snapshots.put_in_place = lambda *args: (whole(*args), die())
else:
    owner = restoring._Restoring if step.startswith("_") else restoring._Putting
    setattr(owner, step, die)
storage = Storage(settings.media, settings.home)
restoring.restore(settings, storage, SYSTEM, FolderPlace(Path(place)), name)
"""

_KILLED_MAKING = """
import os, signal, sys
from pathlib import Path
from appliance.db import connect
from appliance.operations.backups import folder_place, making
from appliance.permissions import SYSTEM
from appliance.settings import Settings
from appliance.storage import Storage

step, home, place = sys.argv[1:]
settings = Settings(home=Path(home))
copy, count = folder_place._copied, 0


def copied(*args):
    global count
    count += 1
    if count == {"take": 2, "keep": 4}[step]:
        os.kill(os.getpid(), signal.SIGKILL)
    copy(*args)


folder_place._copied = copied
with connect(settings.database) as db:
    making.create(
        db,
        settings,
        Storage(settings.media, settings.home),
        SYSTEM,
        folder_place.FolderPlace(Path(place)),
    )
"""
