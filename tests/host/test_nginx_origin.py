"""The origin without the application: tokens, files, and everything that is neither."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from appliance.delivery import tokens
from appliance.delivery.tokens import Scope
from tests.bench import load
from tests.host.served_nginx import ASSET, SESSION, TRACK, Nginx, origin, put

_FILE = f"tracks/{TRACK}/00001.m4s"
_SECRET_FILES = ("secrets.conf", "nginx.conf", "media-1.key", "matinee.db")


@pytest.fixture(scope="module", params=["md5", "hmac-sha256"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Nginx]:
    """An origin for each way of signing, with pages elsewhere that may play."""
    home = tmp_path_factory.mktemp("origin") / "home"
    with origin(
        home,
        MATINEE_ORIGIN_TOKEN=request.param,
        MATINEE_ORIGIN_CORS_ORIGINS="https://shop.example, https://two.example:8443",
    ) as nginx:
        yield nginx


def _url(nginx: Nginx, name: str = _FILE, token: str = "", asset: str = ASSET) -> str:
    return f"/media/{token or nginx.token()}/{asset}/{name}"


def test_a_token_opens_the_file_which_never_changes(served: Nginx) -> None:
    answer = served.get(_url(served))

    assert answer.status_code == 200
    assert answer.content == b"0123456789" * 1000
    assert answer.headers["Content-Type"] == "video/iso.segment"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "charset" not in answer.headers["Content-Type"]


def test_any_height_opens_files_and_a_licence_does_not(served: Nginx) -> None:
    high = served.token(scope=Scope.up_to(720))
    licence = served.token(scope=Scope.LICENCE)

    assert served.get(_url(served, token=high)).status_code == 200
    assert served.get(_url(served, token=licence)).status_code == 403


def test_one_that_ran_out_is_gone_and_says_what_to_do(served: Nginx) -> None:
    answer = served.get(_url(served, token=served.token(seconds=-2)))

    assert answer.status_code == 410
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["code"] == "media.expired"


def test_nothing_but_the_token_of_the_asset_opens_it(served: Nginx) -> None:
    token = served.token()
    head, scope, mac = token.rsplit(".", 2)
    other = served.token(asset="f" * 16)

    for wrong in (
        other,
        f"{head}.h720.{mac}",
        f"{head}.{scope}.{mac[:-1]}",
        f"{head}.{scope}.{mac}A",
        f"{head}.{scope}.{'A' * len(mac)}",
        f"{head}.{scope}.",
        token.replace(SESSION, "f" * 16),
        token[0] + ".9" + token[3:],
        token[0] + ".0000001" + token[3:],
        token.replace(".", "%00.", 1),
        "3" + token[1:],
        "..",
        ".",
        "A" * 400,
    ):
        assert served.status(_url(served, token=wrong)) in (400, 403, 404), wrong


def test_a_changed_end_opens_nothing(served: Nginx) -> None:
    parts = served.token(seconds=-2).split(".")
    parts[2] = str(int(time.time()) + 9999)

    answer = served.get(_url(served, token=".".join(parts)))

    assert (answer.status_code, answer.json()["code"]) == (403, "media.token")


def test_ranges_and_conditions_are_understood(served: Nginx) -> None:
    whole = served.get(_url(served))

    part = served.get(_url(served), headers={"Range": "bytes=3-6"})
    beyond = served.get(_url(served), headers={"Range": "bytes=99999-"})
    known = served.get(_url(served), headers={"If-None-Match": whole.headers["ETag"]})
    head = requests.head(served.url + _url(served), timeout=30)

    assert (part.status_code, part.content) == (206, b"3456")
    assert part.headers["Content-Range"] == "bytes 3-6/10000"
    assert beyond.status_code == 416
    assert (known.status_code, known.content) == (304, b"")
    assert (head.status_code, head.headers["Content-Length"]) == (200, "10000")


def test_a_missing_segment_is_not_found(served: Nginx) -> None:
    answer = served.get(_url(served, f"tracks/{TRACK}/00002.m4s"))

    assert (answer.status_code, answer.json()["code"]) == (404, "media.missing")
    assert answer.headers["Cache-Control"] == "no-store"


def test_only_pages_that_are_listed_may_read_it(served: Nginx) -> None:
    def asked(page: str, **extra: str) -> requests.Response:
        return served.get(_url(served), headers={"Origin": page, **extra})

    for page in ("https://shop.example", "https://two.example:8443"):
        answer = asked(page)
        assert answer.headers["Access-Control-Allow-Origin"] == page
        assert "Origin" in answer.headers["Vary"]
        assert "Content-Range" in answer.headers["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in answer.headers
    for page in ("https://evil.example", "https://shop.example.evil.example", "null"):
        answer = asked(page)
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Origin" in answer.headers["Vary"]
    gone = served.get(
        _url(served, token=served.token(seconds=-2)),
        headers={"Origin": "https://shop.example"},
    )
    assert gone.status_code == 410
    assert gone.headers["Access-Control-Allow-Origin"] == "https://shop.example"


def test_browsers_may_ask_beforehand(served: Nginx) -> None:
    def asked(page: str) -> requests.Response:
        return requests.options(
            served.url + _url(served),
            headers={"Origin": page, "Access-Control-Request-Headers": "range"},
            timeout=30,
        )

    right, wrong = asked("https://shop.example"), asked("https://evil.example")

    assert right.status_code == 204
    assert right.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert "Range" in right.headers["Access-Control-Allow-Headers"]
    assert not [each for each in wrong.headers if each.startswith("Access-Control-A")]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"])
def test_media_is_only_read(served: Nginx, method: str) -> None:
    assert served.status(_url(served), method) in (403, 405)


CLIMBS = (
    "../",
    "..%2f",
    "%2e%2e/",
    "%2e%2e%2f",
    "%252e%252e%252f",
    "..%5c",
    "..\\",
    "....//",
    "..;/",
    ".%00./",
    "%c0%ae%c0%ae/",
    "%uff0e%uff0e/",
    "..%c0%af",
    "%2e%2e%5c",
    "/%2e%2e/",
)


@pytest.mark.parametrize("climb", CLIMBS)
def test_no_spelling_of_a_climb_leaves_the_folder(served: Nginx, climb: str) -> None:
    put(served.settings, "secrets.conf", b"shall not be seen")

    for start in (
        _url(served, f"tracks/{TRACK}/"),
        _url(served, "tracks/"),
        _url(served, ""),
        f"/media/{served.token()}/",
        "/media/",
        "/static/",
        "/",
    ):
        for count in (1, 3, 9):
            for name in ("etc/passwd", *_SECRET_FILES):
                target = f"{start}{climb * count}{name}"
                assert served.status(target) in (400, 403, 404), target


def test_whatever_is_no_address_of_media_is_refused(served: Nginx) -> None:
    token = served.token()

    for path in (
        "/",
        "/media",
        "/media/",
        "/media//",
        f"/media/{token}",
        f"/media/{token}/{ASSET}",
        f"/media/{token}/{ASSET}/",
        f"/media/{token}/{ASSET}/tracks",
        f"/media/{token}/{ASSET}/tracks/{TRACK}",
        f"/media/{token}/{ASSET}/tracks/{TRACK}/",
        f"/media/{token}/{ASSET}/tracks/{TRACK}/.m4s",
        f"/media/{token}/{ASSET}/tracks/{TRACK}/00001.mp4.key",
        f"/media/{token}/{ASSET}/tracks/{TRACK}/00001.M4S",
        f"/MEDIA/{token}/{ASSET}/{_FILE}",
        f"/media/{token}/{ASSET.upper()}/{_FILE}",
        f"/media/{token}/{ASSET}/master.m3u8/x",
        "/-says/503.json",
        "/internal/map/x",
        "/metrics",
        "/static/css/app.css",
    ):
        assert served.status(path) in (403, 404), path


def test_an_address_of_ten_thousand_characters_is_too_long(served: Nginx) -> None:
    long = "a" * 10_000
    for target in (f"/media/{long}", f"{_url(served)}?{long}", _url(served, long)):
        assert served.status(target) == 414
    assert served.get(_url(served)).status_code == 200

    lines = served.logged("portal.log", 3, status=414)
    assert long not in f"{lines}{served.errors()}"


def test_headers_of_a_megabyte_are_refused(served: Nginx) -> None:
    answer = served.raw(
        b"GET / HTTP/1.1\r\nHost: x\r\nCookie: " + b"a" * 1_000_000 + b"\r\n\r\n"
    )

    assert answer.startswith(b"HTTP/1.1 400")


def test_answers_tell_nothing_about_the_machine(served: Nginx) -> None:
    for path in (_url(served), "/", "/media/x", "/" + "a" * 10_000):
        answer = served.get(path)
        assert answer.headers["Server"] == "nginx"
        assert str(served.settings.home) not in answer.text


def test_the_log_names_the_session_and_nobody(served: Nginx) -> None:
    session = "feedfacefeedface"
    token = served.token(session=session)
    late = served.token(seconds=-2, session=session)
    headers = {
        "User-Agent": "Viewer's own browser",
        "CMCD-Request": "bl=2100,mtp=25400",
        "CMCD-Object": "br=3200",
    }

    served.get(_url(served, token=token), headers=headers)
    served.get(_url(served, token=token) + "?CMCD=bl%3D100%2Csid%3D%226e2fb550%22")
    served.get(_url(served, token=late))
    lines = served.logged("media.log", 3, session=session)

    first, second, third = lines
    assert len(first["request"]) == 32
    assert first | {"at": 0, "seconds": 0, "request": ""} == {
        "at": 0,
        "request": "",
        "host": "127.0.0.1",
        "session": session,
        "asset": ASSET,
        "track": TRACK,
        "file": "00001.m4s",
        "status": 200,
        "bytes": 10000,
        "seconds": 0,
        "range": "",
        "cache": "",
        "upstream": "",
        "upstream_seconds": "",
        "protocol": "HTTP/1.1",
        "cmcd": "br=3200,bl=2100,mtp=25400,,",
    }
    assert second["cmcd"] == "bl%3D100%2Csid%3D%226e2fb550%22"
    assert third["status"] == 410
    text = "\n".join(map(str, lines)) + served.errors()
    assert "Viewer" not in text
    assert token not in text


def test_a_thousand_slow_clients_keep_nobody_waiting(served: Nginx) -> None:
    port = served.settings.nginx.http_port
    head = b"GET /media/x HTTP/1.1\r\nHost: x\r\nX-Slow: "
    slow = []
    try:
        for _ in range(1000):
            each = socket.create_connection(("127.0.0.1", port), 30)
            each.sendall(head)
            slow.append(each)
        began = time.monotonic()
        for _ in range(50):
            assert served.get(_url(served)).status_code == 200
        lasted = time.monotonic() - began
    finally:
        for each in slow:
            each.close()

    assert lasted < 10


def test_a_thousand_who_read_nothing_keep_nobody_waiting(served: Nginx) -> None:
    """The file waits in the cache of the system, not a thousand times in nginx."""
    put(served.settings, "00008.m4s", bytes(4_000_000))
    path = _url(served, f"tracks/{TRACK}/00008.m4s")
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    worker = load.worker(served)
    before = load.resident(worker)
    with ExitStack() as slow:
        for _ in range(1000):
            each = slow.enter_context(socket.socket())
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            each.connect(("127.0.0.1", served.settings.nginx.http_port))
            each.sendall(request)
        began = time.monotonic()
        for _ in range(50):
            assert served.get(_url(served)).status_code == 200
        lasted = time.monotonic() - began
        grown = load.resident(worker) - before

    assert lasted < 10
    assert grown < 50_000_000


def test_two_keys_are_taken_while_one_takes_over(tmp_path: Path) -> None:
    with origin(tmp_path / "home") as nginx:
        first = nginx.token()
        tokens.announce(nginx.settings.keys)
        nginx.install()
        tokens.rotate(nginx.settings.keys)
        second = nginx.token()
        statuses = [
            nginx.get(_url(nginx, token=t)).status_code for t in (first, second)
        ]
        tokens.rotate(nginx.settings.keys)
        nginx.install()
        cut_off = nginx.get(_url(nginx, token=first)).status_code
        still = nginx.get(_url(nginx, token=second)).status_code

    assert first.split(".")[1] != second.split(".")[1]
    assert statuses == [200, 200]
    assert (cut_off, still) == (403, 200)


def test_a_file_that_was_kept_open_is_what_it_was(served: Nginx) -> None:
    path = put(served.settings, "00009.m4s", b"one")

    first = served.get(_url(served, f"tracks/{TRACK}/00009.m4s")).content
    path.unlink()

    assert first == b"one"
    assert served.get(_url(served)).status_code == 200
