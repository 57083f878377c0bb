"""A backup of a large installation while its portal serves, against a plain copy.

The plain copy is what nobody should rely on, but the least that has to be done: the
database, written anew by SQLite, and copied to the place of backups.
"""

import shutil
import sqlite3
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from appliance import settings
from tests.bench import figures, library, pages
from tests.bench.figures import Figure
from tests.bench.films import Films
from tests.bench.installation import MATINEE

_CLIENTS = 4
_GOAL, _RESTORE_GOAL = 4.0, 12.0
_WISHED, _PLAYING = 30.0, 300.0


@dataclass
class _Viewers:
    """Who looks at the home page all the time, and how long each look took."""

    url: str
    tokens: list[str]
    took: list[float] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def look(self, number: int) -> None:
        with requests.Session() as browser:
            browser.cookies.set("matinee_session", self.tokens[number])
            while not self.stop.is_set():
                begun = time.monotonic()
                browser.get(self.url, timeout=60).raise_for_status()
                self.took.append(time.monotonic() - begun)

    @property
    def p95(self) -> float:
        """Return how long 95 of 100 looks took at most, in milliseconds."""
        return statistics.quantiles(self.took, n=20)[-1] * 1000


def large(_films: Films, folder: Path) -> Iterator[Figure]:
    """Back up, verify and restore a library of 100,000 titles."""
    environ, tokens = pages.built(folder)
    home = Path(environ["MATINEE_HOME"])
    database = settings.load(environ=environ).database
    key = figures.run(MATINEE, "--json backup key new --key-saved", environ=environ)
    place = folder / "backups"
    with pages.served(folder, "web.wsgi:app", environ) as url:
        with _visited(url, tokens) as before:
            plain = _seconds(lambda: _plain_copy(database, folder))
        with _visited(url, tokens) as meanwhile:
            made = _seconds(
                lambda: figures.run(
                    MATINEE, "backup create --place", place, environ=environ
                )
            )
        tried = _seconds(
            lambda: figures.run(
                MATINEE, "backup verify --place", place, environ=environ
            )
        )
    told = (
        f"s; {library.TITLES} titles, {database.stat().st_size // 10**6} MB, portal"
        f" p95 {meanwhile.p95:.0f} ms (with the copy {before.p95:.0f}); wished"
        f" {_WISHED:.0f} s ÷ vacuum into, cp"
    )
    yield figures.ratio("backup", made, plain, _GOAL, told)
    yield figures.ratio("backup, verified", tried, plain, None, "s ÷ vacuum into, cp")
    yield _restored(folder, home, place, key, plain)


def _restored(
    folder: Path, home: Path, place: Path, key: bytes, plain: float
) -> Figure:
    fresh = {"MATINEE_HOME": str(folder / "fresh")}
    shutil.copytree(home / "keys", folder / "fresh" / "keys")
    assert key
    took = _seconds(
        lambda: figures.run(
            MATINEE, "backup restore --yes --place", place, environ=fresh
        )
    )
    note = f"s; wished to play within {_PLAYING:.0f} s ÷ vacuum into, cp"
    return figures.ratio("backup, restored", took, plain, _RESTORE_GOAL, note)


@contextmanager
def _visited(url: str, tokens: list[str]) -> Iterator[_Viewers]:
    viewers = _Viewers(url, tokens)
    threads = [
        threading.Thread(target=viewers.look, args=(number,))
        for number in range(_CLIENTS)
    ]
    for each in threads:
        each.start()
    try:
        yield viewers
    finally:
        viewers.stop.set()
        for each in threads:
            each.join()


def _plain_copy(database: Path, folder: Path) -> None:
    copy = folder / "plain.db"
    with closing(sqlite3.connect(database)) as source:
        source.execute("vacuum into ?", (str(copy),))
    shutil.copyfile(copy, folder / "copied.db")
    copy.unlink()


def _seconds(action: Callable[[], object]) -> float:
    begun = time.monotonic()
    action()
    return time.monotonic() - begun
