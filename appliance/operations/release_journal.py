"""How far a change of releases has come: written before each step, read after a crash.

It lies beside the releases and is root's. While it is there, a change is under way or
was cut short; what became of the last one stays in ``last-change.json``.
"""

import dataclasses
import json
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from appliance.keyring import sync_folder
from appliance.operations.releases import Layout


class Step(StrEnum):
    """What is being done; in this order."""

    CHECK = "check"
    SNAPSHOT = "snapshot"
    TRIAL = "trial"
    MIGRATE = "migrate"
    SWITCH = "switch"
    RELOAD = "reload"
    GATE = "gate"
    BACK = "back"

    @property
    def touched(self) -> bool:
        """Say whether the database or the release in use may have changed."""
        return self not in (Step.CHECK, Step.SNAPSHOT, Step.TRIAL)


@dataclass(frozen=True, slots=True)
class Journal:
    """A change from one release to another.

    ``previous`` is what ``previous`` led to; ``sick`` are the checks that failed before
    it began; ``stopped`` says that the services wait for its end; ``database`` is the
    snapshot that a rollback puts back, ``settings`` whether it brings back the
    configuration of that time; ``reason`` says why it goes back.
    """

    kind: str
    before: str
    after: str
    previous: str
    started_at: str
    step: Step = Step.CHECK
    snapshot: str = ""
    sick: tuple[str, ...] = ()
    stopped: bool = False
    database: str = ""
    settings: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the last change ended; ``trouble`` is empty when it went well."""

    before: str
    after: str
    kind: str
    ended_at: str
    seconds: float
    snapshot: str = ""
    trouble: str = ""


def read(layout: Layout) -> Journal | None:
    """Return the change that is under way or was cut short."""
    try:
        found = json.loads(_path(layout).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    found["step"] = Step(found["step"])
    found["sick"] = tuple(found["sick"])
    return Journal(**found)


def write(layout: Layout, journal: Journal) -> None:
    """Write how far it has come, so that a power cut does not undo it."""
    _put(_path(layout), dataclasses.asdict(journal))


def close(layout: Layout, outcome: Outcome) -> None:
    """End it: what became of it is kept, the journal goes."""
    _put(layout.folder / _LAST, dataclasses.asdict(outcome))
    _path(layout).unlink(missing_ok=True)
    sync_folder(layout.folder)


def last(layout: Layout) -> Outcome | None:
    """Return how the last change ended."""
    try:
        found = json.loads((layout.folder / _LAST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Outcome(**found)


_LAST = "last-change.json"


def _path(layout: Layout) -> Path:
    return layout.folder / "change.json"


def _put(path: Path, document: dict[str, object]) -> None:
    aside = path.with_name(f".{path.name}.new")
    with aside.open("w", encoding="utf-8") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    # Whoever runs the doctor may read it; there is no secret in it.
    aside.chmod(0o644)
    aside.replace(path)
    sync_folder(path.parent)
