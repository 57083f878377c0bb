"""Keeps the scratch folders to what open jobs need; the rows say which those are."""

import shutil

from appliance.db import Database
from appliance.media import jobs, units
from appliance.media.jobs import Job, JobState
from appliance.storage import Storage
from jobs.attempts import TRASH, WORK, Attempt
from jobs.making import install

_KEEP_FAILED_DAYS = 1


def sweep(db: Database, storage: Storage) -> None:
    """Throw away the scratch of jobs that ended, and attempts that were given up.

    A failed job keeps what it had finished for a day, for whoever tries it again.
    Only the thread that hands units out may call this.
    """
    in_hand = {(unit.job, unit.attempt_key) for unit in units.active(db)}
    for folder in _folders(storage):
        job = jobs.find(db, folder)
        if job is None or not (job.open or _kept(db, job)):
            install.clear_up(db, storage, job, folder)
            continue
        for path in storage.path(WORK / folder / "attempts").glob("*"):
            if (folder, path.name) not in in_hand:
                Attempt(storage, folder, path.name).throw_away()


def empty_trash(storage: Storage) -> None:
    """Remove what was thrown away; a worker that is just stopping may write there."""
    for path in storage.path(TRASH).glob("*"):
        shutil.rmtree(path, ignore_errors=True)


def _folders(storage: Storage) -> list[str]:
    found = storage.path(WORK).glob("[!.]*")
    return sorted(path.name for path in found if path.is_dir())


def _kept(db: Database, job: Job) -> bool:
    if job.state is not JobState.FAILED:
        return False
    return (job.ended_at or "") > db.now(days=-_KEEP_FAILED_DAYS)
