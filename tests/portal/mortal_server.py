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
    """gunicorn with two processes; its socket outlives it, so callers just wait."""

    settings: Settings
    listener: socket.socket
    environment: dict[str, str]
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [
            *(sys.executable, "-m", "gunicorn", "web.wsgi:app"),
            *("--bind", f"fd://{self.listener.fileno()}", "--no-control-socket"),
            *("--workers", "2", "--threads", "4", "--worker-class", "gthread"),
        ]
        with (self.settings.home / "web.log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=Path(__file__).parents[2],
                env=os.environ
                | {"MATINEE_HOME": str(self.settings.home)}
                | self.environment,
                pass_fds=(self.listener.fileno(),),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        requests.get(f"{self.url}/login", timeout=_SECONDS).raise_for_status()

    def kill(self) -> None:
        """Kill every process of it at once, as a power cut would."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(_SECONDS)
            self._process = None


@contextmanager
def mortal_server(settings: Settings, **environment: str) -> Iterator[MortalServer]:
    """Run a server on the database and storage of a test."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        server = MortalServer(settings, listener, environment)
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
