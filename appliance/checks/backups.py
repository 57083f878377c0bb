"""Checks of backups: that there are some, that one was tried, and that they open."""

from datetime import datetime, timedelta
from pathlib import Path

from appliance.checks.check import Answer, Check, Checks, ok
from appliance.checks.examined import Examined, met
from appliance.clock import from_text
from appliance.errors import PreconditionFailed
from appliance.operations.backups import missing, recovery, runs
from appliance.operations.backups.runs import Run, RunKind, RunState
from appliance.operations.findings import Level
from jobs.tools import litestream

_VERIFIED_DAYS = 10
_BEHIND_SECONDS = 60.0


def _key(examined: Examined) -> Answer:
    try:
        found = recovery.load(examined.settings)
    except PreconditionFailed:
        return (
            Level.WARN,
            "there is no recovery key, so no backups are made",
            "matinee backup key new, and write it down",
        )
    day = found.made_at[:10]
    return ok(f"backups are sealed to the recovery key {found.id}, made {day}")


def _age(examined: Examined) -> Answer:
    with examined.db() as db:
        made = runs.last(db, RunKind.CREATE, RunState.DONE)
        failed = runs.last(db, RunKind.CREATE, RunState.FAILED)
    if failed is not None and (made is None or failed.id > made.id):
        sentence = f"the last backup failed: {failed.message}"
        return Level.FAIL, sentence, "put that right, then: matinee backup create"
    if made is None:
        return Level.WARN, "no backup was made yet", "matinee backup create"
    age = _age_of(examined, made)
    told = f"the last backup is {_said(age)} old"
    oldest = timedelta(days=examined.settings.backup.oldest_days)
    if age > oldest:
        level = Level.FAIL if age > 3 * oldest else Level.WARN
        return level, told, "matinee backup create, and see matinee-backup.timer"
    if _on_same_disk(examined):
        told += ", on the disk that it is of: give backup.place another one"
    return ok(told)


def _verified(examined: Examined) -> Answer:
    with examined.db() as db:
        tried = runs.last(db, RunKind.VERIFY, RunState.DONE, RunState.FAILED)
        first = runs.kept(db)[-1:]
    if tried is not None and tried.state is RunState.FAILED:
        sentence = f"verifying {tried.name or 'a backup'} failed: {tried.message}"
        return (
            Level.FAIL,
            sentence,
            "matinee backup create, then: matinee backup verify",
        )
    limit = timedelta(days=_VERIFIED_DAYS)
    if tried is not None:
        age = _age_of(examined, tried)
        told = f"{tried.name} was restored aside and found whole {_said(age)} ago"
        if age <= limit:
            return ok(told)
        return Level.WARN, told, "matinee backup verify"
    if first and _age_of(examined, first[0]) > limit:
        return Level.WARN, "no backup was ever verified", "matinee backup verify"
    return ok("no backup had to be verified yet")


def _films(examined: Examined) -> Answer:
    with examined.db() as db:
        found = missing.listing(db)
    if not found:
        return ok("no film came back from a backup without its files")
    named = ", ".join(each.title for each in found[:3])
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    sentence = f"{len(found)} films came back without their files: {named}{more}"
    return (
        Level.WARN,
        sentence,
        "matinee backup films, with --make-again, or --look-again after copying",
    )


def _copies(examined: Examined) -> Answer:
    settings = examined.settings
    if not settings.backup.copies:
        return ok("no copies are made all the time (backup.copies)")
    litestream.program()
    newest = _newest_copy(settings.database)
    fix = "see to matinee-copies.service: journalctl -u matinee-copies"
    if newest is None:
        return Level.FAIL, f"nothing was copied to {settings.backup.copies} yet", fix
    log = settings.database.with_name(f"{settings.database.name}-wal")
    written = max((held.st_mtime for _, held in met([log])), default=0.0)
    behind = written - newest
    if behind > _BEHIND_SECONDS and examined.now - newest > _BEHIND_SECONDS:
        return Level.FAIL, f"the copies are {behind:.0f} seconds behind", fix
    return ok(f"the database is copied to {settings.backup.copies}")


def _newest_copy(database: Path) -> float | None:
    """Return when Litestream wrote last; it keeps here what it sends."""
    folder = database.with_name(f".{database.name}-litestream")
    copies = met(folder.rglob("*.ltx"))
    return max((held.st_mtime for _, held in copies), default=None)


def _age_of(examined: Examined, run: Run) -> timedelta:
    now: datetime = examined.clock.now()
    return now - from_text(run.ended_at or run.asked_at)


def _said(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.0f} days"


def _on_same_disk(examined: Examined) -> bool:
    place = examined.settings.backup.place
    if not place:
        return True
    if not place.startswith("/"):
        return False
    try:
        return Path(place).stat().st_dev == examined.settings.home.stat().st_dev
    except OSError:
        return False


CHECKS: Checks = {
    "backup.key": Check(_key),
    "backup.age": Check(_age),
    "backup.verified": Check(_verified),
    "backup.films": Check(_films),
    "backup.copies": Check(_copies),
}
