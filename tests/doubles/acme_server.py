"""Debian's pebble, a real ACME server for tests, with the DNS that it believes.

A gateway stands before it, which lets everything pass unless it is told to answer
itself: pebble has no limits of its own, and orders that run out take it days.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import requests
from werkzeug.wrappers import Request, Response

from tests.doubles.authority import Authority
from tests.doubles.server import served
from tests.host.served_nginx import free_port

_SECONDS = 30
_BEGINS, _ENDS = datetime(2020, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
_PASSED = ("Content-Type", "Replay-Nonce", "Location", "Link", "Retry-After")
Spoiling = Callable[[Request, bytes], Response | bytes | None]


@dataclass
class AcmeServer:
    """A running pebble; ``spoil`` may answer in its place, or change what it says."""

    directory: str
    authority: Path
    spoil: Spoiling = field(default=lambda _request, _body: None)

    def problem(self, kind: str, detail: str, status: int, wait: str) -> Response:
        """Return an error as RFC 8555 has them."""
        document = {"type": f"urn:ietf:params:acme:error:{kind}", "detail": detail}
        return Response(
            json.dumps(document),
            status,
            headers={"Retry-After": wait},
            content_type="application/problem+json",
        )


@contextmanager
def pebble(
    folder: Path, http_port: int, binding: dict[str, str] | None = None
) -> Iterator[AcmeServer]:
    """Run it; names are proved at ``http_port`` of 127.0.0.1."""
    root = Authority("The ACME server's own", begins=_BEGINS, ends=_ENDS)
    certificate, key = root.issue("127.0.0.1", begins=_BEGINS, ends=_ENDS)
    (folder / "pebble.pem").write_bytes(certificate)
    (folder / "pebble.key").write_bytes(key)
    (folder / "both.pem").write_bytes(key + certificate)
    (folder / "root.pem").write_bytes(root.pem)
    listen, manage, names = free_port(), free_port(), free_port()
    config = {
        "listenAddress": f"127.0.0.1:{listen}",
        "managementListenAddress": f"127.0.0.1:{manage}",
        "certificate": str(folder / "pebble.pem"),
        "privateKey": str(folder / "pebble.key"),
        "httpPort": http_port,
        "tlsPort": free_port(),
        "externalAccountBindingRequired": binding is not None,
        "externalAccountMACKeys": binding or {},
    }
    path = folder / "pebble.json"
    path.write_text(json.dumps({"pebble": config}))
    resolver = [
        *("pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""),
        *("-dns01", f"127.0.0.1:{names}", "-http01", "", "-https01", ""),
        *("-tlsalpn01", "", "-management", f"127.0.0.1:{free_port()}"),
    ]
    command = [
        *("pebble", "-config", str(path), "-dnsserver", f"127.0.0.1:{names}"),
    ]
    with (folder / "pebble.log").open("wb") as log:
        running = [
            subprocess.Popen(
                each,
                env={**os.environ, "PEBBLE_VA_NOSLEEP": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            for each in (resolver, command)
        ]
        try:
            inside = f"https://127.0.0.1:{listen}"
            _until_it_answers(inside, folder / "root.pem")
            server = AcmeServer("", folder / "root.pem")
            with served(_gateway(server, inside), folder / "both.pem") as service:
                server.directory = f"{service.url}/dir"
                yield server
        finally:
            for each in running:
                each.terminate()
                each.wait(_SECONDS)


def _gateway(server: AcmeServer, inside: str) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        body = request.get_data()
        spoilt = server.spoil(request, b"")
        if isinstance(spoilt, Response):
            return spoilt
        got = requests.request(
            request.method,
            f"{inside}{request.full_path.rstrip('?')}",
            headers={
                # Addresses are made from it, and signed.
                "Host": request.host,
                "Content-Type": request.content_type or "",
                "User-Agent": "gateway",
            },
            data=body,
            verify=str(server.authority),
            timeout=_SECONDS,
        )
        changed = server.spoil(request, got.content) if got.ok else None
        content = changed if isinstance(changed, bytes) else got.content
        kept = {name: got.headers[name] for name in _PASSED if name in got.headers}
        return Response(content, got.status_code, headers=kept)

    return answer


def _until_it_answers(url: str, authority: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            requests.get(f"{url}/dir", verify=str(authority), timeout=5)
        except requests.RequestException:
            assert time.monotonic() < deadline, "pebble does not answer"
            time.sleep(0.05)
        else:
            return
