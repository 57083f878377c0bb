"""Housekeeping: what was left behind goes, and nothing else."""

import os
from pathlib import Path

import pytest

from appliance.clock import FixedClock
from appliance.db import Database
from appliance.media import assets, uploads
from appliance.permissions import Role
from appliance.settings import Settings
from appliance.storage import Storage
from jobs.chores import Chores
from tests.builders import Builders


@pytest.fixture
def chores(db: Database, storage: Storage, settings: Settings) -> Chores:
    return Chores(db, storage, settings)


def test_an_abandoned_upload_is_removed_with_what_had_arrived(
    chores: Chores, make: Builders, clock: FixedClock
) -> None:
    sender = make.actor(Role.CONTRIBUTOR)
    left = uploads.start(chores.db, chores.settings, sender, "left.mp4", 10)
    part = chores.storage.write(f"uploads/parts/{left.public_id}", b"half")
    clock.advance(days=chores.settings.uploads.abandon_days, minutes=1)
    kept = uploads.start(chores.db, chores.settings, sender, "kept.mp4", 10)
    other = chores.storage.write(f"uploads/parts/{kept.public_id}", b"half")

    chores.do_what_is_due()

    assert uploads.by_public_id(chores.db, left.public_id).state == "failed"
    assert uploads.by_public_id(chores.db, kept.public_id).state == "receiving"
    assert (part.exists(), other.exists()) == (False, True)


def test_files_that_belong_to_nothing_go_once_they_are_old(
    chores: Chores, make: Builders, clock: FixedClock
) -> None:
    asset = make.asset()
    orphans = [
        _folder(chores, "sources/0123456789abcdef/source.mp4", clock, days=3),
        _folder(chores, "packages/0123456789abcdef/init.mp4", clock, days=3),
    ]
    fresh = _folder(chores, "sources/fedcba9876543210/source.mp4", clock, days=1)
    mine = chores.storage.existing(asset.source_path)
    os.utime(mine.parent, (0, 0))

    chores.do_what_is_due()

    assert [path.exists() for path in orphans] == [False, False]
    assert fresh.exists()
    assert mine.exists()


def test_the_trash_is_emptied_every_time(chores: Chores) -> None:
    chores.do_what_is_due()
    chores.storage.write("work/.trash/gone/part.mp4", b"half a chunk")

    chores.do_what_is_due()

    assert list(chores.storage.path("work/.trash").iterdir()) == []


def test_sessions_that_ended_long_ago_are_forgotten(
    chores: Chores, make: Builders, clock: FixedClock
) -> None:
    viewer = make.actor()
    for expires in (chores.db.now(days=1), chores.db.now(days=60)):
        chores.db.conn.execute(
            """
            insert into sessions (public_id, token_hash, account_id, profile_id,
                created_at, seen_at, expires_at)
            values (?, ?, ?, ?, ?, ?, ?)
            """,
            (
                expires,
                expires,
                viewer.account_id,
                viewer.profile_id,
                chores.db.now(),
                chores.db.now(),
                expires,
            ),
        )
    clock.advance(days=40)

    chores.do_what_is_due()

    assert chores.db.value("select count(*) from sessions") == 1


def test_nothing_of_a_title_in_use_is_touched(
    chores: Chores, make: Builders, clock: FixedClock
) -> None:
    asset = make.asset()
    before = _files(chores)
    clock.advance(days=400)

    chores.do_what_is_due()

    assert _files(chores) == before
    assert assets.by_id(chores.db, asset.id).state == "ready"


def _folder(chores: Chores, path: str, clock: FixedClock, *, days: float) -> Path:
    folder = chores.storage.write(path, b"bytes").parent
    at = clock.now().timestamp() - days * 24 * 3600
    os.utime(folder, (at, at))
    return folder


def _files(chores: Chores) -> list[Path]:
    return sorted(path for path in chores.storage.root.rglob("*") if path.is_file())
