"""Checks of the database."""

from pathlib import Path
from sqlite3 import DatabaseError

from appliance import migrations
from appliance.checks.check import Answer, Check, Checks, ok
from appliance.checks.examined import Examined, met
from appliance.errors import PreconditionFailed
from appliance.operations.findings import Level

_MUCH_WAL = 256 * 1024**2
_NAMED = 5
_REPAIRS = {
    "database.missing": "matinee init",
    "database.newer": "matinee release list, then matinee upgrade with that release",
}
_RESTORE = "stop Matinee, then matinee backup restore with the last backup"


def _current(examined: Examined) -> Answer:
    path = examined.settings.database
    try:
        migrations.require_current(path)
    except PreconditionFailed as error:
        fix = _REPAIRS.get(error.code, "matinee migrate")
        return Level.FAIL, error.message, fix
    return ok(f"{path} is current")


def _whole(examined: Examined) -> Answer:
    try:
        with examined.db() as db:
            found = [str(row[0]) for row in db.conn.execute("pragma integrity_check")]
            loose = db.conn.execute("pragma foreign_key_check").fetchmany(_NAMED)
    except DatabaseError as error:
        found, loose = [str(error)], []
    if found != ["ok"]:
        told = " ".join(found)[:300]
        return Level.FAIL, f"the database is damaged: {told}", _RESTORE
    if loose:
        tables = ", ".join(sorted({str(row[0]) for row in loose}))
        return Level.FAIL, f"rows lead nowhere in {tables}", _RESTORE
    return ok("the database is whole")


def _log(examined: Examined) -> Answer:
    """Look at the write-ahead log: it grows while somebody reads without end."""
    path = Path(f"{examined.settings.database}-wal")
    size = sum(held.st_size for _, held in met([path]))
    sentence = f"the log of the database has {size / 1024**2:.0f} MiB"
    if size < _MUCH_WAL:
        return ok(sentence)
    return (
        Level.WARN,
        f"{sentence}: a process holds it open, and each read takes longer",
        "systemctl restart matinee-web matinee-control",
    )


CHECKS: Checks = {
    "db.migrations": Check(_current),
    "db.wal_size": Check(_log),
    "db.integrity": Check(_whole, slow=True, seconds=600),
}
