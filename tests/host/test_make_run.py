"""What ``make run`` does after setup: a portal with a film in it, on one machine."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

ROOT = Path(__file__).resolve().parent.parent.parent
FILM = ROOT / "var" / "films" / "big-buck-bunny.mp4"
LAST_LINE = "Ctrl-C ends it."

pytestmark = [
    pytest.mark.media,
    pytest.mark.skipif(not FILM.is_file(), reason="run `make film` first"),
]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The beginning of the film: of it the demo takes about twenty seconds."""
    short = tmp_path_factory.mktemp("film") / "film.mp4"
    cut = ["ffmpeg", "-v", "error", "-i", str(FILM), "-t", "75", "-c", "copy"]
    subprocess.run([*cut, str(short)], check=True)
    return short


@pytest.fixture(scope="module")
def home(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which it ran once, from nothing to a portal that plays the film."""
    home = tmp_path_factory.mktemp("make-run") / "home"
    with running(home, film) as (portal, said):
        password = (home / "admin-password").read_text().strip()
        assert f"{portal}/watch/big-buck-bunny" in said
        assert password in said
        plays(portal, password)
    with pytest.raises(requests.ConnectionError):
        requests.get(portal, timeout=5)
    return home


@contextmanager
def running(home: Path, film: Path) -> Iterator[tuple[str, str]]:
    """Run it until it says all; give the portal's address and what was printed."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "workshop" / "run.py"), str(film)],
        env=os.environ
        | {
            "MATINEE_HOME": str(home),
            "MATINEE_WEB_PORT": str(port),
            # Other tests want the processor too.
            "MATINEE_WEB_WORKERS": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    patience = threading.Timer(300, process.kill)
    patience.start()
    try:
        yield f"http://127.0.0.1:{port}", printed(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        patience.cancel()
        process.terminate()
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


def printed(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if LAST_LINE in line:
            return "".join(lines)
    raise AssertionError(f"it ended too early:\n{''.join(lines)}")


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def test_a_new_machine_keeps_what_only_its_owner_may_read(home: Path) -> None:
    assert (home / "admin-password").stat().st_mode & 0o777 == 0o600
    assert (home / "keys").stat().st_mode & 0o777 == 0o700


def test_the_second_time_is_quick_and_keeps_everything(home: Path, film: Path) -> None:
    password = (home / "admin-password").read_text().strip()
    started = time.monotonic()

    with running(home, film) as (portal, said):
        assert time.monotonic() - started < 20
        assert password not in said
        plays(portal, password)


def plays(portal: str, password: str) -> None:
    """Sign in as a program does, and follow the film down to a segment."""
    api = signed_in(portal, password)
    [title] = api.get(f"{portal}/api/v1/titles").json()["titles"]
    assert title["name"] == "Big Buck Bunny"
    wanted = {"title": title["slug"], "device": "test"}
    opened = api.post(f"{portal}/api/v1/playback", json=wanted).json()
    assert 15 < opened["duration"] < 30
    master = urljoin(portal, opened["manifests"]["hls"])
    playlist = urljoin(master, first_address(master))
    segment = requests.get(urljoin(playlist, first_address(playlist)))
    assert segment.status_code == 200
    assert segment.content[4:8] in (b"styp", b"sidx", b"moof")


def first_address(playlist: str) -> str:
    """Return the first line of a playlist that is an address."""
    answer = requests.get(playlist)
    assert answer.text.startswith("#EXTM3U")
    return next(line for line in answer.text.split("\n") if line[:1] not in ("#", ""))


def signed_in(portal: str, password: str) -> requests.Session:
    answer = requests.post(
        f"{portal}/api/v1/auth/token", json={"username": "admin", "password": password}
    )
    assert answer.status_code in (200, 201), answer.text
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {answer.json()['token']}"
    return session
