"""Serves a WSGI application on loopback, in a thread, well or badly."""

import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

Application = Callable[[Request], Response]


class Mood(Enum):
    """How a service behaves."""

    WELL = auto()
    FAILS = auto()  # 500, with its trouble and what it was asked in the text
    REFUSES = auto()  # 403, likewise
    MOVED = auto()  # a redirect to another host
    GARBAGE = auto()  # 200 and bytes that mean nothing
    NOTHING = auto()  # 200 and an empty body
    SILENT = auto()  # takes the request and never answers
    DRIPS = auto()  # begins to answer, then sends a byte now and then
    FLOODS = auto()  # an answer without an end
    HANGS_UP = auto()  # closes the connection in the middle of the answer


@dataclass
class Service:
    """A running double: where it is, how it behaves, what it was asked."""

    answer: Application
    mood: Mood = Mood.WELL
    url: str = ""
    seen: list[Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        request = Request(environ)
        # Read by way of Werkzeug, which also understands a body sent in chunks.
        self.bodies.append(request.get_data(cache=True))
        self.seen.append(request)
        return self._response(request)(environ, start)

    def _response(self, request: Request) -> Response:
        told = f"cannot open {request.get_data(as_text=True)} {dict(request.headers)}"
        moods: dict[Mood, Callable[[], Response]] = {
            Mood.WELL: lambda: self.answer(request),
            Mood.FAILS: lambda: Response(told, 500),
            Mood.REFUSES: lambda: Response(told, 403),
            Mood.MOVED: lambda: Response(
                "", 307, headers={"Location": "http://elsewhere.invalid/"}
            ),
            Mood.GARBAGE: lambda: Response(b"\xff\xfe<{garbage" * 9, 200),
            Mood.NOTHING: lambda: Response(b"", 200),
            Mood.SILENT: self._silence,
            Mood.DRIPS: lambda: Response(self._drops(), 200),
            Mood.FLOODS: lambda: Response(self._flood(), 200),
            Mood.HANGS_UP: lambda: Response(
                iter([b"{"]), 200, headers={"Content-Length": "5000"}
            ),
        }
        return moods[self.mood]()

    def _silence(self) -> Response:
        self.over.wait(60)
        return Response("", 500)

    def _drops(self) -> Iterator[bytes]:
        while not self.over.wait(0.05):
            yield b" "

    def _flood(self) -> Iterator[bytes]:
        while not self.over.is_set():
            yield b" " * 65536


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing: what went wrong is for the client to notice."""


@contextmanager
def served(answer: Application, certificate: Path | None = None) -> Iterator[Service]:
    """Serve until the block ends; no thread and no socket of it is left.

    ``certificate`` is a PEM file of a key and its certificate, to serve with TLS.
    """
    service = Service(answer)
    server = make_server("127.0.0.1", 0, service, threaded=True, request_handler=_Quiet)
    scheme = "http"
    if certificate is not None:
        scheme = "https"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    service.url = f"{scheme}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield service
    finally:
        service.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
