"""A table of ten thousand titles, brought into a library of a hundred thousand.

The Studio does it in the request that asks for it, which nginx gives up after a minute:
half of that is the goal for the largest table that it takes.
"""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from appliance import settings
from appliance.catalog import imports
from appliance.db import connect
from appliance.permissions import SYSTEM
from appliance.settings import Settings
from appliance.storage import Storage
from tests.bench import figures, library, pages
from tests.bench.figures import Figure
from tests.bench.films import Films

_SECONDS = 30
_COLUMNS = "external_id,name,kind,synopsis,year,rating,genres,tags,name[de]"


def brought(_films: Films, folder: Path) -> Iterator[Figure]:
    """Look at the table, import it, and import it once more."""
    environ, _tokens = pages.built(folder)
    filled = settings.load(environ=environ).database
    own = settings.load(environ={"MATINEE_HOME": str(folder / "own")})
    own.home.mkdir()
    with connect(filled) as db:
        db.conn.execute("vacuum into ?", (str(own.database),))
    rows = own.studio.import_rows
    data = "\n".join([_COLUMNS, *map(_row, range(rows))]).encode()
    told = f"s of one request, {rows} rows, {library.TITLES} titles ÷ {_SECONDS} s"
    for name in ("table, new titles", "table, the same again"):
        took, changes = _import(own, data)
        assert changes == (rows if name.endswith("new titles") else 0)
        yield figures.ratio(name, took, _SECONDS, 1.0, told)
    shutil.rmtree(own.home)


def _import(own: Settings, data: bytes) -> tuple[float, int]:
    """Import it as the Studio does; return how long that took, and what changed."""
    storage = Storage(own.media)
    with connect(own.database) as db:
        kept = imports.keep(db, storage, SYSTEM, "titles.csv", data)
        since = time.monotonic()
        done = imports.carry_out(db, storage, own, SYSTEM, kept.public_id).summary
        return time.monotonic() - since, done["created"] + done["changed"]


def _row(number: int) -> str:
    told = "What happens is told here in a sentence or two. " * 3
    topics = f'"Genre {number % 40:02}, Drama",tag {number % 300}'
    year, german = 1950 + number % 70, f"Titel {number}"
    return f"k{number},Name {number},film,{told},{year},12,{topics},{german}"
