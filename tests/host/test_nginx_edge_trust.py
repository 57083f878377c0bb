"""An edge believes the origin whose certificate it was given when it joined."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from appliance import keyring
from tests.doubles.certificates import certified
from tests.host.edges import edge


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[str]:
    """Something that lives, behind a certificate that nobody but itself vouches for."""
    pem = tmp_path / "origin.pem"
    pem.write_bytes(certified("127.0.0.1"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Lives)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("name", "status"), [("127.0.0.1", 200), ("elsewhere.test", 503)]
)
def test_the_origin_is_known_by_the_certificate_that_was_given(
    tmp_path: Path, origin: str, name: str, status: int
) -> None:
    home, keys = tmp_path / "edge", tmp_path / "keys"
    keyring.key(keys, "edge-secret-1")
    (keys / "origin-ca.pem").write_bytes(_certificate(name))

    with edge(home, origin, keys) as nginx:
        answer = requests.get(f"{nginx.url}/-/ready", timeout=20)

        assert answer.status_code == status
        written = Path(nginx.settings.nginx.folder, "current", "origin-ca.pem")
        assert written.read_bytes() == _certificate(name)


def _certificate(name: str) -> bytes:
    """Return the certificate without its key."""
    pem = certified(name)
    return pem[pem.index(b"-----BEGIN CERTIFICATE") :]


class _Lives(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
