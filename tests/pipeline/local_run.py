"""The whole pipeline in one process, without queue or database."""

import json
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.settings import Settings
from appliance.storage import Storage
from jobs.making.encryption import Encryption, sealed
from jobs.planning import plan
from jobs.planning.source import Source, from_facts
from jobs.steps import STEPS
from jobs.work import Work

JOB = "job"


@dataclass(frozen=True, slots=True)
class _Film:
    source_path: str


@dataclass(frozen=True, slots=True)
class LocalRun:
    """What the units left: their results by name, their files under ``storage``."""

    storage: Storage
    keys: Path
    specs: dict[str, dict[str, Any]] = field(default_factory=dict)
    results: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def source(self) -> Source:
        return from_facts(self.results["inspect"])

    @property
    def tracks(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.results["package"]["tracks"]
        return entries

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [track for track in self.tracks if track["kind"] == kind]

    def folder(self, unit: str) -> Path:
        return self.storage.path(f"work/{JOB}/done/{unit}")

    def track_folder(self, track: dict[str, Any]) -> Path:
        unit = "thumbnails" if track["kind"] == "thumbnails" else "package"
        return self.folder(unit) / str(track["folder"])

    def whole(self, track: dict[str, Any], target: Path) -> Path:
        """Write init and segments of a track into one file, as a player gets them."""
        folder = self.track_folder(track)
        with target.open("wb") as file:
            for part in [folder / "init.mp4", *sorted(folder.glob("*.m4s"))]:
                file.write(part.read_bytes())
        return target


def run_pipeline(
    source: Path,
    root: Path,
    settings: Settings,
    *,
    until: str = "",
    before: Callable[[plan.NewUnit], None] = lambda unit: None,
    encrypt: Callable[[dict[str, Any]], Encryption | None] = lambda facts: None,
    run_one: Callable[[LocalRun, plan.NewUnit], None] | None = None,
) -> LocalRun:
    """Run inspect, plan and every unit in order; stop after the unit ``until``.

    The source is linked into the storage, not copied. ``before`` sees every unit;
    ``encrypt`` gets the facts of the source and says with which keys. ``run_one`` runs
    a unit in another way than ``run_unit``.
    """
    run_one = run_one or run_unit
    storage = Storage(root)
    path = f"sources/film/source{source.suffix}"
    target = storage.path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    _link(source, target)
    run = LocalRun(storage, settings.keys)
    film = _Film(path)
    for unit in plan.first(film):
        before(unit)
        run_one(run, unit)
    if until == "inspect":
        return run
    facts = json.loads(json.dumps(run.results["inspect"]))
    keys = encrypt(facts)
    spec = sealed(keys, run.keys, JOB) if keys else None
    for unit in plan.after_inspect(film, facts, settings, spec):
        before(unit)
        run_one(run, unit)
        if unit.name == until:
            break
    return run


def run_unit(run: LocalRun, unit: plan.NewUnit) -> None:
    """Run one unit the way in which a worker does, and accept its attempt."""
    assert all(need in run.results for need in unit.needs)
    folder = run.storage.path(f"work/{JOB}/attempts/{unit.name}")
    folder.mkdir(parents=True)
    spec = run.specs[unit.name] = json.loads(json.dumps(unit.spec))
    result = STEPS[unit.step](spec, Work(folder, run.storage, JOB, run.keys))
    report = {"ok": True, "result": result}
    (folder / "result.json").write_text(json.dumps(report))
    run.storage.commit(
        f"work/{JOB}/attempts/{unit.name}", f"work/{JOB}/done/{unit.name}"
    )
    run.results[unit.name] = json.loads(json.dumps(result))


def work_after(run: LocalRun) -> Work:
    """Return work in a fresh scratch that finds what the run left."""
    folder = run.storage.path(f"work/{JOB}/attempts/again-{secrets.token_hex(4)}")
    folder.mkdir(parents=True)
    return Work(folder, run.storage, JOB, run.keys)


def _link(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:  # another disk
        shutil.copyfile(source, target)
