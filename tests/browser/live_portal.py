"""A portal that really runs: gunicorn on a temporary installation, with a catalogue."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance import migrations
from appliance import settings as configuration
from appliance.clock import Clock, SystemClock
from appliance.db import Database
from appliance.settings import Settings
from appliance.storage import Storage
from tests.builders import Builders

_READY_SECONDS = 60
_ENVIRONMENT = {
    # Short, so that a test sees within a second or two what a heartbeat brings.
    "MATINEE_PLAYBACK_HEARTBEAT_SECONDS": "1",
    "MATINEE_PLAYBACK_WATERMARK": "protected",
    "MATINEE_WEB_WORKERS": "1",
}


@dataclass(frozen=True, slots=True)
class LivePortal:
    """The address of the portal, and the same installation from inside."""

    url: str
    settings: Settings
    db: Database
    storage: Storage
    make: Builders


@contextmanager
def running(
    home: Path, application: str = "web.wsgi:app", clock: Clock | None = None
) -> Iterator[LivePortal]:
    """Start a portal in ``home`` and stop it afterwards.

    ``application`` is what gunicorn serves, ``clock`` what rows made here go by.
    """
    environ = os.environ | _ENVIRONMENT | {"MATINEE_HOME": str(home)}
    settings = configuration.load(environ=environ)
    migrations.migrate(settings.database)
    settings.media.mkdir(parents=True, exist_ok=True)
    storage = Storage(settings.media)
    database = Database(settings.database, clock or SystemClock())
    # Listening before the server starts: a request waits until it is ready.
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = _start(listener, application, environ, home / "web.log")
        try:
            _wait(url)
            yield LivePortal(
                url, settings, database, storage, Builders(database, settings, storage)
            )
        finally:
            database.close()
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=30)


def _start(
    listener: socket.socket, application: str, environ: dict[str, str], log: Path
) -> subprocess.Popen[bytes]:
    command = [
        *(sys.executable, "-m", "gunicorn", application),
        *("--bind", f"fd://{listener.fileno()}", "--no-control-socket"),
        *("--keep-alive", "75"),
        *("--workers", "1", "--threads", "8", "--worker-class", "gthread"),
    ]
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=Path(__file__).parents[2],
            env=environ,
            pass_fds=(listener.fileno(),),
            stdout=output,
            stderr=output,
        )


def _wait(url: str) -> None:
    with urllib.request.urlopen(f"{url}/-/live", timeout=_READY_SECONDS) as answer:
        assert answer.status == 200, json.dumps(dict(answer.headers))
