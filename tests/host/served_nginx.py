"""A real nginx with our configuration, and gunicorn behind it on a Unix socket."""

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from appliance import migrations
from appliance import settings as configuration
from appliance.db import Database
from appliance.delivery import tokens
from appliance.delivery.tokens import Algorithm, Scope
from appliance.settings import Settings
from appliance.storage import Storage
from nginx import render, secrets, versions
from tests.browser.live_portal import LivePortal
from tests.builders import Builders

_SECONDS = 60
SESSION, ASSET, TRACK = "0123456789abcdef", "00112233445566aa", "00000000000000a1"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


def environment(home: Path, **changes: str) -> dict[str, str]:
    """Return the settings of an installation behind nginx, all of it below ``home``."""
    return {
        "MATINEE_HOME": str(home),
        "MATINEE_WEB_SOCKET": str(home / "web.sock"),
        "MATINEE_WEB_WORKERS": "1",
        "MATINEE_NGINX_FOLDER": str(home / "nginx"),
        "MATINEE_NGINX_RUN": str(home / "run"),
        "MATINEE_NGINX_LOG": str(home / "log"),
        "MATINEE_NGINX_CACHE": str(home / "cache"),
        "MATINEE_NGINX_USER": "root" if os.geteuid() == 0 else "",
        "MATINEE_NGINX_WORKERS": "1",
        "MATINEE_NGINX_ADDRESS": "127.0.0.1",
        "MATINEE_NGINX_HTTP_PORT": str(free_port()),
        "MATINEE_NGINX_HTTPS_PORT": str(free_port()),
        "MATINEE_PLAYBACK_HEARTBEAT_SECONDS": "1",
        **changes,
    }


def settled(wanted: Callable[[], Any], what: str) -> Any:
    """Ask again and again until the answer is true; return it."""
    deadline = time.monotonic() + _SECONDS
    while not (answer := wanted()):
        assert time.monotonic() < deadline, f"{what}: not within the time"
        time.sleep(0.02)
    return answer


def _received(connection: socket.socket) -> Iterator[bytes]:
    with suppress(ConnectionError):
        while block := connection.recv(65536):
            yield block


@dataclass
class Nginx:
    """One nginx that runs with what was rendered from its settings.

    ``altered`` may change what was rendered, to compare.
    """

    settings: Settings
    roles: tuple[str, ...] = ()
    altered: Callable[[Mapping[str, str]], Mapping[str, str]] = lambda files: files
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        return self.settings.nginx.address or "127.0.0.1"

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.settings.nginx.http_port}"

    @property
    def secure_url(self) -> str:
        return f"https://{self.host}:{self.settings.nginx.https_port}"

    def install(self) -> versions.Installed:
        """Render anew and put it into use, as the command does."""
        files = render(self.settings, secrets.load(self.settings), self.roles)
        files = self.altered(files)
        return versions.install(self.settings, files, datetime.now(UTC))

    def start(self) -> None:
        """Start it and wait until it listens."""
        self.install()
        current = Path(self.settings.nginx.folder) / "current" / "nginx.conf"
        with self._log("start.log").open("wb") as said:
            self.process = subprocess.Popen(
                ["nginx", "-c", str(current), "-g", "daemon off;"],
                env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"},
                stdin=subprocess.DEVNULL,
                stderr=said,
            )
        settled(self._listens, "nginx")

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(_SECONDS)
            self.process = None

    def get(self, path: str, **extra: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=_SECONDS, **extra)

    def raw(self, request: bytes) -> bytes:
        """Send exactly these bytes and return all that comes back."""
        port = self.settings.nginx.http_port
        with socket.create_connection((self.host, port), _SECONDS) as connection:
            # It may answer and hang up before it has read all of it.
            with suppress(ConnectionError):
                connection.sendall(request)
            return b"".join(_received(connection))

    def status(self, target: str, method: str = "GET") -> int:
        """Return the status of a request whose target is sent as it stands; 0: none."""
        head = f"{method} {target} HTTP/1.1\r\nHost: films.test\r\nConnection: close"
        answer = self.raw(f"{head}\r\n\r\n".encode())
        return int(answer.split(b" ", 2)[1]) if answer else 0

    def logged(self, name: str, count: int, **said: Any) -> list[dict[str, Any]]:
        """Return the lines of a JSON log that say so, once there are so many."""
        assert self.process is not None
        self.process.send_signal(signal.SIGUSR1)  # it writes what it has held back
        path, found = self._log(name), list[dict[str, Any]]()

        def enough() -> bool:
            lines = path.read_text().splitlines() if path.exists() else []
            found[:] = [
                each for each in map(json.loads, lines) if said.items() <= each.items()
            ]
            return len(found) >= count

        settled(enough, f"{count} lines in {name}")
        return found

    def errors(self) -> str:
        return self._log("nginx-error.log").read_text()

    def token(
        self,
        seconds: float = 200,
        scope: Scope = Scope.ALL,
        asset: str = ASSET,
        session: str = SESSION,
    ) -> str:
        """Return a token as the application would sign it."""
        algorithm = Algorithm(self.settings.origin.token)
        keys = tokens.load(self.settings.keys)
        ends = int(time.time() + seconds)
        return tokens.sign(keys, asset, session, ends, scope, algorithm)

    def _log(self, name: str) -> Path:
        return Path(self.settings.nginx.log) / name

    def _listens(self) -> bool:
        nginx, process = self.settings.nginx, self.process
        assert process is not None
        assert process.poll() is None, self._log("start.log").read_text()
        try:
            port = nginx.https_port if nginx.tls_certificate else nginx.http_port
            socket.create_connection((self.host, port), 1).close()
        except OSError:
            return False
        return (Path(nginx.run) / "nginx.pid").read_text() != ""


@contextmanager
def origin(home: Path, *roles: str, **changes: str) -> Iterator[Nginx]:
    """Run nginx alone, as an origin with one asset; nothing is behind it."""
    settings = configuration.load(environ=environment(home, **changes))
    put(settings, "00001.m4s", b"0123456789" * 1000)
    nginx = Nginx(settings, roles or ("origin",))
    try:
        nginx.start()
        yield nginx
    finally:
        nginx.stop()


def put(settings: Settings, name: str, content: bytes, asset: str = ASSET) -> Path:
    """Write a file of the one track of an asset."""
    path = settings.media / "packages" / asset / "tracks" / TRACK / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@dataclass
class Stack:
    """The whole: nginx, gunicorn on a socket, and the installation from inside."""

    nginx: Nginx
    environ: Mapping[str, str]
    portal: LivePortal
    _web: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return self.portal.url

    def start_web(self) -> None:
        """Start gunicorn and wait until it answers through nginx."""
        with (self.portal.settings.home / "web.log").open("ab") as output:
            self._web = subprocess.Popen(
                [Path(sys.executable).with_name("matinee"), "web"],
                env={**os.environ, **self.environ},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        settled(lambda: self.nginx.get("/-/live").status_code == 200, "gunicorn")

    def stop_web(self) -> None:
        if self._web is not None:
            self._web.send_signal(signal.SIGTERM)
            self._web.wait(_SECONDS)
            self._web = None

    def command(self, *args: str) -> Any:
        """Run a command and return the document that it prints."""
        done = subprocess.run(
            [Path(sys.executable).with_name("matinee"), "--json", *args],
            env={**os.environ, **self.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)


@contextmanager
def stack(home: Path, **changes: str) -> Iterator[Stack]:
    """Run the portal behind nginx, without films and accounts."""
    environ = environment(home, **changes)
    settings = configuration.load(environ=environ)
    migrations.migrate(settings.database)
    settings.media.mkdir(parents=True, exist_ok=True)
    storage = Storage(settings.media)
    database = Database(settings.database)
    make = Builders(database, settings, storage)
    nginx = Nginx(settings, ("portal", "origin"))
    portal = LivePortal(nginx.url, settings, database, storage, make)
    running = Stack(nginx, environ, portal)
    try:
        nginx.start()
        running.start_web()
        yield running
    finally:
        running.stop_web()
        nginx.stop()
        database.close()


def changed(settings: Settings, section: str, **values: Any) -> Settings:
    """Return settings of which one section has other values."""
    part = dataclasses.replace(getattr(settings, section), **values)
    return dataclasses.replace(settings, **{section: part})
