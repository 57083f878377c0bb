"""Freeze the schema of a release, for the tests of the releases to come.

``python -m workshop.release.schema`` writes ``tests/migrations/<version>.sql``; it is
run once for each release, and the file is never changed again.
"""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from appliance import __version__, migrations
from appliance.db import Database

TARGET = Path(__file__).resolve().parents[2] / "tests" / "migrations"


def main() -> None:
    """Write the schema of this tree, with what its migrations put into it."""
    TARGET.mkdir(exist_ok=True)
    path = TARGET / f"{__version__}.sql"
    path.write_text(frozen())
    print(path)


def frozen(stop_before: str | None = None) -> str:
    """Return a new database as statements that make it again."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "matinee.db"
        if stop_before is None:
            migrations.migrate(path)
        else:
            with closing(Database(path)) as db:
                migrations.migrations.apply(db, stop_before=stop_before)
        with closing(sqlite3.connect(path)) as connection:
            return "\n".join([*connection.iterdump(), ""])


if __name__ == "__main__":
    main()
