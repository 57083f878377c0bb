"""The home page of 10,000 titles against a bare Flask page, on the same gunicorn."""

import os
import re
import secrets
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance import settings
from appliance.accounts import people, sessions
from appliance.db import Database, connect, write
from appliance.migrations import migrate
from appliance.permissions import SYSTEM, Role
from tests.bench import figures
from tests.bench.figures import Figure
from tests.bench.films import Films

_TITLES, _CARDS = 10_000, 24
_ROUNDS, _SECONDS = 5, 3
_BARE = """
from flask import Flask
app = Flask(__name__)
@app.get("/")
def page():
    return "<!doctype html><title>Hello</title><h1>Hello</h1>"
"""


def home(_films: Films, folder: Path) -> Iterator[Figure]:
    """Requests per second, alternating, medians."""
    folder.mkdir(parents=True)
    environ = {
        "MATINEE_HOME": str(folder),
        "MATINEE_PORTAL_HOME_CARDS": str(_CARDS // 2),
        "MATINEE_PORTAL_HOME_GENRES": "1",
    }
    cookie = _seed(settings.load(environ=environ))
    (folder / "bare.py").write_text(_BARE)
    with (
        _served("web.wsgi:app", environ) as ours,
        _served("bare:app", {"PYTHONPATH": str(folder)}) as bare,
    ):
        rounds = [(_rate(ours, cookie), _rate(bare, "")) for _ in range(_ROUNDS)]
    mine = statistics.median(each[0] for each in rounds)
    theirs = statistics.median(each[1] for each in rounds)
    note = f"requests/s with {_TITLES} titles, {_CARDS} cards ÷ bare Flask"
    yield figures.ratio("home page", mine, theirs, 0.5, note, "higher")


def _seed(found: settings.Settings) -> str:
    migrate(found.database)
    with connect(found.database) as db:
        password = secrets.token_urlsafe(16)
        people.create(db, found, SYSTEM, "viewer", password, roles=(Role.VIEWER,))
        _titles(db)
        token, _ = sessions.sign_in(
            db, found, "viewer", password, None, address="127.0.0.1", user_agent="wrk"
        )
    return token


def _titles(db: Database) -> None:
    now = db.now()
    with write(db):
        for number in range(8):
            db.conn.execute(
                "insert into genres (slug, name) values (?, ?)",
                (f"g{number}", f"Genre {number}"),
            )
        for number in range(1, _TITLES + 1):
            db.conn.execute(
                """
                insert into titles (public_id, slug, name, synopsis, year, state,
                    runtime_seconds, created_at, updated_at, published_at)
                values (?, ?, ?, 'What it is about.', 2020, 'published', 5400, ?, ?, ?)
                """,
                (secrets.token_hex(8), f"t{number}", f"Title {number}", now, now, now),
            )
            db.conn.execute(
                "insert into title_genres (title_id, genre_id) values (?, ?)",
                (number, number % 8 + 1),
            )


@contextmanager
def _served(application: str, environ: dict[str, str]) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    gunicorn = Path(sys.executable).with_name("gunicorn")
    process = subprocess.Popen(
        figures.arguments(
            *(gunicorn, f"--no-control-socket -b 127.0.0.1:{port}"),
            *("-k gthread -w 2 --threads 4", application),
        ),
        env={**os.environ, **environ},
        stderr=subprocess.DEVNULL,
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


def _rate(url: str, session: str) -> float:
    header = f"matinee_session={session}"
    request = urllib.request.Request(url, headers={"Cookie": header})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
        assert answer.url == url, "signed out: this would measure a redirect"
        # A browser comes back with what it was given.
        given = [
            each.split(";")[0] for each in answer.headers.get_all("Set-Cookie", [])
        ]
    cookies = Path("Cookie: " + "; ".join([header, *given]))  # one argument
    out = figures.run(f"wrk -t1 -c8 -d{_SECONDS}s -H", cookies, url).decode()
    assert "Non-2xx" not in out
    found = re.search(r"Requests/sec:\s*([\d.]+)", out)
    assert found is not None
    return float(found.group(1))
