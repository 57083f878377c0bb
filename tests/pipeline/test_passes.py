"""What a machine that joined may do in Redis, and that it can be thrown out."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import (
    AuthenticationError,
    ConnectionError,
    NoPermissionError,
    RedisError,
)

from appliance.checks import cluster
from appliance.checks.examined import Examined
from appliance.errors import PreconditionFailed
from appliance.operations.findings import Level
from appliance.settings import Queue, Settings
from jobs import broker, queue
from jobs.broker import Broker
from jobs.exchange.mailbox import Mailbox
from jobs.machines import passes
from jobs.machines.passes import Pass
from jobs.queue import QueueName
from tests.pipeline.redis_server import RedisServer, needs_redis
from tests.pipeline.secure_redis import SecureRedis

pytestmark = needs_redis


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[SecureRedis]:
    with SecureRedis(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def settings(settings: Settings, redis: SecureRedis) -> Settings:
    redis.known_in(settings.keys)
    return dataclasses.replace(settings, queue=Queue(url=redis.url))


def holding(settings: Settings, held: Pass) -> Broker:
    found = broker.of(settings)
    return dataclasses.replace(found, username=held.username, password=held.password)


def client(settings: Settings, held: Pass) -> Any:
    return Redis(connection_pool=holding(settings, held).pool())


def test_a_worker_takes_hints_and_reads_nothing_else(settings: Settings) -> None:
    held = passes.issue(broker.of(settings), "encoder-1", far=False)
    assert held.own
    queue.line(settings, QueueName.CPU).send("a job", "a key")
    theirs = client(settings, held)
    taken: list[tuple[str, ...]] = []

    def take(*words: str) -> None:
        taken.append(words)

    there = holding(settings, held)
    line = queue._open(there, settings.home, QueueName.CPU, take)
    line.huey.execute(line.huey.dequeue())

    assert (taken, line.waiting()) == ([("a job", "a key")], 0)
    for forbidden in (
        ("GET", "matinee-exchange:answer:0"),
        ("KEYS", "*"),
        ("SCAN", "0"),
        ("CONFIG", "GET", "*"),
        ("ACL", "LIST"),
        ("FLUSHALL",),
        ("EVAL", "return 1", "0"),
        ("SET", "mine", "1"),
    ):
        with pytest.raises(NoPermissionError):
            theirs.execute_command(*forbidden)


def test_a_far_worker_leaves_letters_and_takes_no_hints(settings: Settings) -> None:
    held = passes.issue(broker.of(settings), "encoder-1", far=True)
    letters, theirs = Mailbox(holding(settings, held)), client(settings, held)

    letters.tell("0123456789abcdef", {"node": {}})

    ours = Mailbox(broker.of(settings))
    assert list(ours.letters()) == ["0123456789abcdef"]
    ours.answer("0123456789abcdef", {"work": []})
    assert letters.answered("0123456789abcdef") == {"work": []}
    with pytest.raises(NoPermissionError):
        theirs.zcard("huey.redis.matineecpu")


def test_who_is_thrown_out_loses_even_an_open_connection(settings: Settings) -> None:
    held = passes.issue(broker.of(settings), "encoder-1", far=False)
    theirs = client(settings, held)
    assert theirs.ping()

    assert passes.revoke(broker.of(settings), held.username)

    with pytest.raises((AuthenticationError, ConnectionError)):
        theirs.ping()
    assert not passes.revoke(broker.of(settings), held.username)


def test_users_outlive_a_restart_of_redis(
    settings: Settings, redis: SecureRedis
) -> None:
    held = passes.issue(broker.of(settings), "encoder-1", far=False)
    kept = queue.line(settings, QueueName.CPU)
    assert kept.send("a job", "a key")
    redis.kill()
    assert not kept.send("a job", "a key")

    redis.start()

    assert client(settings, held).ping()
    assert kept.send("a job", "a key")


def test_a_redis_without_a_file_of_users_gives_what_all_have(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as plain:
        held = passes.issue(Broker(plain.url), "encoder-1", far=False)

        assert (held.own, held.password) == (False, plain.password)
        users = Redis.from_url(plain.url).acl_list()
        assert len(users) == 1


def test_the_password_is_read_from_a_file_that_is_ours_alone(
    settings: Settings, redis: SecureRedis
) -> None:
    assert redis.password not in repr(broker.of(settings)) + repr(settings)
    (settings.keys / "queue.toml").chmod(0o640)

    with pytest.raises(PreconditionFailed, match="chmod 600"):
        broker.of(settings)


def test_a_redis_that_nobody_vouches_for_gets_no_password(settings: Settings) -> None:
    (settings.keys / "queue-ca.pem").unlink()

    with pytest.raises(RedisError, match="certificate verify failed"):
        Redis(connection_pool=broker.of(settings).pool()).ping()


def test_the_doctor_says_how_redis_is(settings: Settings, redis: SecureRedis) -> None:
    look = cluster.CHECKS["cluster.redis"].look
    examined = Examined(settings)
    assert look(examined) == (
        Level.OK,
        f"Redis at 127.0.0.1:{redis.port} answers over TLS",
        "",
    )
    ours: Any = Redis(connection_pool=broker.of(settings).pool())

    ours.config_set("maxmemory-policy", "allkeys-lru")
    level, sentence, fix = look(examined)
    assert (level, "allkeys-lru" in sentence) == (Level.WARN, True)
    assert "noeviction" in fix

    redis.kill()
    level, sentence, _ = look(examined)
    assert (level, "does not answer" in sentence) == (Level.FAIL, True)


def test_the_doctor_finds_a_wrong_password(
    settings: Settings, redis: SecureRedis
) -> None:
    redis.password = "another"
    redis.known_in(settings.keys)

    level, sentence, fix = cluster.CHECKS["cluster.redis"].look(Examined(settings))

    assert (level, "neither our user name" in sentence) == (Level.FAIL, True)
    assert "queue.toml" in fix
