"""The files of a title that is removed: found before its rows go, removed after."""

import contextlib

from appliance.db import Database
from appliance.storage import Storage


def folders(db: Database, title_id: int) -> list[str]:
    """Return every folder of the storage with files of the title or of its parts."""
    found = []
    whole = "select id from titles where id = :id or parent_id = :id"
    key = {"id": title_id}
    for row in db.rows(f"select public_id from titles where id in ({whole})", key):
        found.append(f"artwork/{row['public_id']}")
    for row in db.rows(
        f"select public_id from assets where title_id in ({whole})", key
    ):
        found += [f"packages/{row['public_id']}", f"sources/{row['public_id']}"]
    jobs = db.rows(
        f"""
        select jobs.public_id from jobs
        join assets on assets.id = jobs.asset_id
        where assets.title_id in ({whole})
        """,
        key,
    )
    return found + [f"work/{row['public_id']}" for row in jobs]


def sweep(storage: Storage, folders: list[str]) -> None:
    """Tell the work units in these folders to stop, and remove the folders.

    A worker that is just stopping may still write: what it leaves in the scratch
    folder of a job without a row goes with the next clean-up.
    """
    for folder in folders:
        _stop(storage, folder)
        if folder.startswith("work/"):
            with contextlib.suppress(OSError):
                storage.remove(folder)
        else:
            storage.remove(folder)


def _stop(storage: Storage, folder: str) -> None:
    for attempt in storage.path(folder).glob("attempts/*"):
        # An attempt that ends just now takes its folder away: there is none to stop.
        with contextlib.suppress(OSError):
            (attempt / "cancel").touch()
