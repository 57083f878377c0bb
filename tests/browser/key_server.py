"""A server of one encrypted film on disk, with its keys: just enough for a player."""

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_SHAKA = Path(__file__).parents[2] / "web/static/vendor/shaka/shaka-player.ui.js"
_PAGE = b"<!doctype html><script src=/shaka.js></script><video muted></video>"
_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".vtt": "text/vtt",
}


@dataclass(frozen=True, slots=True)
class KeyServer:
    """Where it listens, which KIDs each licence named, and which keys were fetched."""

    url: str
    licences: list[list[str]] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)


@contextmanager
def serving(folder: Path, keys: Mapping[str, str]) -> Iterator[KeyServer]:
    """Serve the files of ``folder`` under ``/film/`` and give out ``keys`` by KID."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/":
                self._answer(_PAGE, "text/html")
            elif self.path == "/shaka.js":
                self._answer(_SHAKA.read_bytes(), "text/javascript")
            elif self.path.startswith("/film/key/"):
                kid = self.path.rpartition("/")[2]
                known.fetched.append(kid)
                self._answer(bytes.fromhex(keys.get(kid, "")), "binary/octet-stream")
            else:
                self._file(folder / self.path.removeprefix("/film/"))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kids = [_hexadecimal(each) for each in json.loads(body)["kids"]]
            known.licences.append(sorted(kids))
            found = [
                {"kty": "oct", "kid": _base64(kid), "k": _base64(keys[kid])}
                for kid in kids
                if kid in keys
            ]
            licence = json.dumps({"keys": found, "type": "temporary"})
            self._answer(licence.encode(), "application/json")

        def _file(self, path: Path) -> None:
            if path.is_file():
                kind = _TYPES.get(path.suffix, "video/mp4")
                self._answer(path.read_bytes(), kind)
            else:
                self._answer(b"", "text/plain", HTTPStatus.NOT_FOUND)

        def _answer(
            self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: the test says what went wrong."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        known = KeyServer(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield known
        server.shutdown()
        thread.join()


def _hexadecimal(text: str) -> str:
    return base64.urlsafe_b64decode(f"{text}==").hex()


def _base64(hexadecimal: str) -> str:
    octets = bytes.fromhex(hexadecimal)
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")
