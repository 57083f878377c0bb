"""nginx in front of a real S3 server: it signs, keeps, and gives nothing away."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import settings as configuration
from appliance.errors import ConfigError
from appliance.media.moving import CACHING
from appliance.objects import ObjectStore
from appliance.settings import Settings
from nginx import PRIVATE, render, secrets, trial
from tests.host import object_server, served_nginx
from tests.host.object_server import BUCKET, ObjectServer
from tests.host.served_nginx import ASSET, TRACK, Nginx, changed, put

THERE, HERE = "00002.m4s", "00001.m4s"
CONTENT = bytes(range(256)) * 2000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectServer]:
    with object_server.serving(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="module")
def served(
    server: ObjectServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Nginx]:
    """An origin with one file of a track on its disk, and another in the bucket."""
    home = tmp_path_factory.mktemp("origin") / "home"
    environ = served_nginx.environment(home)
    used = server.used_by(configuration.load(environ=environ), prefix="films/main")
    path = home / THERE
    path.write_bytes(CONTENT)
    ObjectStore(used).put(path, _path(THERE), "video/iso.segment", CACHING)
    with served_nginx.origin(
        home,
        MATINEE_OBJECTS_BUCKET=BUCKET,
        MATINEE_OBJECTS_ENDPOINT=server.url,
        MATINEE_OBJECTS_PREFIX="films/main",
    ) as nginx:
        yield nginx


def _path(name: str) -> str:
    return f"packages/{ASSET}/tracks/{TRACK}/{name}"


def _url(nginx: Nginx, name: str, token: str = "") -> str:
    return f"/media/{token or nginx.token()}/{ASSET}/tracks/{TRACK}/{name}"


def test_a_viewer_gets_files_from_both_places_alike(served: Nginx) -> None:
    here, there = served.get(_url(served, HERE)), served.get(_url(served, THERE))

    assert (here.status_code, there.status_code) == (200, 200)
    assert there.content == CONTENT
    for name in ("Content-Type", "Cache-Control", "X-Content-Type-Options", "Vary"):
        assert there.headers.get(name) == here.headers.get(name)
    assert not [name for name in there.headers if name.lower().startswith("x-amz")]
    assert there.headers["Server"] == here.headers["Server"]


def test_parts_are_cut_from_what_is_kept(served: Nginx, server: ObjectServer) -> None:
    whole = served.get(_url(served, THERE))
    part = served.get(_url(served, THERE), headers={"Range": "bytes=1000-1999"})
    tail = served.get(_url(served, THERE), headers={"Range": "bytes=-3"})
    beyond = served.get(_url(served, THERE), headers={"Range": "bytes=9999999-"})
    known = served.get(
        _url(served, THERE), headers={"If-None-Match": whole.headers["ETag"]}
    )

    assert (part.status_code, part.content) == (206, CONTENT[1000:2000])
    assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(CONTENT)}"
    assert tail.content == CONTENT[-3:]
    assert beyond.status_code == 416
    assert known.status_code == 304


def test_what_was_asked_for_once_is_there_without_the_storage(
    served: Nginx, server: ObjectServer
) -> None:
    served.get(_url(served, THERE))
    server.stop()
    try:
        kept = served.get(_url(served, THERE))
        head = served.status(_url(served, THERE), "HEAD")
        other = served.get(_url(served, "00003.m4s"))
    finally:
        server.start()

    assert kept.content == CONTENT
    assert head == 200
    assert (other.status_code, other.json()["code"]) == (503, "media.away")
    assert server.url not in other.text


def test_what_is_nowhere_is_not_found(served: Nginx) -> None:
    answer = served.get(_url(served, "00009.m4s"))

    assert (answer.status_code, answer.json()["code"]) == (404, "media.missing")
    assert BUCKET not in answer.text


def test_the_token_is_asked_for_wherever_a_file_lies(served: Nginx) -> None:
    late = served.get(_url(served, THERE, served.token(seconds=-2)))
    other = served.get(_url(served, THERE, served.token(asset="f" * 16)))

    assert (late.status_code, other.status_code) == (410, 403)
    assert served.status(f"/{BUCKET}/films/main/{_path(THERE)}") == 404
    assert served.status(_url(served, THERE), "DELETE") in (403, 405)
    assert served.status(_url(served, "..%2f..%2f" + THERE)) in (400, 403, 404)


def test_a_key_that_is_refused_is_our_trouble_and_not_the_viewers(
    server: ObjectServer, tmp_path: Path
) -> None:
    environ = served_nginx.environment(tmp_path)
    server.used_by(configuration.load(environ=environ), secret="another-secret")
    with served_nginx.origin(
        tmp_path,
        MATINEE_OBJECTS_BUCKET=BUCKET,
        MATINEE_OBJECTS_ENDPOINT=server.url,
        MATINEE_OBJECTS_PREFIX="films/main",
    ) as nginx:
        answer = nginx.get(_url(nginx, THERE))

    assert (answer.status_code, answer.headers["Cache-Control"]) == (503, "no-store")


def test_only_private_files_hold_the_key(served: Nginx) -> None:
    folder = Path(served.settings.nginx.folder) / "current"
    holding = {
        path.name
        for path in folder.resolve().rglob("*")
        if path.is_file() and "a-secret-of-the-tests" in path.read_text()
    }

    assert holding == {"object_secrets.conf"}
    assert holding <= PRIVATE
    mode = (folder / "object_secrets.conf").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600


def test_no_log_holds_a_signature_or_a_token(served: Nginx) -> None:
    token = served.token()
    served.get(_url(served, THERE, token))
    served.get(_url(served, "00008.m4s", token))

    served.logged("media.log", 1, file="00008.m4s", status=404)

    said = "".join(
        path.read_text() for path in Path(served.settings.nginx.log).iterdir()
    )
    assert token not in said
    assert "AWS4-HMAC" not in said


def test_what_can_not_be_put_into_a_configuration_is_refused_unseen(
    settings: Settings, bucket: ObjectServer
) -> None:
    used = bucket.used_by(settings, secret="$evil; secret")

    with pytest.raises(ConfigError, match="secret_key") as refused:
        render(used, secrets.load(used), ["origin"])

    assert "evil" not in str(refused.value)


def test_a_file_may_go_away_while_it_is_asked_for(served: Nginx) -> None:
    path = put(served.settings, "00004.m4s", b"here")

    before = served.get(_url(served, "00004.m4s"))
    ObjectStore(
        configuration.load(
            environ={
                "MATINEE_HOME": str(served.settings.home),
                "MATINEE_OBJECTS_BUCKET": BUCKET,
                "MATINEE_OBJECTS_ENDPOINT": served.settings.objects.endpoint,
                "MATINEE_OBJECTS_PREFIX": "films/main",
            }
        )
    ).put(path, _path("00004.m4s"), "video/iso.segment", CACHING)
    path.unlink()
    after = served.get(_url(served, "00004.m4s"))

    assert (before.content, after.content) == (b"here", b"here")


@pytest.mark.parametrize(
    ("endpoint", "path_style"),
    [
        ("", True),
        ("", False),
        ("https://s3.example:8443", True),
        ("https://s3.example", False),
        ("http://[::1]:9000", True),
        ("http://localhost:9000", True),
    ],
)
def test_nginx_and_gixy_take_every_kind_of_address(
    settings: Settings,
    bucket: ObjectServer,
    tmp_path: Path,
    endpoint: str,
    path_style: bool,
) -> None:
    used = changed(
        bucket.used_by(settings), "objects", endpoint=endpoint, path_style=path_style
    )
    used = changed(used, "portal", public_url="https://films.example")
    place = str(tmp_path)
    used = changed(used, "nginx", user="", run=place, log=place, cache=place)
    folder = tmp_path / "rendered"

    trial.write(render(used, secrets.load(used), ["portal", "origin"]), folder)

    assert trial.examine(folder) == ()
