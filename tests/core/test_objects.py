"""Object storage: what is put there comes back, and what goes wrong is a sentence."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

import pytest

from appliance.errors import (
    ConfigError,
    MatineeError,
    NotFound,
    PreconditionFailed,
    TryAgain,
)
from appliance.objects import ObjectStore
from appliance.settings import Settings
from tests.host.object_server import BUCKET, ObjectServer

MIMETYPE, CACHING = "video/iso.segment", "public, max-age=60"


@pytest.fixture
def store(settings: Settings, bucket: ObjectServer) -> ObjectStore:
    return ObjectStore(bucket.used_by(settings))


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    path = tmp_path / "00001.m4s"
    path.write_bytes(bytes(range(100)))
    return path


def put(store: ObjectStore, segment: Path, *names: str) -> None:
    for name in names:
        store.put(segment, name, MIMETYPE, CACHING)


def read(store: ObjectStore, name: str) -> bytes:
    found = bytearray()
    store.read(name, found.extend)
    return bytes(found)


def test_what_is_put_comes_back_whole(store: ObjectStore, segment: Path) -> None:
    put(store, segment, "packages/a/00001.m4s")

    assert read(store, "packages/a/00001.m4s") == segment.read_bytes()
    assert store.size("packages/a/00001.m4s") == 100
    assert segment.exists()


def test_a_part_comes_alone(store: ObjectStore, segment: Path) -> None:
    put(store, segment, "a/00001.m4s")

    opened = store.open("a/00001.m4s", "bytes=10-19")

    assert b"".join(opened.blocks()) == bytes(range(10, 20))
    assert (opened.length, opened.span) == (10, "bytes 10-19/100")


def test_a_part_beyond_the_end_is_refused(store: ObjectStore, segment: Path) -> None:
    put(store, segment, "a/00001.m4s")

    with pytest.raises(PreconditionFailed) as refused:
        store.open("a/00001.m4s", "bytes=100-")

    assert refused.value.code == "objects.range"


def test_a_folder_is_listed_and_removed_without_its_neighbours(
    store: ObjectStore, segment: Path
) -> None:
    put(store, segment, "a/1.m4s", "a/2.m4s", "ab/1.m4s")

    listed = sorted(store.listing("a"))
    store.remove_folder("a")
    store.remove_folder("a")

    assert listed == [("1.m4s", 100), ("2.m4s", 100)]
    assert list(store.listing("a")) == []
    assert list(store.listing("ab")) == [("1.m4s", 100)]


def test_a_long_folder_is_listed_to_its_end(
    store: ObjectStore, bucket: ObjectServer
) -> None:
    (bucket.folder / "long").mkdir()
    names = [f"{number:05}.m4s" for number in range(1, 1301)]
    for name in names:
        (bucket.folder / "long" / name).write_bytes(b"x")

    assert sorted(name for name, _ in store.listing("long")) == names


def test_everything_lies_below_our_prefix(
    settings: Settings, bucket: ObjectServer, segment: Path
) -> None:
    store = ObjectStore(bucket.used_by(settings, prefix="/films/main/"))

    put(store, segment, "a/1.m4s")

    assert (bucket.folder / "films/main/a/1.m4s").read_bytes() == segment.read_bytes()
    assert list(store.listing("a")) == [("1.m4s", 100)]
    assert store.name == f"s3://{BUCKET}/films/main/"


def test_what_is_not_there_is_not_found(store: ObjectStore) -> None:
    for ask in (lambda: store.open("a/1.m4s"), lambda: store.size("a/1.m4s")):
        with pytest.raises(NotFound):
            ask()


def test_a_wrong_secret_is_refused_in_a_sentence(
    settings: Settings, bucket: ObjectServer, segment: Path
) -> None:
    store = ObjectStore(bucket.used_by(settings, secret="wrong-and-not-to-be-told"))

    for ask in (store.check, lambda: put(store, segment, "a/1.m4s")):
        with pytest.raises(PreconditionFailed, match="check access_key") as refused:
            ask()
        assert refused.value.code == "objects.refused"
        assert "not-to-be-told" not in str(refused.value)


def test_a_bucket_that_is_not_there_is_named(
    settings: Settings, bucket: ObjectServer
) -> None:
    used = bucket.used_by(settings)
    objects = replace(used.objects, bucket="elsewhere")

    with pytest.raises(PreconditionFailed, match="s3://elsewhere/") as refused:
        ObjectStore(replace(used, objects=objects)).check()

    assert refused.value.code == "objects.no-bucket"


def test_a_server_that_is_away_is_told_soon(
    store: ObjectStore, bucket: ObjectServer
) -> None:
    bucket.stop()

    with pytest.raises(TryAgain, match="cannot be reached") as refused:
        store.check()

    assert refused.value.code == "objects.unreachable"


def _silence(_: BaseRequestHandler) -> None:
    threading.Event().wait(30)


def _half(handler: BaseRequestHandler) -> None:
    handler.request.recv(65536)
    handler.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


def _failure(handler: BaseRequestHandler) -> None:
    handler.request.recv(65536)
    handler.request.sendall(
        b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )


def _full(handler: BaseRequestHandler) -> None:
    body = b"<Error><Code>QuotaExceeded</Code><Message>full</Message></Error>"
    handler.request.recv(65536)
    handler.request.sendall(
        b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/xml\r\n"
        + f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
        + body
    )


@pytest.mark.parametrize(
    ("behaves", "code"),
    [
        (_silence, "objects.unreachable"),
        (_half, "objects.unreachable"),
        (_failure, "objects.failed"),
        (_full, "objects.full"),
    ],
)
def test_a_server_that_misbehaves_is_explained(
    settings: Settings,
    bucket: ObjectServer,
    behaves: Callable[[BaseRequestHandler], None],
    code: str,
) -> None:
    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            behaves(self)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        used = bucket.used_by(settings)
        address: Any = server.server_address
        objects = replace(
            used.objects, endpoint=f"http://127.0.0.1:{address[1]}", timeout_seconds=1
        )
        with pytest.raises(MatineeError) as refused:
            read(ObjectStore(replace(used, objects=objects)), "a/1.m4s")
        server.shutdown()

    assert refused.value.code == code


def test_without_a_bucket_it_is_said_what_to_set(settings: Settings) -> None:
    with pytest.raises(ConfigError, match=r"objects\.bucket"):
        ObjectStore(settings)


def test_a_secret_that_others_may_read_is_not_used(
    settings: Settings, bucket: ObjectServer
) -> None:
    used = bucket.used_by(settings)
    (settings.keys / "s3.toml").chmod(0o644)

    with pytest.raises(PreconditionFailed, match="chmod 600"):
        ObjectStore(used)


def test_the_machines_own_aws_settings_are_left_alone(
    settings: Settings,
    bucket: ObjectServer,
    segment: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "somebody-else")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody-else")
    store = ObjectStore(bucket.used_by(settings))

    put(store, segment, "a/1.m4s")

    assert read(store, "a/1.m4s") == segment.read_bytes()
