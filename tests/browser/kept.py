"""What was encoded once in a run of the tests, for whoever wants the same film again.

A portal of its own, with keys of its own, wants a film that another test encoded: then
only what is its own is made, and the film is not examined a second time.
"""

import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.planning.plan import NewUnit
from tests.pipeline.local_run import LocalRun, run_unit

# These ask for nothing but the source; what follows holds identities and keys.
_STEPS = ("encode", "audio")
_REPORT = "result.json"


def place(scratch: Path) -> Path:
    """Return the folder that all processes of this run of the tests share."""
    whole = [each for each in scratch.parents if each.parent.name.startswith("pytest-")]
    shared = (whole[-1] if whole else scratch) / "kept"
    shared.mkdir(exist_ok=True)
    return shared


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold back whoever wants to make the same at the same time."""
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@dataclass
class Kept:
    """The units of one source, in a folder beside it."""

    folder: Path
    made: bool = False

    def run_unit(self, run: LocalRun, unit: NewUnit) -> None:
        """Run a unit, or take what it made before.

        What is new is verified, and so is the first that is encrypted in some way.
        """
        if unit.step in _STEPS:
            self._take_or_make(run, unit)
        elif unit.step != "verify":
            run_unit(run, unit)
        else:
            scheme = (unit.spec["encryption"] or {"scheme": "clear"})["scheme"]
            verified = self.folder / f"verified-{scheme}"
            if self.made or not verified.exists():
                run_unit(run, unit)
                verified.touch()

    def _take_or_make(self, run: LocalRun, unit: NewUnit) -> None:
        names = _identities(unit.spec)
        wanted = _renamed(json.dumps([unit.name, unit.spec]), names)
        kept = self.folder / hashlib.sha256(wanted.encode()).hexdigest()[:12]
        self.folder.mkdir(exist_ok=True)
        with alone(kept):
            if not kept.exists():
                self.made = True
                run_unit(run, unit)
                aside = kept.with_suffix(".new")
                _copied(run.folder(unit.name), aside, names)
                aside.rename(kept)
                return
        _copied(kept, run.folder(unit.name), {new: old for old, new in names.items()})
        run.specs[unit.name] = unit.spec
        report = (run.folder(unit.name) / _REPORT).read_text()
        run.results[unit.name] = json.loads(report)["result"]


def _identities(spec: Any) -> dict[str, str]:
    """Return the identities of tracks in a spec, which are drawn anew every time."""
    found: list[str] = []

    def look(value: Any) -> None:
        if isinstance(value, dict):
            if isinstance(value.get("id"), str):
                found.append(value["id"])
            value = list(value.values())
        for each in value if isinstance(value, list) else ():
            look(each)

    look(spec)
    return {each: f"track-{number}-" for number, each in enumerate(found)}


def _renamed(text: str, names: dict[str, str]) -> str:
    for old, new in names.items():
        text = text.replace(old, new)
    return text


def _copied(folder: Path, target: Path, names: dict[str, str]) -> None:
    target.mkdir(parents=True)
    for each in folder.iterdir():
        shutil.copyfile(each, target / _renamed(each.name, names))
    report = target / _REPORT
    report.write_text(_renamed(report.read_text(), names))
