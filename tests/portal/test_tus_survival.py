"""Uploads outlive the server: killed in the middle, it goes on to the same bytes."""

import base64
import hashlib
import re
import secrets
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import requests

from appliance.clock import SystemClock
from appliance.db import Database, connect
from appliance.media import assets
from appliance.permissions import Role
from appliance.settings import Settings
from appliance.storage import Storage
from tests.builders import Builders
from tests.portal.mortal_server import MortalServer, mortal_server, session_token
from web import guard

CHUNK = 1024 * 1024
FILM = secrets.token_bytes(6 * CHUNK + 12345)


@pytest.fixture
def live_db(settings: Settings) -> Iterator[Database]:
    with connect(settings.database, SystemClock()) as db:
        yield db


@pytest.fixture
def server(settings: Settings) -> Iterator[MortalServer]:
    pieces = {"MATINEE_UPLOADS_CHUNK_MEGABYTES": "1"}
    with mortal_server(settings, preload=True, **pieces) as server:
        yield server


@pytest.fixture
def browser(
    server: MortalServer, live_db: Database, settings: Settings, storage: Storage
) -> requests.Session:
    make = Builders(live_db, settings, storage)
    browser = requests.Session()
    token = session_token(live_db, settings, make, Role.CONTRIBUTOR)
    browser.cookies.set(guard.COOKIE, token)
    page = browser.get(f"{server.url}/studio/upload", timeout=30).text
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found
    browser.headers["X-CSRFToken"] = found.group(1)
    browser.headers["Tus-Resumable"] = "1.0.0"
    return browser


def test_a_server_killed_in_the_middle_of_a_piece_goes_on_to_the_same_bytes(
    server: MortalServer,
    browser: requests.Session,
    live_db: Database,
    storage: Storage,
) -> None:
    url = server.url + begun(server, browser)
    for start in range(0, 3 * CHUNK, CHUNK):
        assert sent(browser, url, start).status_code == 204
    half_sent = begin_piece(browser, url, 3 * CHUNK)

    server.kill()
    half_sent.close()
    server.start()

    offset = asked(browser, url)
    assert offset == 3 * CHUNK, "what was acknowledged is kept, half a piece is not"
    while offset < len(FILM):
        answer = sent(browser, url, offset)
        assert answer.status_code == 204, answer.text
        offset = int(answer.headers["Upload-Offset"])
    asset = assets.by_id(live_db, 1)
    assert storage.path(asset.source_path).read_bytes() == FILM
    assert live_db.value("select count(*) from jobs") == 1


def test_of_pieces_that_race_over_several_processes_one_wins(
    server: MortalServer, browser: requests.Session, storage: Storage
) -> None:
    url = server.url + begun(server, browser)

    def race(fill: int) -> int:
        with requests.Session() as racer:
            racer.headers.update(browser.headers)
            racer.cookies.update(browser.cookies)
            return put(racer, url, 0, bytes([fill]) * CHUNK).status_code

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(race, range(6)))

    assert answers[0] == 204
    assert set(answers[1:]) <= {409, 423}
    (part,) = storage.path("uploads/parts").iterdir()
    assert len(set(part.read_bytes())) == 1, "pieces of two requests were mixed"


def begun(server: MortalServer, browser: requests.Session) -> str:
    name = base64.b64encode(b"film.mp4").decode()
    answer = browser.post(
        f"{server.url}/studio/uploads",
        headers={
            "Upload-Length": str(len(FILM)),
            "Upload-Metadata": f"filename {name}",
        },
        timeout=30,
    )
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def sent(browser: requests.Session, url: str, offset: int) -> requests.Response:
    return put(browser, url, offset, FILM[offset : offset + CHUNK])


def put(
    browser: requests.Session, url: str, offset: int, piece: bytes
) -> requests.Response:
    proof = base64.b64encode(hashlib.sha256(piece).digest()).decode()
    return browser.patch(
        url,
        data=piece,
        headers={
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(offset),
            "Upload-Checksum": f"sha256 {proof}",
        },
        timeout=30,
    )


def asked(browser: requests.Session, url: str) -> int:
    return int(browser.head(url, timeout=30).headers["Upload-Offset"])


def begin_piece(browser: requests.Session, url: str, offset: int) -> socket.socket:
    """Send the head of a PATCH and half of its body, and leave it there."""
    request = browser.prepare_request(
        requests.Request(
            "PATCH",
            url,
            data=FILM[offset : offset + CHUNK],
            headers={
                "Content-Type": "application/offset+octet-stream",
                "Upload-Offset": str(offset),
            },
        )
    )
    address = urlsplit(url)
    assert address.hostname
    assert address.port
    lines = [f"PATCH {address.path} HTTP/1.1", f"Host: {address.netloc}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    connection = socket.create_connection((address.hostname, address.port), timeout=30)
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    connection.sendall(FILM[offset : offset + CHUNK // 2])
    return connection
