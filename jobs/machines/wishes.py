"""What is wished of a machine, as files: to take nothing new, or only so much at once.

Media workers have no database; they look at the file of their machine every second.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from appliance.storage import Storage
from jobs.attempts import WORK

_FOLDER = WORK / ".nodes" / "wishes"


@dataclass(frozen=True, slots=True)
class Wish:
    """``limit`` is how many work units it may take at once; 0: as many as it likes."""

    drain: bool = False
    limit: int = 0


def of(storage: Storage, name: str) -> Wish:
    """Return what is wished of a machine. Errors: ``OSError``."""
    try:
        told = json.loads(_file(storage, name).read_bytes())
    except (FileNotFoundError, ValueError):
        return Wish()
    return Wish(bool(told.get("drain")), int(told.get("limit", 0)))


def put(storage: Storage, name: str, wish: Wish) -> None:
    """Wish something of a machine; the last wish counts."""
    if wish == Wish():
        forget(storage, name)
    else:
        storage.write(_place(name), json.dumps(asdict(wish)).encode())


def forget(storage: Storage, name: str) -> None:
    """Wish nothing of a machine any more."""
    storage.require_mounted()
    _file(storage, name).unlink(missing_ok=True)


def _file(storage: Storage, name: str) -> Path:
    return storage.path(_place(name))


def _place(name: str) -> Path:
    return _FOLDER / f"{name}.json"
