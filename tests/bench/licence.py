"""A licence of ClearKey against a bare Flask hello, on the same gunicorn command.

Three keys, the check of the session and of what its viewer may, the count and the line
of the audit log: all that a player waits for. Both have one process: how connections
fall on two is chance, and makes either twice as fast.
"""

import os
import re
import socket
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance import settings as configuration
from appliance.db import connect
from appliance.migrations import migrate
from appliance.settings import Settings
from appliance.storage import Storage
from jobs.supervisor import web_command
from tests.bench import figures
from tests.bench.figures import Figure
from tests.bench.films import Films
from tests.builders import Builders
from tests.portal import at_the_door

_ROUNDS, _SECONDS, _VIEWERS = 7, 3, 32
_BARE = """
from flask import Flask
app = Flask(__name__)
@app.get("/")
def page():
    return "Hello"
"""
# Every viewer asks in turn, each with a token of their own.
_ASKING = """
local tokens = {%s}
local body = '%s'
local asked, turn = {}, 0
init = function()
   for each = 1, #tokens do
      asked[each] = wrk.format("POST", "/licence/clearkey",
         {["Authorization"] = "Bearer " .. tokens[each]}, body)
   end
end
request = function()
   turn = turn %% #asked + 1
   return asked[turn]
end
"""


@dataclass(frozen=True, slots=True)
class _Load:
    """One round: answers a second, and milliseconds of the slowest hundredth."""

    rate: float
    slowest: float


def door(_films: Films, folder: Path) -> Iterator[Figure]:
    """Rates and slowest answers, alternating, medians."""
    folder.mkdir(parents=True)
    environ = {
        "MATINEE_HOME": str(folder),
        "MATINEE_WEB_WORKERS": "1",
        "MATINEE_PLAYBACK_HEARTBEAT_SECONDS": "600",
        "MATINEE_PROTECTION_LICENCES_PER_SESSION": "1000000000",
    }
    settings = configuration.load(environ=environ)
    script = folder / "asking.lua"
    script.write_text(_seed(settings))
    (folder / "bare.py").write_text(_BARE)
    with (
        _served(settings, "web.wsgi:app", environ) as ours,
        _served(settings, "bare:app", {"PYTHONPATH": str(folder)}) as bare,
    ):
        _measure(ours, 1, script), _measure(bare, 1)
        rounds = [
            (_measure(ours, _SECONDS, script), _measure(bare, _SECONDS))
            for _ in range(_ROUNDS)
        ]
    licences = [mine for mine, _ in rounds]
    hellos = [theirs for _, theirs in rounds]
    yield figures.ratio(
        "licence rate",
        statistics.median(each.rate for each in licences),
        statistics.median(each.rate for each in hellos),
        0.45,
        "licences/s (3 keys, session, audit row) ÷ bare Flask hello",
        "higher",
    )
    yield figures.ratio(
        "licence p99",
        statistics.median(each.slowest for each in licences),
        statistics.median(each.slowest for each in hellos),
        3.0,
        "ms of the slowest 1 % ÷ bare Flask hello",
    )


def _seed(settings: Settings) -> str:
    """Make a film and its viewers; return the script that asks for them."""
    migrate(settings.database)
    settings.media.mkdir(parents=True)
    with connect(settings.database) as db:
        make = Builders(db, settings, Storage(settings.media))
        film = at_the_door.protected(make)
        tokens = [
            at_the_door.opened(db, settings, make.actor(), film).token
            for _ in range(_VIEWERS)
        ]
    body = at_the_door.asking(*(each.kid for each in film.keys)).decode()
    return _ASKING % (", ".join(f'"{each}"' for each in tokens), body)


@contextmanager
def _served(
    settings: Settings, application: str, environ: dict[str, str]
) -> Iterator[str]:
    """Serve as ``matinee web`` does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*web_command(settings, f"127.0.0.1:{port}")[:-1], application]
    process = subprocess.Popen(
        command, env={**os.environ, **environ}, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("gunicorn did not start")


def _measure(url: str, seconds: int, script: Path | None = None) -> _Load:
    scripted: tuple[str | Path, ...] = ("-s", script) if script else ()
    out = figures.run(f"wrk -t1 -c8 -d{seconds}s --latency", *scripted, url).decode()
    assert "Non-2xx" not in out, out
    rate = re.search(r"Requests/sec:\s*([\d.]+)", out)
    slowest = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", out)
    assert rate is not None
    assert slowest is not None
    in_milliseconds = {"us": 0.001, "ms": 1.0, "s": 1000.0}[slowest[2]]
    return _Load(float(rate[1]), float(slowest[1]) * in_milliseconds)
