"""What a worker gets when it joins, what is taken away, and the keys changed after."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from appliance import __version__
from appliance.db import Database
from appliance.errors import Conflict, NotFound, PreconditionFailed, TryAgain
from appliance.host_sections import Backup
from appliance.operations import invitations
from appliance.operations.invitations import Kind
from appliance.permissions import SYSTEM, Actor
from appliance.protection import sealing
from appliance.sections import Objects
from appliance.settings import Queue, Settings
from jobs import broker
from jobs.machines import joining
from jobs.machines.joining import Asked, Joined
from tests.builders import Builders
from tests.conftest import Matinee
from tests.pipeline.redis_server import needs_redis
from tests.pipeline.secure_redis import SecureRedis

THERE = Actor(username="anonymous", address="10.20.0.21")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[SecureRedis]:
    with SecureRedis(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def settings(settings: Settings, redis: SecureRedis) -> Settings:
    """Those of a control node that other machines reach by another name."""
    redis.known_in(settings.keys)
    url = f"rediss://films.example:{redis.port}/0"
    return dataclasses.replace(settings, queue=Queue(url=url))


@pytest.fixture(autouse=True)
def _known_by_name(monkeypatch: pytest.MonkeyPatch, redis: SecureRedis) -> None:
    """Stand in for the name server: the other name leads here."""
    here = broker.Broker.pool

    def pool(self: broker.Broker) -> Any:
        return here(dataclasses.replace(self, url=redis.url))

    monkeypatch.setattr(broker.Broker, "pool", pool)


def with_objects(settings: Settings) -> Settings:
    path = settings.keys / "s3.toml"
    path.touch(0o600)
    path.write_text('[s3]\naccess_key = "an-access"\nsecret_key = "a \\"secret\\""\n')
    objects = Objects(bucket="films", endpoint="https://s3.example")
    return dataclasses.replace(settings, objects=objects)


def join(db: Database, settings: Settings, how: str = "", name: str = "one") -> Joined:
    token, _ = joining.invite(db, settings, SYSTEM, Kind.WORKER)
    return joining.join(db, settings, THERE, Asked(token, name, __version__, how))


@needs_redis
def test_a_worker_with_the_folder_gets_no_key_of_the_object_storage(
    db: Database, settings: Settings, redis: SecureRedis
) -> None:
    found = join(db, with_objects(settings), "folder").provision

    assert sorted(found.files) == ["queue-ca.pem", "queue.toml", "worker.key"]
    assert found.settings["queue.exchange"] == "folder"
    assert not any(key.startswith("objects.") for key in found.settings)
    assert redis.password not in json.dumps(dict(found.files))


@needs_redis
def test_a_worker_without_it_gets_what_opens_the_bucket(
    db: Database, settings: Settings
) -> None:
    found = join(db, with_objects(settings)).provision

    assert found.settings["queue.exchange"] == "objects"
    assert found.settings["objects.bucket"] == "films"
    assert 'secret_key = "a \\"secret\\""' in found.files["s3.toml"]


@needs_redis
def test_who_is_removed_has_no_way_into_redis(db: Database, settings: Settings) -> None:
    text = join(db, settings).provision.files["queue.toml"]
    words = dict(
        line.replace('"', "").split(" = ") for line in text.splitlines() if "=" in line
    )
    theirs = dataclasses.replace(broker.of(settings), **words)
    assert Redis(connection_pool=theirs.pool()).ping()

    (removed,) = joining.remove(db, settings, SYSTEM, "one")

    with pytest.raises(AuthenticationError):
        Redis(connection_pool=theirs.pool()).ping()
    assert any("in Redis is gone" in each for each in removed.taken)
    assert any("rotate worker" in each for each in removed.remaining)
    with pytest.raises(NotFound):
        joining.remove(db, settings, SYSTEM, "one")


@needs_redis
def test_while_redis_is_away_a_token_is_not_used_up(
    db: Database, settings: Settings, redis: SecureRedis
) -> None:
    token, _ = joining.invite(db, settings, SYSTEM, Kind.WORKER)
    asked = Asked(token, "one", __version__)
    redis.kill()
    with pytest.raises(TryAgain, match="Redis"):
        joining.join(db, settings, THERE, asked)

    redis.start()
    joining.join(db, settings, THERE, asked)

    with pytest.raises(Conflict):
        join(db, settings)
    users = Redis(connection_pool=broker.of(settings).pool()).acl_list()
    assert len([each for each in users if "matinee-one-" in each]) == 1


@needs_redis
def test_an_exchange_that_there_is_not_is_refused(
    db: Database, settings: Settings
) -> None:
    with pytest.raises(PreconditionFailed, match="no object storage"):
        join(db, settings, "objects")


@needs_redis
def test_a_standby_gets_what_opens_the_place_of_copies(
    db: Database, settings: Settings
) -> None:
    settings = dataclasses.replace(
        with_objects(settings), backup=Backup(copies="s3:copies/films")
    )
    secrets = settings.keys / "backup.toml"
    secrets.touch(0o600)
    secrets.write_text('[s3]\naccess_key = "x"\nsecret_key = "y"\n')
    token, _ = joining.invite(db, settings, SYSTEM, Kind.STANDBY)

    asked = Asked(token, "second", __version__)
    found = joining.join(db, settings, THERE, asked).provision

    assert found.settings["backup.copies"] == "s3:copies/films"
    assert found.files == {"backup.toml": secrets.read_text()}


@needs_redis
def test_what_it_asks_for_later_holds_no_password(
    db: Database, settings: Settings
) -> None:
    joined = join(db, settings)
    sealing.renew(settings.keys)

    again = joining.refresh(db, settings, joined.credential, __version__)

    assert "queue.toml" not in again.provision.files
    mine, now = joined.provision.files, again.provision.files
    assert mine["worker.key"] != now["worker.key"]
    assert invitations.members(db, SYSTEM)[0].name == "one"


@needs_redis
def test_a_new_worker_key_waits_for_protected_films_in_work(
    db: Database, settings: Settings, make: Builders, matinee: Matinee
) -> None:
    before = sealing.fingerprint(settings.keys) or sealing.seal(settings.keys, {}, "x")
    public_id = make.job(make.asset(make.title("Sintel")))
    job = db.value("select id from jobs where public_id = ?", (public_id,))
    spec = json.dumps({"encryption": {"sealed": "by the old key"}})
    db.table("work_units").insert(
        {"job_id": job, "name": "package", "step": "package", "spec": spec}
    )

    refused = matinee("key", "rotate", "worker", "--yes")
    db.conn.execute("update work_units set state = 'done'")
    rotated = matinee("key", "rotate", "worker", "--yes")

    assert (refused.exit_code, "in work" in refused.stderr) == (3, True)
    assert rotated.exit_code == 0
    assert sealing.fingerprint(settings.keys) != before
    assert (settings.keys / "worker.key").stat().st_mode & 0o777 == 0o600
