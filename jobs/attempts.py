"""Attempts at work units as files: what the control and the media side say to another.

``work/<job>/attempts/<key>/`` is the scratch of one attempt. The control side writes
``spec.json`` there; a media worker links ``claim`` into place, locked as long as it
lives, writes ``heartbeat.json`` while it works, and ``result.json`` at the end. Whoever
takes the attempt back renames the folder away: from then on nothing can be written to
it by its name, and the worker stops. An accepted attempt becomes
``work/<job>/done/<unit>/``. No module in here knows the database.
"""

import json
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from appliance.storage import Storage
from jobs.machines import beacons
from jobs.machines.beacons import Life

WORK = Path("work")
TRASH = WORK / ".trash"
_PLAIN = re.compile(r"[\w-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Spec:
    """What a media worker is told: the step to run and what that needs to know.

    ``needs`` are the units whose outputs it reads, ``queue`` is whose hands do it,
    ``request`` what the job was asked by: logs lead there.
    """

    job: str
    unit: str
    step: str
    key: str
    spec: dict[str, Any]
    needs: Sequence[str] = ()
    queue: str = "cpu"
    request: str = ""


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
    _folder: Path = field(init=False, repr=False)

    @property
    def place(self) -> Path:
        return WORK / self.job / "attempts" / self.key

    @property
    def folder(self) -> Path:
        return self._folder

    def __post_init__(self) -> None:
        # Thousands are made in a minute: what can't lead anywhere is not looked into.
        plain = _PLAIN.fullmatch(self.job) and _PLAIN.fullmatch(self.key)
        root = f"{self.storage.root}/{WORK}/{self.job}/attempts/{self.key}"
        folder = Path(root) if plain else self.storage.path(self.place)
        object.__setattr__(self, "_folder", folder)

    def _file(self, name: str) -> str:
        # Often and for thousands of units: paths as texts cost a tenth.
        return f"{self._folder}/{name}"

    def prepare(self, spec: Spec) -> None:
        """Make the folder with its ``spec.json``; doing it again changes nothing."""
        self.storage.write(self.place / "spec.json", _json(asdict(spec)))

    def spec(self) -> Spec | None:
        """Return what is to be done, or None when the attempt was taken back."""
        found = _read(self._file("spec.json"))
        return None if found is None else Spec(**found)

    @contextmanager
    def claim(self, node: str = "") -> Iterator[bool]:
        """Make the attempt that of a node; give False when another was faster.

        The claim is locked as long as this process lives, so that its owner's death
        shows at once on the same machine; it says so only when it is locked.
        """
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            handle = os.open(self._file("claim"), flags, 0o644)
        except (FileExistsError, FileNotFoundError):
            yield False
            return
        try:
            place = beacons.locked(handle, f"{self.storage.root}/{WORK}")
            os.write(handle, _json({"node": node, "place": place}))
            yield True
        finally:
            os.close(handle)

    def lend(self, node: str, worker: str) -> bool:
        """Claim it for a worker on a machine without this folder; see jobs.exchange."""
        try:
            with open(self._file("claim"), "xb") as file:  # noqa: PTH123 as above
                file.write(_json({"node": node, "worker": worker}))
        except (FileExistsError, FileNotFoundError):
            return False
        return True

    def lent_to(self) -> str:
        """Return the key of the far worker that has it, or nothing."""
        return str((_read(self._file("claim")) or {}).get("worker", ""))

    def claimed_by(self) -> str | None:
        """Return the node that claimed this, or None while it waits for one."""
        claim = _read(self._file("claim"))
        if claim is not None:
            return str(claim.get("node", ""))
        # One that was torn by a power cut was a claim, too.
        return "" if (self.folder / "claim").exists() else None

    @property
    def claimed(self) -> bool:
        return self.claimed_by() is not None

    @property
    def owner_died(self) -> bool:
        """Say whether the worker that claimed this died, as far as can be seen here.

        Of a worker on another machine only its silence tells.
        """
        claim = beacons.look(self.folder / "claim")
        return claim is not None and claim.life is Life.DEAD

    @property
    def taken_back(self) -> bool:
        """Say whether the worker is to stop: cancelled, or given to another."""
        folder = self.folder
        return (folder / "cancel").exists() or not (folder / "claim").exists()

    def beat(self, heartbeat: Heartbeat) -> None:
        """Show a sign of life."""
        _replace(self.folder / "heartbeat.json", _json(asdict(heartbeat)))

    def heartbeat(self) -> Heartbeat | None:
        found = _read(self._file("heartbeat.json"))
        return None if found is None else Heartbeat(**found)

    def end(self, report: dict[str, Any]) -> None:
        """Leave the result, durable, as the last thing that is written here."""
        _replace(self.folder / "result.json", _json(report), sync=True)

    def report(self) -> dict[str, Any] | None:
        """Return what the worker left at its end, or None while it has not ended."""
        return _read(self._file("result.json"))

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


def done_by(storage: Storage, job: str, unit: str) -> str:
    """Return the node that an accepted attempt is from."""
    claim = _read(storage.path(done_place(job, unit) / "claim")) or {}
    return str(claim.get("node", ""))


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


def _replace(path: Path, data: bytes, *, sync: bool = False) -> None:
    aside = path.with_name(f".{path.name}.part")
    with aside.open("wb") as file:
        file.write(data)
        if sync:
            file.flush()
            os.fsync(file.fileno())
    aside.replace(path)


def _read(path: str | Path) -> dict[str, Any] | None:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 texts are quicker than paths
            loaded: dict[str, Any] = json.load(file)
    except (FileNotFoundError, ValueError):  # torn by a power cut: as if not there
        return None
    return loaded


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
