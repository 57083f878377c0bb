"""The edge: it checks tokens itself, keeps what it fetched, needs no origin for it."""

import shutil
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from werkzeug.wrappers import Request, Response

from appliance import settings as configuration
from appliance.delivery import edge_secret, tokens
from appliance.delivery.tokens import Scope
from appliance.errors import ConfigError
from nginx import render, secrets
from tests.doubles.certificates import certified
from tests.doubles.server import Mood, Service, served
from tests.host.edges import edge
from tests.host.mounts import Mounts
from tests.host.served_nginx import (
    ASSET,
    TRACK,
    Nginx,
    environment,
    origin,
    put,
    settled,
)

_FILE = f"tracks/{TRACK}/00001.m4s"
_PAGE = "https://films.example"
_SEGMENT = b"0123456789" * 1000


@dataclass
class Pair:
    """An edge and the nginx that it fetches from."""

    edge: Nginx
    origin: Nginx

    def url(self, name: str = _FILE, token: str = "") -> str:
        return f"/media/{token or self.edge.token()}/{ASSET}/{name}"

    def fetched(self, file: str, count: int) -> int:
        """Return how often the origin was asked for a file, at least so often."""
        return len(self.origin.logged("media.log", count, file=file))


@pytest.fixture(scope="module", params=["md5", "hmac-sha256"])
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    home = tmp_path_factory.mktemp("edge")
    with origin(home / "origin", MATINEE_ORIGIN_TOKEN=request.param) as far:
        for number in range(2, 8):
            put(far.settings, f"0000{number}.m4s", _SEGMENT)
        keys = far.settings.keys
        with edge(
            *(home / "edge", far.url, keys),
            MATINEE_ORIGIN_TOKEN=request.param,
            MATINEE_ORIGIN_CORS_ORIGINS=_PAGE,
        ) as near:
            yield Pair(near, far)


@pytest.fixture
def double() -> Iterator[Service]:
    """An origin that behaves as a test wants it to."""
    with served(lambda _request: Response(_SEGMENT)) as service:
        yield service


@pytest.fixture
def near(tmp_path: Path, double: Service) -> Iterator[Nginx]:
    """An edge in front of that."""
    with edge(tmp_path / "edge", double.url, tmp_path / "keys") as nginx:
        yield nginx


def _url(nginx: Nginx, name: str = _FILE, token: str = "") -> str:
    return f"/media/{token or nginx.token()}/{ASSET}/{name}"


def test_viewers_with_different_tokens_share_one_copy(pair: Pair) -> None:
    one = pair.edge.token(session="a" * 16)
    two = pair.edge.token(session="b" * 16, scope=Scope.up_to(720))

    first, second = (pair.edge.get(pair.url(token=token)) for token in (one, two))

    assert first.content == second.content == _SEGMENT
    assert [first.headers["X-Cache"], second.headers["X-Cache"]] == ["MISS", "HIT"]
    assert second.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert second.headers["Content-Type"] == "video/iso.segment"
    assert pair.fetched("00001.m4s", 1) == 1


def test_what_is_kept_opens_for_nobody_without_a_token(pair: Pair) -> None:
    assert pair.edge.get(pair.url()).status_code == 200
    late = pair.edge.get(pair.url(token=pair.edge.token(seconds=-2)))
    foreign = pair.edge.get(pair.url(token=pair.edge.token(asset="f" * 16)))
    licence = pair.edge.get(pair.url(token=pair.edge.token(scope=Scope.LICENCE)))

    assert (late.status_code, late.json()["code"]) == (410, "media.expired")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "media.token")
    assert licence.status_code == 403
    for each in (late, foreign, licence):
        assert each.headers["Cache-Control"] == "no-store"
        assert "X-Cache" not in each.headers
    for token in ("-", "x", "2.1.0000000001.0123456789abcdef.all." + "A" * 22, ".."):
        assert pair.edge.status(pair.url(token=token)) in (400, 403, 404)


def test_a_part_of_what_was_never_fetched_is_cut_from_the_whole(pair: Pair) -> None:
    name = f"tracks/{TRACK}/00002.m4s"
    cold = pair.edge.get(pair.url(name), headers={"Range": "bytes=3-6"})
    warm = pair.edge.get(pair.url(name), headers={"Range": "bytes=9990-"})
    beyond = pair.edge.get(pair.url(name), headers={"Range": "bytes=99999-"})

    assert (cold.status_code, cold.content) == (206, b"3456")
    assert (warm.status_code, warm.content) == (206, b"0123456789")
    assert warm.headers["X-Cache"] == "HIT"
    assert beyond.status_code == 416
    assert pair.fetched("00002.m4s", 1) == 1


def test_the_edge_says_itself_which_pages_may_read(pair: Pair) -> None:
    def allowed(page: str) -> str | None:
        answer = pair.edge.get(pair.url(), headers={"Origin": page})
        assert "Origin" in answer.headers["Vary"]
        return answer.headers.get("Access-Control-Allow-Origin")

    assert allowed("https://evil.example") is None
    assert allowed(_PAGE) == _PAGE
    assert allowed("https://evil.example") is None
    before = requests.options(
        pair.edge.url + pair.url(), headers={"Origin": _PAGE}, timeout=30
    )
    assert (before.status_code, before.headers["Access-Control-Allow-Origin"]) == (
        204,
        _PAGE,
    )


def test_whatever_is_not_media_is_not_there(pair: Pair) -> None:
    for path in (
        *("/", "/login", "/api/v1/titles", "/licence/clearkey", "/metrics"),
        *("/internal/map/x", "/static/css/app.css", "/-says/media-404.json"),
        *("/media", "/media/", pair.url(""), pair.url("steering.json")),
        *(pair.url("steered.mpd"), pair.url("../../../etc/passwd")),
        pair.url(f"tracks/{TRACK}/..%2f..%2fsecrets.conf"),
    ):
        assert pair.edge.status(path) in (400, 403, 404), path
    for method in ("POST", "PUT", "DELETE", "PURGE"):
        assert pair.edge.status(pair.url(), method) in (403, 405)
    assert pair.edge.status("/media/" + "a" * 10_000) == 414


def test_a_missing_segment_is_missing_here_too(pair: Pair) -> None:
    answer = pair.edge.get(pair.url(f"tracks/{TRACK}/99999.m4s"))

    assert (answer.status_code, answer.json()["code"]) == (404, "media.missing")


def test_twenty_cold_viewers_are_one_request_to_the_origin(
    near: Nginx, double: Service
) -> None:
    all_asked = threading.Event()

    def answer(_request: Request) -> Response:
        assert all_asked.wait(30)
        return Response(_SEGMENT)

    double.answer = answer
    viewers = []
    for number in range(20):
        token = near.token(session=f"{number:016x}")
        request = f"GET {_url(near, token=token)} HTTP/1.1\r\nHost: x\r\n"
        port = near.settings.nginx.http_port
        viewer = socket.create_connection((near.host, port), 30)
        viewer.sendall(f"{request}Connection: close\r\n\r\n".encode())
        viewers.append(viewer)
    # Once a request that came after them is answered, all twenty have been read.
    near.get("/-/live")
    all_asked.set()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(_everything, viewers))

    assert all(each.startswith(b"HTTP/1.1 200") for each in answers)
    assert all(each.endswith(_SEGMENT) for each in answers)
    assert len(double.seen) == 1


def _everything(viewer: socket.socket) -> bytes:
    with viewer:
        return b"".join(iter(lambda: viewer.recv(65536), b""))


def test_the_origin_sees_the_secret_and_the_token_and_nothing_of_the_viewer(
    near: Nginx, double: Service
) -> None:
    token = near.token()
    near.get(
        _url(near, token=token) + "?CMCD=br%3D1",
        headers={
            "X-Origin-Secret": "forged",
            "X-Viewer-Address": "203.0.113.9",
            "X-Forwarded-For": "203.0.113.9",
            "Cookie": "matinee_session=secret",
            "Authorization": "Bearer secret",
            "User-Agent": "Viewer's own browser",
        },
    )

    (asked,) = double.seen
    (secret,) = edge_secret.known(near.settings.keys)
    assert asked.path == _url(near, token=token)
    assert dict(asked.headers) == {
        "Host": double.url.removeprefix("http://"),
        "X-Origin-Secret": secret,
        "X-Viewer-Address": "127.0.0.1",
    }


def test_keys_are_passed_on_and_never_kept(near: Nginx, double: Service) -> None:
    double.answer = lambda _request: Response(
        b"k" * 16, headers={"Cache-Control": "public, max-age=999"}
    )
    url = _url(near, f"key/{'ab' * 16}")

    answers = [near.get(url) for _ in range(3)]
    double.mood = Mood.REFUSES
    refused = near.get(url)

    assert [each.content for each in answers] == [b"k" * 16] * 3
    assert {each.headers["Cache-Control"] for each in answers} == {"no-store"}
    assert refused.status_code == 403
    assert len(double.seen) == 4
    kept = Path(near.settings.nginx.cache)
    assert not [path for path in kept.rglob("*") if path.is_file()]


def test_what_is_kept_plays_while_the_origin_is_gone(tmp_path: Path) -> None:
    with ExitStack() as running:
        far = running.enter_context(origin(tmp_path / "origin"))
        put(far.settings, "00002.m4s", _SEGMENT)
        near = running.enter_context(
            edge(tmp_path / "edge", far.url, far.settings.keys)
        )
        assert near.get(_url(near)).status_code == 200
        far.stop()
        kept = near.get(_url(near, token=near.token(session="c" * 16)))
        other = near.get(_url(near, f"tracks/{TRACK}/00002.m4s"))
        ready = [near.get(path).status_code for path in ("/-/live", "/-/ready")]
        far.start()
        again = near.get(_url(near, f"tracks/{TRACK}/00002.m4s"))

    assert (kept.status_code, kept.headers["X-Cache"]) == (200, "HIT")
    assert (other.status_code, other.json()["code"]) == (503, "media.away")
    assert other.headers["Retry-After"] == "5"
    assert ready == [200, 503]
    assert again.status_code == 200


@pytest.mark.parametrize("mood", [Mood.FAILS, Mood.SILENT, Mood.HANGS_UP])
def test_a_bad_origin_costs_only_what_was_never_fetched(
    near: Nginx, double: Service, mood: Mood
) -> None:
    """500, or never a word, or half an answer: what is old serves, and the log says."""
    manifest = _url(near, "manifest.mpd")
    double.answer = lambda _request: Response("<MPD/>", mimetype="application/dash+xml")
    near.get(_url(near, f"tracks/{TRACK}/00003.m4s"))
    first = near.get(manifest)
    _age(near)
    double.mood = mood
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(near.get, _url(near))
        segment = near.get(_url(near, f"tracks/{TRACK}/00003.m4s"))
        stale = near.get(manifest)
        if mood is Mood.HANGS_UP:
            with pytest.raises(requests.RequestException):
                waiting.result()
            return
        missing = waiting.result()

    assert (first.text, stale.text) == ("<MPD/>", "<MPD/>")
    assert stale.headers["X-Cache"] in ("STALE", "UPDATING")
    assert segment.status_code == 200
    assert (missing.status_code, missing.json()["code"]) == (503, "media.away")
    assert "cannot open" not in missing.text
    (line,) = near.logged("media.log", 1, status=503)
    said = "500" if mood is Mood.FAILS else "504"
    assert (line["upstream"], line["cache"], line["file"]) == (
        said,
        "MISS",
        "00001.m4s",
    )
    token = _url(near).split("/")[2]
    assert token not in near.errors()


def _age(nginx: Nginx) -> None:
    """Let the manifest that is kept be old: the time stands in the head of its file."""
    kept = Path(nginx.settings.nginx.run) / "manifests"
    (path,) = settled(
        lambda: [each for each in kept.rglob("*") if len(each.name) == 32], "it is kept"
    )
    nginx.stop()
    content = bytearray(path.read_bytes())
    # The version and the time until it is fresh: eight bytes each.
    content[8:16] = (1).to_bytes(8, "little")
    path.write_bytes(content)
    nginx.start()


def test_a_full_disk_costs_only_what_was_never_fetched(
    tmp_path: Path, double: Service, mounts: Mounts
) -> None:
    """An answer breaks off, so that players ask elsewhere; none is wrong, or kept."""
    disk = mounts.disk(tmp_path / "disk", kilobytes=2048)
    big = b"x" * 700_000
    double.answer = lambda _request: Response(big)
    with edge(
        *(tmp_path / "edge", double.url, tmp_path / "keys"),
        MATINEE_NGINX_CACHE=str(disk),
    ) as near:
        kept, broken = _url(near), _url(near, f"tracks/{TRACK}/00002.m4s")
        assert near.get(kept).content == big
        filler = disk / "filler"
        full = pytest.raises(OSError, match="No space left")
        with full, filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        with pytest.raises(requests.RequestException):
            near.get(broken)
        still = near.get(kept)
        said = near.errors()
        filler.unlink()
        again = near.get(broken)

    assert (still.content == big, still.headers["X-Cache"]) == (True, "HIT")
    assert (again.content == big, again.headers["X-Cache"]) == (True, "MISS")
    assert "No space left on device" in said


def test_where_edges_are_required_nobody_else_gets_segments(tmp_path: Path) -> None:
    home = tmp_path / "origin"
    keys = configuration.load(environ=environment(home)).keys
    edge_secret.rotate(keys)
    (first,) = edge_secret.known(keys)
    with ExitStack() as running:
        far = running.enter_context(origin(home, MATINEE_EDGE_REQUIRED="true"))
        # The edge keeps what it was given; the origin goes on to the next one.
        copy = tmp_path / "brought"
        shutil.copytree(keys, copy)
        near = running.enter_context(edge(tmp_path / "edge", far.url, copy))
        direct = far.get(_url(far))
        through = near.get(_url(near))
        edge_secret.rotate(keys)
        far.install()
        put(far.settings, "00002.m4s", _SEGMENT)
        turning = near.get(_url(near, f"tracks/{TRACK}/00002.m4s"))
        edge_secret.rotate(keys)
        far.install()
        put(far.settings, "00003.m4s", _SEGMENT)
        forgotten = near.get(_url(near, f"tracks/{TRACK}/00003.m4s"))
        forged = [
            far.get(_url(far), headers={"X-Origin-Secret": each}).status_code
            for each in ("", "x", first, first.upper(), first[:-1], f"{first} ")
        ]

    assert (direct.status_code, direct.json()["code"]) == (403, "media.token")
    assert (through.status_code, turning.status_code) == (200, 200)
    assert forgotten.status_code == 403
    assert forged == [403] * 6


def test_the_origin_believes_only_edges_of_a_viewers_address(tmp_path: Path) -> None:
    """What stands behind the origin is told the viewer's address, not the edge's."""
    home = tmp_path / "origin"
    with served(lambda _request: Response(b"k" * 16)) as web, ExitStack() as running:
        port = web.url.rpartition(":")[2]
        changes = {"MATINEE_WEB_SOCKET": "", "MATINEE_WEB_PORT": port}
        edge_secret.rotate(configuration.load(environ=environment(home)).keys)
        far = running.enter_context(origin(home, **changes))
        near = running.enter_context(
            edge(tmp_path / "edge", far.url, far.settings.keys)
        )
        port_of_edge = near.settings.nginx.http_port
        url = _url(near, f"key/{'ab' * 16}")
        lie = {"X-Viewer-Address": "203.0.113.9", "X-Forwarded-For": "203.0.113.9"}
        with requests.Session() as viewer:
            viewer.mount("http://", _From("127.0.0.77"))
            viewer.get(f"http://127.0.0.1:{port_of_edge}{url}", headers=lie, timeout=30)
        far.get(url, headers=lie)

    told = [each.headers["X-Forwarded-For"] for each in web.seen]
    assert told == ["127.0.0.77", "127.0.0.1"]


class _From(requests.adapters.HTTPAdapter):
    """Ask from another address of this machine."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **extra: Any
    ) -> None:
        source = (self._address, 0)
        super().init_poolmanager(
            connections, maxsize, block, source_address=source, **extra
        )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"MATINEE_EDGE_ORIGIN": ""}, "edge.origin"),
        ({"MATINEE_EDGE_ORIGIN": "https://a.example/path"}, "edge.origin"),
        (
            {
                "MATINEE_EDGE_ORIGIN": "https://a.example",
                "MATINEE_EDGE_URL": "https://a.example",
            },
            "the edge itself",
        ),
        (
            {
                "MATINEE_EDGE_ORIGIN": "https://a.example",
                "MATINEE_EDGE_CACHE_GIGABYTES": "0",
            },
            "edge.cache_gigabytes",
        ),
    ],
)
def test_what_an_edge_needs_is_said(
    tmp_path: Path, changes: dict[str, str], told: str
) -> None:
    found = configuration.load(environ=environment(tmp_path / "home", **changes))
    edge_secret.rotate(found.keys)

    with pytest.raises(ConfigError, match=told):
        render(found, secrets.load(found), ("edge",))


def test_an_origin_whose_certificate_does_not_hold_is_not_believed(
    tmp_path: Path,
) -> None:
    pem = tmp_path / "self-signed.pem"
    pem.write_bytes(certified("127.0.0.1"))
    with (
        served(lambda _request: Response(_SEGMENT), pem) as double,
        edge(tmp_path / "edge", double.url, tmp_path / "keys") as near,
    ):
        answer = near.get(_url(near))
        (line,) = near.logged("media.log", 1, status=503)

    assert answer.status_code == 503
    assert line["upstream"] == "502"
    assert double.seen == []


def test_an_edge_stands_beside_a_portal_under_a_name_of_its_own(tmp_path: Path) -> None:
    changes = {
        "MATINEE_EDGE_ORIGIN": "https://far.example",
        "MATINEE_PORTAL_PUBLIC_URL": "http://films.example",
    }
    home = tmp_path / "home"
    keys = configuration.load(environ=environment(home)).keys
    edge_secret.rotate(keys)
    roles = ("portal", "origin", "edge")
    found = configuration.load(environ=environment(home, **changes))
    with pytest.raises(ConfigError, match="two different hosts"):
        render(found, secrets.load(found), roles)
    url = {"MATINEE_EDGE_URL": "http://edge.example"}
    far = {"MATINEE_EDGE_ORIGIN": "http://127.0.0.1:9"}
    with origin(home, *roles, **(changes | url | far)) as both:

        def status(host: str, path: str) -> int:
            head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close"
            answer = both.raw(f"{head}\r\n\r\n".encode())
            return int(answer.split(b" ", 2)[1]) if answer else 0

        asked = {
            (host, path): status(host, path)
            for host in ("films.example", "edge.example", "other.example")
            for path in ("/login", _url(both))
        }

    assert list(asked.values()) == [503, 200, 404, 503, 0, 0]


def test_an_edge_without_its_keys_says_where_they_come_from(tmp_path: Path) -> None:
    changes = {"MATINEE_EDGE_ORIGIN": "https://a.example"}
    found = configuration.load(environ=environment(tmp_path / "home", **changes))

    with pytest.raises(ConfigError, match="matinee edge keys"):
        render(found, secrets.load(found), ("edge",))


def test_secrets_stand_only_in_the_file_that_nobody_reads(tmp_path: Path) -> None:
    changes = {"MATINEE_EDGE_ORIGIN": "https://a.example"}
    found = configuration.load(environ=environment(tmp_path / "home", **changes))
    edge_secret.rotate(found.keys)
    files = dict(render(found, secrets.load(found), ("edge",)))
    hidden = files.pop("secrets.conf")

    media = tokens.to_check(found.keys).secrets.values()
    for secret in [*edge_secret.known(found.keys), *(each.hex() for each in media)]:
        assert secret in hidden
        assert not [name for name, text in files.items() if secret in text]
