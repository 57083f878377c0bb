"""TLS, HTTP/2, and names that are not ours."""

import re
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from appliance.errors import ConfigError
from tests.doubles.certificates import vouched
from tests.host.served_nginx import ASSET, TRACK, Nginx, free_port, origin

_NAME = "films.test"
_FILE = f"{ASSET}/tracks/{TRACK}/00001.m4s"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """A portal with a certificate, at a name of its own; nobody is behind it."""
    home = tmp_path_factory.mktemp("tls") / "home"
    home.mkdir()
    both, root = vouched(_NAME)
    (home / "tls.pem").write_bytes(both)
    (home / "root.pem").write_bytes(root)
    port = free_port()
    with origin(
        home,
        "portal",
        "origin",
        MATINEE_NGINX_TLS_CERTIFICATE=str(home / "tls.pem"),
        MATINEE_NGINX_TLS_KEY=str(home / "tls.pem"),
        MATINEE_NGINX_HTTPS_PORT=str(port),
        MATINEE_PORTAL_PUBLIC_URL=f"https://{_NAME}:{port}",
    ) as nginx:
        yield nginx


def _curl(nginx: Nginx, *args: str, name: str = _NAME) -> str:
    """Ask over TLS and return the head and the body."""
    port = nginx.settings.nginx.https_port
    path, *options = args
    command = [
        *("curl", "--silent", "--include", "--max-time", "20", *options),
        *("--resolve", f"{name}:{port}:127.0.0.1"),
        *("--cacert", str(nginx.settings.home / "root.pem")),
        f"https://{name}:{port}{path}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else f"curl: {done.returncode}"


def test_media_come_over_http_2_and_tls(served: Nginx) -> None:
    answer = _curl(served, f"/media/{served.token()}/{_FILE}", "--http2")

    assert answer.startswith("HTTP/2 200")
    assert "strict-transport-security: max-age=31536000" in answer
    assert answer.lower().count("strict-transport-security") == 1
    assert answer.endswith("0123456789")


def test_without_tls_there_is_the_way_to_it_and_nothing_else(served: Nginx) -> None:
    port = served.settings.nginx.https_port
    answer = requests.get(
        f"{served.url}/watch/x?from=1",
        headers={"Host": _NAME},
        allow_redirects=False,
        timeout=20,
    )
    media = served.raw(
        f"GET /media/{served.token()}/{_FILE} HTTP/1.1\r\nHost: {_NAME}\r\n"
        "Connection: close\r\n\r\n".encode()
    )

    assert answer.status_code == 308
    assert answer.headers["Location"] == f"https://{_NAME}:{port}/watch/x?from=1"
    assert media.startswith(b"HTTP/1.1 308")


@pytest.mark.parametrize(
    "host",
    [
        "other.test",
        "films.test.evil.test",
        "127.0.0.1",
        "",
        "films.test\\evil",
        "[::1]",
    ],
)
def test_whoever_asks_for_another_name_gets_no_answer(served: Nginx, host: str) -> None:
    head = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    answer = served.raw(head.encode())

    assert answer == b"" or answer.startswith(b"HTTP/1.1 400")
    assert b"Location" not in answer


def test_another_name_is_not_told_our_certificate(served: Nginx) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    address = ("127.0.0.1", served.settings.nginx.https_port)

    for name in ("other.test", None):
        with (
            socket.create_connection(address, 20) as plain,
            pytest.raises(ssl.SSLError),
        ):
            context.wrap_socket(plain, server_hostname=name)


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_another_host_inside_a_connection_of_ours_is_sent_to_one_of_its_own(
    served: Nginx, version: str
) -> None:
    answer = _curl(served, "/login", version, "--header", "Host: other.test")

    assert answer.split()[1] == "421"
    assert _NAME not in answer


@pytest.mark.parametrize(
    ("version", "taken"), [("1.0", False), ("1.1", False), ("1.2", True), ("1.3", True)]
)
def test_old_versions_of_tls_are_refused(
    served: Nginx, version: str, taken: bool
) -> None:
    options = [f"--tlsv{version}", "--tls-max", version]
    # Debian's library refuses the old ones itself, unless it is told not to.
    old = [] if taken else ["--ciphers", "DEFAULT@SECLEVEL=0"]

    answer = _curl(served, "/static/css/app.css", *options, *old)

    assert answer.startswith("HTTP/2 200") == taken


def test_pages_of_the_portal_itself_may_read_what_a_cdn_passes_on(
    served: Nginx,
) -> None:
    page = f"https://{_NAME}:{served.settings.nginx.https_port}"

    answer = _curl(
        served, f"/media/{served.token()}/{_FILE}", "--header", f"Origin: {page}"
    )

    assert re.search(rf"access-control-allow-origin: {page}\r?\n", answer)


def test_a_certificate_that_is_missing_is_told_before_anything_is_used(
    tmp_path: Path,
) -> None:
    with (
        pytest.raises(ConfigError) as refused,
        origin(
            tmp_path / "home",
            MATINEE_NGINX_TLS_CERTIFICATE="/nowhere/cert.pem",
            MATINEE_NGINX_TLS_KEY="/nowhere/key.pem",
        ),
    ):
        pass

    assert "nginx.tls_certificate" in refused.value.message
