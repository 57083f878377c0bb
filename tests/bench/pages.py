"""Home and search of a large installation: what 95 of 100 requests take at most.

The library has 100,000 titles, 10,000 accounts and a million rows of progress. Sixteen
clients ask one process on one core without a pause, as two hundred viewers would. So
there are always sixteen requests under way, and a client waits some sixteen times as
long as one request takes: most of that before the server has begun with it.

Both are printed. Held against the goal is what the server says of itself in its access
log: from the moment when a thread has the request until the answer is written, which
holds what it waited for the other threads. What the clients see is held against a bare
Flask page, which the same clients ask of the same server in the same run.
"""

import os
import random
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from appliance import settings
from appliance.db import connect
from appliance.sections import Web
from tests.bench import figures, library
from tests.bench.figures import Figure
from tests.bench.films import Films

_CLIENTS, _SECONDS, _QUERIES = 16, 8, 400
_HOME_MILLISECONDS, _SEARCH_MILLISECONDS = 120, 50
_MOST_BYTES = 60_000
# Each process of an installation has so many, unless somebody changes it.
_THREADS = Web().threads
_LOG = "access.log"
_BARE = """
from flask import Flask
app = Flask(__name__)
@app.get("/")
def page():
    return "<!doctype html><title>Hello</title><h1>Hello</h1>"
"""
# Each request is of another viewer and, of the search, for other words.
_LOAD = """
local function lines(name)
  local found = {}
  for line in io.lines(name) do found[#found + 1] = line end
  return found
end
local tokens, paths = lines("tokens"), lines("paths")
request = function()
  local cookie = "matinee_session=" .. tokens[math.random(#tokens)]
  return wrk.format("GET", paths[math.random(#paths)], {Cookie = cookie})
end
done = function(summary, latency, requests)
  io.write(string.format("p95 %.3f rate %.1f refused %d\\n",
    latency:percentile(95) / 1000,
    summary.requests / summary.duration * 1e6, summary.errors.status))
end
"""


@dataclass(frozen=True, slots=True)
class _Pace:
    """How long 95 of 100 requests took at most, in milliseconds, and how many a second.

    ``server`` is what the server spent on them, ``client`` what its clients waited.
    """

    server: float
    client: float
    rate: float


def home(_films: Films, folder: Path) -> Iterator[Figure]:
    """The home page: time, and size."""
    environ, tokens = built(folder)
    bare = _bare(folder, tokens)
    with served(folder, "web.wsgi:app", environ) as ours:
        size = len(_get(ours, tokens[0]))
        pace = _pace(folder, ours, tokens, ["/"])
    yield from _figures("home page", pace, bare, _HOME_MILLISECONDS)
    yield figures.ratio("home page, bytes", size, _MOST_BYTES, 1.0, "of HTML ÷ 60 kB")


def search(_films: Films, folder: Path) -> Iterator[Figure]:
    """The search as somebody types: half a name, sometimes misspelt."""
    environ, tokens = built(folder)
    paths = [f"/api/v1/search?limit=6&q={quote(each)}" for each in _typed(environ)]
    bare = _bare(folder, tokens)
    with served(folder, "web.wsgi:app", environ) as ours:
        pace = _pace(folder, ours, tokens, paths)
    yield from _figures("search", pace, bare, _SEARCH_MILLISECONDS)


def _bare(folder: Path, tokens: Sequence[str]) -> _Pace:
    with served(folder, "bare:app", {"PYTHONPATH": str(folder)}) as bare:
        return _pace(folder, bare, tokens, ["/"])


def _figures(name: str, pace: _Pace, bare: _Pace, most: float) -> Iterator[Figure]:
    yield figures.ratio(
        *(name, pace.server, most, 1.0),
        f"ms of 95 % in the server, {library.TITLES} titles, {_CLIENTS} clients,"
        f" one core ÷ {most} ms; {pace.rate:.0f} a second",
    )
    yield figures.ratio(
        *(f"{name}, as clients see it", pace.client, bare.client, None),
        f"ms of 95 % with the wait for its turn ÷ bare Flask; {bare.rate:.0f} a second",
    )


def built(folder: Path) -> tuple[dict[str, str], list[str]]:
    """Fill an installation beside the folder, once for both benchmarks of a run."""
    folder.mkdir(parents=True)
    (folder / "bare.py").write_text(_BARE)
    (folder / "load.lua").write_text(_LOAD)
    shared = folder.parent / "library"
    tokens = shared / "tokens"
    environ = {"MATINEE_HOME": str(shared)}
    if not tokens.exists():
        shared.mkdir()
        found = library.build(settings.load(environ=environ))
        tokens.write_text("\n".join(found))
    return environ, tokens.read_text().split()


def _typed(environ: dict[str, str]) -> list[str]:
    """Return what viewers type: beginnings of names, in some two letters exchanged."""
    chance = random.Random(2)
    with connect(settings.load(environ=environ).database) as db:
        count = db.value("select max(id) from titles")
        keys = [chance.randint(1, count) for _ in range(_QUERIES)]
        rows = [
            db.value("select name from titles where id >= ? limit 1", (key,))
            for key in keys
        ]
    return [_half(chance, name.lower()) for name in rows]


def _half(chance: random.Random, name: str) -> str:
    typed = name[: chance.randint(2, len(name))]
    if len(typed) < 7 or chance.random() > 0.15:
        return typed
    at = chance.randint(1, len(typed) - 2)
    return typed[:at] + typed[at + 1] + typed[at] + typed[at + 2 :]


@contextmanager
def served(folder: Path, application: str, environ: dict[str, str]) -> Iterator[str]:
    """Serve with one process on one core; who asks has the others."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    gunicorn = Path(sys.executable).with_name("gunicorn")
    core, _others = _cores()
    process = subprocess.Popen(
        figures.arguments(
            *(f"taskset -c {core}", gunicorn),
            f"--no-control-socket -b 127.0.0.1:{port} -k gthread -w 1",
            *(f"--threads {_THREADS} --access-logformat %(D)s --access-logfile",),
            *(folder / _LOG, application),
        ),
        env={**os.environ, **environ},
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}/"
        _wait_for(url)
        yield url
    finally:
        process.terminate()
        process.wait()


def _cores() -> tuple[int, str]:
    first, *others = sorted(os.sched_getaffinity(0))
    return first, ",".join(map(str, others or [first]))


def _wait_for(url: str) -> None:
    """Wait for an answer: gunicorn listens long before its application is there."""
    for _ in range(600):
        try:
            with socket.create_connection(("127.0.0.1", _port(url)), 60) as there:
                there.sendall(b"GET / HTTP/1.0\r\n\r\n")
                if there.recv(12).startswith(b"HTTP/"):
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError("gunicorn did not start")


def _port(url: str) -> int:
    return int(url.rsplit(":", 1)[1].rstrip("/"))


def _get(url: str, token: str) -> bytes:
    return figures.run("curl -sSf -H", Path(f"Cookie: matinee_session={token}"), url)


def _pace(folder: Path, url: str, tokens: Sequence[str], paths: Sequence[str]) -> _Pace:
    """Ask for a while, after a moment in which the server warms up."""
    (folder / "tokens").write_text("\n".join(tokens))
    (folder / "paths").write_text("\n".join(paths))
    _core, others = _cores()
    command = f"env -C {folder} taskset -c {others} wrk -t1 -c{_CLIENTS} -s load.lua"
    figures.run(f"{command} -d2s {url}")
    log = folder / _LOG
    told = log.stat().st_size
    out = figures.run(f"{command} -d{_SECONDS}s {url}").decode()
    spent = sorted(map(int, log.read_bytes()[told:].split()))
    found = re.search(r"p95 ([\d.]+) rate ([\d.]+) refused (\d+)", out)
    assert found is not None, out
    assert found[3] == "0", f"{found[3]} requests were refused"
    server = spent[len(spent) * 95 // 100] / 1000
    return _Pace(server, float(found[1]), float(found[2]))
