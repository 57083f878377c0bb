"""Attempts at work units as files: what the control and the media side say to another.

``work/<job>/attempts/<key>/`` is the scratch of one attempt. The control side writes
``spec.json`` there; a media worker links ``claim`` into place, locked as long as it
lives, writes ``heartbeat.json`` while it works, and ``result.json`` at the end. Whoever
takes the attempt back renames the folder away: from then on nothing can be written to
it by its name, and the worker stops. An accepted attempt becomes
``work/<job>/done/<unit>/``. No module in here knows the database.
"""

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from appliance.storage import Storage

WORK = Path("work")
TRASH = WORK / ".trash"


@dataclass(frozen=True, slots=True)
class Spec:
    """What a media worker is told: the step to run and what that needs to know."""

    job: str
    unit: str
    step: str
    key: str
    spec: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A sign of life: its time by the clock of the worker, and how far the work is."""

    at: str
    progress: float = 0
    fps: float | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """The folder of one attempt."""

    storage: Storage
    job: str
    key: str

    @property
    def place(self) -> Path:
        return WORK / self.job / "attempts" / self.key

    @property
    def folder(self) -> Path:
        return self.storage.path(self.place)

    def prepare(self, spec: Spec) -> None:
        """Make the folder with its ``spec.json``; doing it again changes nothing."""
        self.storage.write(self.place / "spec.json", _json(asdict(spec)))

    def spec(self) -> Spec | None:
        """Return what is to be done, or None when the attempt was taken back."""
        found = _read(self.folder / "spec.json")
        return None if found is None else Spec(**found)

    @contextmanager
    def claim(self) -> Iterator[bool]:
        """Make the attempt one's own; give False when another worker was faster.

        The claim is locked before it gets its name and as long as this process lives,
        so that its owner's death shows at once on the same machine.
        """
        aside = self.folder / f".claim.{secrets.token_hex(4)}"
        try:
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        except FileNotFoundError:
            yield False
            return
        with os.fdopen(handle, "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(node())
            file.flush()
            yield _linked(aside, self.folder / "claim")

    @property
    def claimed(self) -> bool:
        return (self.folder / "claim").exists()

    @property
    def owner_died(self) -> bool:
        """Say whether the worker that claimed this died, as far as can be seen here.

        Of a worker on another machine only its silence tells.
        """
        try:
            with (self.folder / "claim").open("r+") as file:
                if file.read() != node():
                    return False
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (FileNotFoundError, BlockingIOError):
            return False
        return True

    @property
    def taken_back(self) -> bool:
        """Say whether the worker is to stop: cancelled, or given to another."""
        folder = self.folder
        return (folder / "cancel").exists() or not (folder / "claim").exists()

    def beat(self, heartbeat: Heartbeat) -> None:
        """Show a sign of life."""
        _replace(self.folder / "heartbeat.json", _json(asdict(heartbeat)))

    def heartbeat(self) -> Heartbeat | None:
        found = _read(self.folder / "heartbeat.json")
        return None if found is None else Heartbeat(**found)

    def end(self, report: dict[str, Any]) -> None:
        """Leave the result, durable, as the last thing that is written here."""
        _replace(self.folder / "result.json", _json(report), sync=True)

    def report(self) -> dict[str, Any] | None:
        """Return what the worker left at its end, or None while it has not ended."""
        return _read(self.folder / "result.json")

    def throw_away(self) -> None:
        """Drop an attempt that failed."""
        _to_trash(self.storage, self.place, f"{self.job}.{self.key}")

    def discard(self) -> bool:
        """Take the attempt back; give False when its result came just before.

        In the moment between looking and renaming a worker may finish: its work is
        not thrown away.
        """
        if self.report() is not None:
            return False
        gone = self.storage.path(TRASH / f"{self.job}.{self.key}")
        gone.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.folder.rename(gone)
        except FileNotFoundError:
            return True
        if _read(gone / "result.json") is not None:
            gone.rename(self.folder)
            return False
        return True


def done_place(job: str, unit: str) -> Path:
    """Return where the outputs of a finished unit stand."""
    return WORK / job / "done" / unit


def done_report(storage: Storage, job: str, unit: str) -> dict[str, Any] | None:
    """Return the report of an accepted attempt, whose row may not know it yet."""
    return _read(storage.path(done_place(job, unit) / "result.json"))


def throw_away(storage: Storage, job: str) -> None:
    """Rename the whole scratch of a job away; a slower hand empties the trash."""
    _to_trash(storage, WORK / job, job)


def throw_away_attempts(storage: Storage, job: str) -> None:
    """Rename away what is unfinished of a job, and keep what it has finished."""
    _to_trash(storage, WORK / job / "attempts", job)


def _to_trash(storage: Storage, place: Path, name: str) -> None:
    gone = storage.path(TRASH / f"{name}.{secrets.token_hex(4)}")
    gone.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        storage.path(place).rename(gone)


@cache
def node() -> str:
    """Return what tells this running kernel, whose locks we can see, from others."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _linked(aside: Path, target: Path) -> bool:
    try:
        os.link(aside, target)
    except (FileExistsError, FileNotFoundError):
        return False
    finally:
        aside.unlink(missing_ok=True)
    return True


def _replace(path: Path, data: bytes, *, sync: bool = False) -> None:
    aside = path.with_name(f".{path.name}.part")
    with aside.open("wb") as file:
        file.write(data)
        if sync:
            file.flush()
            os.fsync(file.fileno())
    aside.replace(path)


def _read(path: Path) -> dict[str, Any] | None:
    try:
        loaded: dict[str, Any] = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):  # torn by a power cut: as if not there
        return None
    return loaded


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
