"""Imports of tables: looked at first, then carried out once, and their results kept."""

import csv
import io
import json
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.catalog.tables import planning, running, sheets
from appliance.catalog.tables.planning import Does, Plan
from appliance.catalog.tables.running import Result
from appliance.db import Database, Row, write
from appliance.errors import Conflict, NotFound
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check
from appliance.settings import Settings
from appliance.storage import Storage

_FOLDER = "imports"
_KEPT_DAYS = 30
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Import:
    """A table that somebody brought; ``summary`` counts what became of its rows."""

    public_id: str
    username: str
    filename: str
    state: str
    summary: Mapping[str, Any]
    created_at: str
    done_at: str | None

    @property
    def done(self) -> bool:
        return self.state == "done"


def look(db: Database, settings: Settings, actor: Actor, data: bytes) -> Plan:
    """Say what a table would do; nothing is kept. Errors: of ``sheets``, ``plan``."""
    check(actor, Action.TITLE_IMPORT)
    studio = settings.studio
    sheet = sheets.read(
        data,
        most_rows=studio.import_rows,
        most_bytes=studio.import_megabytes * 1_000_000,
    )
    return planning.plan(db, actor, sheet)


def keep(
    db: Database, storage: Storage, actor: Actor, filename: str, data: bytes
) -> Import:
    """Keep a table until somebody says that it is to be imported."""
    check(actor, Action.TITLE_IMPORT)
    public_id = secrets.token_hex(8)
    path = f"{_FOLDER}/{public_id}.csv"
    storage.write(path, data)
    name = "".join(each for each in filename if each.isprintable())[:_LONGEST_NAME]
    with write(db):
        db.conn.execute(
            """
            insert into imports
                (public_id, account_id, username, filename, path, created_at)
            values (?, ?, ?, ?, ?, ?)
            """,
            (
                *(public_id, actor.account_id, actor.username),
                *(name or "table.csv", path, db.now()),
            ),
        )
        return by_id(db, actor, public_id)


def kept_plan(
    db: Database, storage: Storage, settings: Settings, actor: Actor, public_id: str
) -> Plan:
    """Say what a table that is kept would do now. Errors: as of :func:`look`."""
    by_id(db, actor, public_id)
    return look(db, settings, actor, _data(storage, public_id))


def carry_out(
    db: Database, storage: Storage, settings: Settings, actor: Actor, public_id: str
) -> Import:
    """Import a table that is kept; sent twice it is done once.

    Errors: ``NotFound``, ``Forbidden``, and those of :func:`look`.
    """
    if by_id(db, actor, public_id).done:
        return by_id(db, actor, public_id)
    data = _data(storage, public_id)
    plan = look(db, settings, actor, data)
    if not _claimed(db, public_id):
        return by_id(db, actor, public_id)
    results = running.run(db, actor, plan)
    storage.write(f"{_FOLDER}/{public_id}-result.csv", result_table(results).encode())
    summary = counted(results)
    with write(db):
        db.conn.execute(
            "update imports set summary = ?, done_at = ? where public_id = ?",
            (json.dumps(summary), db.now(), public_id),
        )
        record(db, actor, Event.TITLE_IMPORT, f"import/{public_id}", **summary)
    return by_id(db, actor, public_id)


def at_once(
    db: Database, settings: Settings, actor: Actor, data: bytes
) -> list[Result]:
    """Import a table that nobody needs to see again, as a command does."""
    results = running.run(db, actor, look(db, settings, actor, data))
    with write(db):
        summary = counted(results)
        record(
            db, actor, Event.TITLE_IMPORT, f"import/{secrets.token_hex(8)}", **summary
        )
    return results


def results(db: Database, storage: Storage, actor: Actor, public_id: str) -> str:
    """Return the table of what became of each row.

    Errors: ``NotFound``, ``Conflict`` before it is imported.
    """
    found = by_id(db, actor, public_id)
    path = storage.path(f"{_FOLDER}/{public_id}-result.csv")
    if found.done_at is None or not path.is_file():
        raise Conflict("import.not-done", "This table has not been imported yet.")
    return path.read_text(encoding="utf-8")


def result_table(results: list[Result]) -> str:
    """Write what became of each row as a table."""
    holder = io.StringIO()
    writer = csv.writer(holder, lineterminator="\r\n")
    writer.writerow(("line", "key", "name", "result", "slug", "problem"))
    for each in results:
        writer.writerow(
            sheets.defused(str(cell))
            for cell in (
                *(each.line, each.key, each.name),
                *(_WORDS[each.does], each.slug, each.problem),
            )
        )
    return holder.getvalue()


def counted(results: list[Result]) -> dict[str, int]:
    """Return how many rows were created, changed, the same and refused."""
    counts = Counter(each.does for each in results)
    return {_WORDS[does]: counts[does] for does in Does}


def by_id(db: Database, actor: Actor, public_id: str) -> Import:
    """Return a table of the actor's own. Errors: ``NotFound``, ``Forbidden``."""
    check(actor, Action.TITLE_IMPORT)
    row = db.one("select * from imports where public_id = ?", (public_id,))
    if row is None or row["username"] != actor.username:
        raise NotFound(
            "import.missing", "That table is no longer here: upload it again."
        )
    return _import(row)


def listing(db: Database, actor: Actor, limit: int = 10) -> list[Import]:
    """Return the last tables of the actor, the last first."""
    rows = db.rows(
        "select * from imports where username = ? order by id desc limit ?",
        (actor.username, limit),
    )
    return [_import(row) for row in rows]


def drop_old(db: Database, storage: Storage) -> int:
    """Remove tables of long ago with their results; return how many."""
    old = db.rows(
        "select id, public_id from imports where created_at < ?",
        (db.now(days=-_KEPT_DAYS),),
    )
    for row in old:
        for name in (f"{row['public_id']}.csv", f"{row['public_id']}-result.csv"):
            storage.remove(f"{_FOLDER}/{name}")
        with write(db):
            db.conn.execute("delete from imports where id = ?", (row["id"],))
    return len(old)


_WORDS: Mapping[Does, str] = {
    Does.CREATE: "created",
    Does.CHANGE: "changed",
    Does.SAME: "same",
    Does.REFUSE: "refused",
}


def _claimed(db: Database, public_id: str) -> bool:
    """Say whether it is ours to carry out: of two at once it is one's."""
    with write(db):
        sql = "update imports set state = 'done' where public_id = ? and state = ?"
        return db.conn.execute(sql, (public_id, "planned")).rowcount == 1


def _data(storage: Storage, public_id: str) -> bytes:
    path = storage.path(f"{_FOLDER}/{public_id}.csv")
    if not path.is_file():
        raise NotFound(
            "import.missing", "That table is no longer here: upload it again."
        )
    return path.read_bytes()


def _import(row: Row) -> Import:
    return Import(
        public_id=row["public_id"],
        username=row["username"],
        filename=row["filename"],
        state=row["state"],
        summary=json.loads(row["summary"]),
        created_at=row["created_at"],
        done_at=row["done_at"],
    )
