"""A web server of a temporary installation that dies and comes back at its address."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from appliance.accounts import sessions
from appliance.db import Database
from appliance.permissions import Role
from appliance.settings import Settings
from tests.builders import Builders

_SECONDS = 60


@dataclass
class MortalServer:
    """gunicorn with two processes; when killed, its port refuses connections.

    With ``preload`` both are forked from one that loaded the application: that takes
    half as long, and is not how figures of several processes come to be.
    """

    settings: Settings
    environment: dict[str, str]
    preload: bool = False
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _alive: int = field(default=-1, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Return the process that the others are children of."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, at the port it had before, and wait until it answers."""
        # The kernel may still be burying the socket of a server that was just killed.
        address = ("127.0.0.1", self.port)
        with socket.create_server(address, backlog=64, reuse_port=True) as listener:
            self.port = listener.getsockname()[1]
            self._process = self._started(listener.fileno())
        requests.get(f"{self.url}/login", timeout=_SECONDS).raise_for_status()

    def kill(self) -> None:
        """Kill every process of it at once, as a power cut would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(_SECONDS)
            self._process = None
            # A pipe that each of them holds open ends when the last one is gone.
            os.read(self._alive, 1)
            os.close(self._alive)

    def _started(self, listener: int) -> subprocess.Popen[bytes]:
        home = {"MATINEE_HOME": str(self.settings.home)}
        command = [
            *(sys.executable, "-m", "gunicorn", "web.wsgi:app"),
            *("--bind", f"fd://{listener}", "--no-control-socket"),
            *("--keep-alive", "75"),
            *("--workers", "2", "--threads", "4", "--worker-class", "gthread"),
            *(("--preload",) if self.preload else ()),
        ]
        self._alive, held = os.pipe()
        with (self.settings.home / "web.log").open("ab") as log, os.fdopen(held):
            return subprocess.Popen(
                command,
                cwd=Path(__file__).parents[2],
                env=os.environ | home | self.environment,
                pass_fds=(listener, held),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


@contextmanager
def mortal_server(
    settings: Settings, *, preload: bool = False, **environment: str
) -> Iterator[MortalServer]:
    """Run a server on the database and storage of a test."""
    server = MortalServer(settings, environment, preload)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def session_token(db: Database, settings: Settings, make: Builders, role: Role) -> str:
    """Sign a new account of that role in and return what its cookie holds."""
    actor = make.actor(role)
    assert actor.account_id is not None
    token, _ = sessions.start(
        db, settings, actor.account_id, address="127.0.0.1", user_agent="test"
    )
    return token
