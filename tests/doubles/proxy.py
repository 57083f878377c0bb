"""A real, small HTTP proxy: tunnels for TLS, whole addresses for the rest."""

import base64
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_SECONDS = 30
_PIECE = 65536


@dataclass
class Proxy:
    """Where it is, and what it was asked, as “CONNECT host:port” or “GET address”.

    Names are made to mean 127.0.0.1, as a proxy resolves what its clients cannot.
    ``password`` is what it asks for, as name:password; ``closed`` lets nothing pass.
    """

    url: str = ""
    asked: list[str] = field(default_factory=list)
    password: str = ""
    closed: bool = False


@contextmanager
def proxy() -> Iterator[Proxy]:
    """Run one on loopback until the block ends."""
    state = Proxy()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                _serve(self.request, state)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()


def _serve(client: socket.socket, state: Proxy) -> None:
    client.settimeout(_SECONDS)
    head = b""
    while b"\r\n\r\n" not in head:
        piece = client.recv(_PIECE)
        if not piece:
            return
        head += piece
    head, _, rest = head.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ", 2)
    if state.password and not _proved(lines, state.password):
        client.sendall(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
        return
    state.asked.append(f"{method} {target}")
    if state.closed:
        client.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
        return
    port = int(target.rpartition(":")[2]) if method == "CONNECT" else 0
    parts = urlsplit(target)
    with socket.create_connection(("127.0.0.1", port or parts.port or 80)) as server:
        if method == "CONNECT":
            client.sendall(b"HTTP/1.1 200 Go on\r\n\r\n")
        else:
            path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
            first = f"{method} {path} HTTP/1.1"
            kept = [each for each in lines[1:] if not each.lower().startswith("proxy-")]
            text = "\r\n".join([first, *kept, "", ""])
            server.sendall(text.encode("latin-1"))
        server.sendall(rest)
        _both_ways(client, server)


def _proved(lines: list[str], password: str) -> bool:
    wanted = base64.b64encode(password.encode()).decode()
    return any(
        line.lower().startswith("proxy-authorization:") and line.endswith(wanted)
        for line in lines
    )


def _both_ways(one: socket.socket, other: socket.socket) -> None:
    def pass_on(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                target.sendall(piece)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    back = threading.Thread(target=pass_on, args=(other, one), daemon=True)
    back.start()
    pass_on(one, other)
    back.join(_SECONDS)
