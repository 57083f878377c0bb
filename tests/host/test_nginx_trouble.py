"""The application fails, hangs or is away, and the disk is full: others are served."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from tests.host.served_nginx import ASSET, TRACK, Nginx, free_port, origin
from tests.host.test_nginx_origin import CLIMBS

_MANIFEST = "#EXTM3U\n" + "# a line of a manifest\n" * 200
_FILE = f"{ASSET}/tracks/{TRACK}/00001.m4s"


@dataclass
class Behind:
    """What stands in for the application; it counts, and does as it is told."""

    port: int
    status: int = 200
    asked: list[str] = field(default_factory=list)
    hangs: threading.Event | None = None


@contextmanager
def _behind() -> Iterator[Behind]:
    behind = Behind(free_port())

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            behind.asked.append(self.path)
            if behind.hangs is not None:
                behind.hangs.wait(60)
            body = _MANIFEST.encode()
            self.send_response(behind.status)
            self.send_header("Content-Type", "application/vnd.apple.mpegurl")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Set-Cookie", "not=for-everybody")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", behind.port), Answers)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield behind
    finally:
        if behind.hangs is not None:
            behind.hangs.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def behind() -> Iterator[Behind]:
    with _behind() as found:
        yield found


@pytest.fixture
def served(behind: Behind, tmp_path: Path) -> Iterator[Nginx]:
    with origin(tmp_path / "home", "portal", "origin", **_straight(behind)) as nginx:
        yield nginx


def _manifest(nginx: Nginx, name: str = "master.m3u8", session: str = "0" * 16) -> str:
    return f"/media/{nginx.token(session=session)}/{ASSET}/{name}"


def test_twenty_viewers_at_once_cost_one_question(
    served: Nginx, behind: Behind
) -> None:
    behind.hangs = threading.Event()
    paths = [_manifest(served, session=f"{n:016x}") for n in range(20)]

    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(served.get, path) for path in paths]
        while not behind.asked:
            time.sleep(0.01)
        behind.hangs.set()
        texts = {answer.result().text for answer in answers}

    assert texts == {_MANIFEST}
    assert len(behind.asked) == 1
    answer = served.get(paths[0])
    assert "Set-Cookie" not in answer.headers


def test_a_kept_manifest_serves_while_the_application_fails(
    served: Nginx, behind: Behind
) -> None:
    served.get(_manifest(served))
    behind.status = 500
    _outdate(served)

    answers = [served.get(_manifest(served)) for _ in range(3)]

    assert [each.status_code for each in answers] == [200] * 3
    assert {each.text for each in answers} == {_MANIFEST}
    # It asks beside answering.
    until = time.monotonic() + 10
    while len(behind.asked) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    assert len(behind.asked) >= 2


def test_an_error_is_never_kept(served: Nginx, behind: Behind) -> None:
    behind.status = 500
    first = served.get(_manifest(served))
    behind.status = 200

    second = served.get(_manifest(served))

    assert (first.status_code, second.status_code) == (500, 200)


def test_others_are_served_while_the_application_hangs(
    served: Nginx, behind: Behind
) -> None:
    served.get(_manifest(served))
    behind.hangs = threading.Event()

    with ThreadPoolExecutor(50) as pool:
        waiting = [pool.submit(served.get, f"/title/{n}") for n in range(50)]
        while len(behind.asked) < 20:
            time.sleep(0.01)
        began = time.monotonic()
        segment = served.get(f"/media/{served.token()}/{_FILE}")
        manifest = served.get(_manifest(served))
        lasted = time.monotonic() - began
        behind.hangs.set()
        assert {each.result().status_code for each in waiting} == {200}

    assert (segment.status_code, manifest.status_code) == (200, 200)
    assert lasted < 5


@pytest.mark.parametrize("climb", CLIMBS)
def test_no_spelling_of_a_climb_leaves_the_static_files(
    served: Nginx, climb: str
) -> None:
    """What nginx makes an ordinary path of is for the application: here a double."""
    for start in ("/static/", "/static", "/static/css/", "/static/vendor/"):
        for count in (1, 2, 3, 9):
            for name in ("wsgi.py", "templates/portal/home.html", "etc/passwd"):
                answer = served.raw(
                    f"GET {start}{climb * count}{name} HTTP/1.1\r\nHost: x\r\n"
                    "Connection: close\r\n\r\n".encode()
                )
                head, _, body = answer.partition(b"\r\n\r\n")
                status = int(head.split(b" ", 2)[1])
                assert status in (400, 403, 404) or body == _MANIFEST.encode(), start


@contextmanager
def _small_disk(folder: Path) -> Iterator[Callable[[], None]]:
    """Mount a disk of half a megabyte; what it gives fills it to the last block."""
    folder.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)], check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a file system can't be mounted here")

    def fill() -> None:
        filler = folder / "filler"
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"\0" * 4096)

    try:
        yield fill
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_of_the_cache_costs_nobody_anything(
    behind: Behind, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    with (
        _small_disk(home / "cache") as fill,
        origin(home, "portal", "origin", **_straight(behind)) as nginx,
    ):
        fill()
        segment = nginx.get(f"/media/{nginx.token()}/{_FILE}")
        page = nginx.get("/title/x")
        manifests = [
            nginx.get(_manifest(nginx, f"hls/{n:016x}.m3u8")) for n in range(5)
        ]

    assert segment.status_code == 200
    assert page.status_code == 200
    assert [each.status_code for each in manifests] == [200] * 5
    assert {each.text for each in manifests} == {_MANIFEST}


def test_where_even_memory_is_full_what_is_known_goes_on(
    behind: Behind, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    with (
        _small_disk(home / "run") as fill,
        origin(home, "portal", "origin", **_straight(behind)) as nginx,
    ):
        known = nginx.get(_manifest(nginx))
        fill()
        again = nginx.get(_manifest(nginx))
        with pytest.raises(requests.ConnectionError):
            nginx.get(_manifest(nginx, f"hls/{'f' * 16}.m3u8"))
        segment = nginx.get(f"/media/{nginx.token()}/{_FILE}")
        page = nginx.get("/title/x")
        said = nginx.errors()

    assert (segment.status_code, page.status_code) == (200, 200)
    assert (again.status_code, again.text) == (200, known.text)
    assert "No space left on device" in said


def _straight(behind: Behind) -> dict[str, str]:
    return {"MATINEE_WEB_SOCKET": "", "MATINEE_WEB_PORT": str(behind.port)}


def _outdate(nginx: Nginx) -> None:
    """Make what is kept so old that it must be asked for again."""
    for path in (Path(nginx.settings.nginx.run) / "manifests").rglob("*"):
        if path.is_file():
            content = bytearray(path.read_bytes())
            # ngx_http_file_cache_header_t: version, then valid_sec, as 64-bit numbers.
            content[8:16] = (1).to_bytes(8, "little")
            path.write_bytes(content)
    nginx.stop()
    nginx.start()
