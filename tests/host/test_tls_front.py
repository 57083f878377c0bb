"""Who stands in front, through a real nginx and a real gunicorn: lies are not heard."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from appliance import migrations
from appliance import settings as configuration
from appliance.db import Database, connect
from appliance.events import latest
from appliance.settings import Settings
from tests.host.served_nginx import Stack, environment, free_port, settled, stack

FORGED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "Forwarded": "for=203.0.113.9;host=evil.example;proto=https",
    "X-Real-IP": "203.0.113.9",
}
NAME = "films.example"


def refused_from(served: Stack, headers: dict[str, str], host: str = "") -> str:
    """Sign in wrongly and return the address that stands in the audit log."""
    named = {**headers, **({"Host": host} if host else {})}
    answer = requests.post(
        f"{served.url}/api/v1/auth/token",
        json={"username": "nobody", "password": "wrong words here"},
        headers=named,
        timeout=30,
    )
    assert answer.status_code in (401, 403), answer.text
    found = [each for each in latest(served.portal.db) if each.name == "session:refuse"]
    return found[-1].address


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack(tmp_path_factory.mktemp("front") / "home") as running:
        yield running


def test_without_proxies_nobody_is_believed(plain: Stack) -> None:
    assert refused_from(plain, FORGED) == "127.0.0.1"


def test_links_are_never_made_of_what_a_client_claims(plain: Stack) -> None:
    answer = requests.get(
        f"{plain.url}/studio/", headers=FORGED, timeout=30, allow_redirects=False
    )

    told = f"{answer.headers}{answer.text}"
    assert "evil.example" not in told
    assert "https://127.0.0.1" not in told


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("203.0.113.9", "203.0.113.9"),
        # What the client wrote before the proxy did.
        ("192.0.2.1, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 127.0.0.1", "203.0.113.9"),
        ("nonsense", "127.0.0.1"),
    ],
)
def test_a_proxy_that_is_named_is_believed_and_nobody_before_it(
    tmp_path: Path, said: str, heard: str
) -> None:
    with stack(
        tmp_path / "home", MATINEE_PORTAL_TRUSTED_PROXIES="127.0.0.0/8"
    ) as served:
        assert refused_from(served, {"X-Forwarded-For": said}) == heard
        (line,) = served.nginx.logged("portal.log", 1, path="/api/v1/auth/token")

    assert line["address"] == heard


def test_a_proxy_elsewhere_is_not_believed(tmp_path: Path) -> None:
    with stack(
        tmp_path / "home", MATINEE_PORTAL_TRUSTED_PROXIES="10.9.0.0/16"
    ) as served:
        assert refused_from(served, FORGED) == "127.0.0.1"


@dataclass
class Direct:
    """A gunicorn that anybody may ask, under a name of its own."""

    settings: Settings
    db: Database

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.web.port}"

    def ask(self, host: str, path: str = "/login") -> requests.Response:
        return requests.get(
            f"{self.url}{path}",
            headers={**FORGED, "Host": host},
            timeout=60,
            allow_redirects=False,
        )

    def answers(self) -> bool:
        try:
            return self.ask("127.0.0.1", "/-/live").status_code == 200
        except requests.ConnectionError:
            return False


@pytest.fixture(scope="module")
def direct(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Direct]:
    home = tmp_path_factory.mktemp("direct") / "home"
    environ = environment(
        home,
        MATINEE_WEB_SOCKET="",
        MATINEE_WEB_PORT=str(free_port()),
        MATINEE_PORTAL_PUBLIC_URL=f"http://{NAME}",
    )
    settings = configuration.load(environ=environ)
    migrations.migrate(settings.database)
    process = subprocess.Popen(
        [Path(sys.executable).with_name("matinee"), "web"],
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
    )
    with connect(settings.database) as db:
        running = Direct(settings, db)
        try:
            settled(running.answers, "gunicorn")
            yield running
        finally:
            process.terminate()
            process.wait(60)


def test_gunicorn_itself_answers_to_the_public_name_only(direct: Direct) -> None:
    assert direct.ask(NAME).status_code == 200
    assert direct.ask(f"{NAME.upper()}:80").status_code == 200
    for host in ("evil.example", f"{NAME}.evil.example", "127.0.0.1", "[::1", "a@b"):
        answer = direct.ask(host)
        assert answer.status_code in (400, 421), host
        assert host not in answer.text


def test_gunicorn_itself_believes_nobody(direct: Direct) -> None:
    assert "evil.example" not in direct.ask(NAME).text

    answer = requests.post(
        f"{direct.url}/api/v1/auth/token",
        json={"username": "nobody", "password": "wrong words here"},
        headers={**FORGED, "Host": NAME},
        timeout=60,
    )

    assert answer.status_code == 401
    found = [each for each in latest(direct.db) if each.name == "session:refuse"]
    assert found[-1].address == "127.0.0.1"


def test_without_a_host_nobody_is_answered(direct: Direct) -> None:
    address = ("127.0.0.1", direct.settings.web.port)
    with socket.create_connection(address, 60) as connection:
        connection.sendall(b"GET /login HTTP/1.0\r\n\r\n")
        answer = connection.recv(200)

    assert answer.split()[1] == b"421"
