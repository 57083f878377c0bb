"""The machines that encode, as files: how many work units they take at once."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.settings import Settings
from appliance.storage import Storage
from jobs.attempts import WORK, node

_FOLDER = WORK / ".nodes"
_SILENT_SECONDS = 60


def own_slots(settings: Settings) -> int:
    """Return how many work units this machine takes at once.

    One for each core, since an encoder of ours keeps one busy; never one only, so that
    something small does not wait for the end of something long.
    """
    if settings.queue.slots > 0:
        return settings.queue.slots
    return max(2, os.cpu_count() or 2)


@contextmanager
def announced(storage: Storage, slots: int) -> Iterator[Path]:
    """Stand in the list of media workers as long as this process lives.

    Whoever touches the file shows to other machines that it does.
    """
    storage.require_mounted()
    path = storage.path(_FOLDER / f"{node()}-{os.getpid()}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".part")
    with aside.open("w") as file:
        # Locked before it gets its name: an unlocked one counts as left by the dead.
        fcntl.flock(file, fcntl.LOCK_EX)
        json.dump({"slots": slots, "node": node()}, file)
        file.flush()
        aside.rename(path)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)


def slots(storage: Storage, now: float) -> list[int]:
    """Return the slots of every media worker that lives; ``now`` in Unix seconds."""
    found = []
    for path in sorted(storage.path(_FOLDER).glob("*.json")):
        count = _slots(path, now)
        if count:
            found.append(count)
    return found


def _slots(path: Path, now: float) -> int:
    try:
        with path.open() as file:
            told = json.load(file)
            if told["node"] == node():
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)  # unlocked: its worker has died
                return 0
            silent = now - os.fstat(file.fileno()).st_mtime
            return int(told["slots"]) if silent < _SILENT_SECONDS else 0
    except BlockingIOError:
        return int(told["slots"])
    except (FileNotFoundError, ValueError):
        return 0
