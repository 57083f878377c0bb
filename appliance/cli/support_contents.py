"""What goes into a support bundle: this list, and nothing that is not on it."""

import json
import os
import platform
import sqlite3
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from appliance import __version__
from appliance import settings as configuration
from appliance.checks import examine
from appliance.checks.examined import Examined
from appliance.checks.overview import document
from appliance.cli import logs
from appliance.cli.log_lines import PARTS, Wanted
from appliance.clock import to_text
from appliance.media import units
from appliance.operations.redaction import HIDDEN, Redactor
from appliance.room import Room
from jobs.machines import nodes
from jobs.tools import versions
from nginx import PRIVATE

_DAYS = timedelta(days=2)
_LINES = 20_000
_SECONDS = 60
_UNITS = ("matinee*", "redis*", "nginx*", "ssh*", "*timesync*", "chrony*")
_STATE = (
    *("Id", "LoadState", "ActiveState", "SubState", "Result", "UnitFileState"),
    *("NRestarts", "ExecMainStatus", "ActiveEnterTimestamp", "MemoryCurrent"),
)


@dataclass(slots=True)
class Gathering:
    """What is gathered from, and what went wrong on the way."""

    examined: Examined
    redactor: Redactor
    warnings: list[str] = field(default_factory=list)

    def contents(self) -> Iterator[tuple[str, str]]:
        """Yield every file by its name; what failed stands in warnings.txt."""
        for name, write in CONTENTS.items():
            try:
                text = write(self)
            except Exception as error:  # noqa: BLE001 what failed is told, the rest goes on
                self.warnings.append(f"{name}: {self.redactor.text(str(error))}")
                continue
            yield name, text
        yield "warnings.txt", self.redactor.text("\n".join(self.warnings) + "\n")

    def as_json(self, value: Any) -> str:
        return json.dumps(self.redactor.document(value), indent=2, ensure_ascii=False)

    def said(self, *command: str) -> str:
        """Return what a program says; that there is none is what it says then."""
        path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
        try:
            done = subprocess.run(  # noqa: S603 a list of our own, never a shell
                command,
                env={"PATH": path, "LANG": "C.UTF-8"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            self.warnings.append(f"{command[0]}: {error}")
            return ""
        return self.redactor.text(done.stdout)


def _doctor(gathering: Gathering) -> str:
    found = list(examine(gathering.examined, full=True))
    return gathering.as_json(document(found))


def _versions(gathering: Gathering) -> str:
    release = gathering.examined.file("/etc/os-release")
    text = release.read_text(encoding="utf-8") if release.is_file() else ""
    return gathering.as_json(
        {
            "matinee": __version__,
            "system": text.splitlines(),
            "kernel": platform.release(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "tools": versions.installed(),
            "nginx": gathering.said("nginx", "-v").strip(),
        }
    )


def _units(gathering: Gathering) -> str:
    show = ("systemctl", "show", f"--property={','.join(_STATE)}", *_UNITS)
    listing = ("systemctl", "list-timers", "--all", "--no-pager", "matinee*")
    return f"{gathering.said(*show)}\n{gathering.said(*listing)}"


def _settings(gathering: Gathering) -> str:
    """Write the settings down, those that may hold a secret only as set or not."""
    settings = gathering.examined.settings
    told: dict[str, Any] = {"source": str(settings.source), "home": str(settings.home)}
    for each in configuration.documented():
        section, name = each.key.split(".")
        kept = getattr(settings, section)
        value = getattr(kept, name)
        secret = not kept.__dataclass_fields__[name].repr
        told[each.key] = HIDDEN if value and secret else value
    return gathering.as_json(told)


def _figures(gathering: Gathering) -> str:
    settings = gathering.examined.settings
    disks = {
        name: asdict(Room.of(folder))
        for name, folder in (("media", settings.media), ("home", settings.home))
        if folder.is_dir()
    }
    memory = gathering.examined.file("/proc/meminfo").read_text(encoding="utf-8")
    load = gathering.examined.file("/proc/loadavg").read_text(encoding="utf-8")
    with gathering.examined.db() as db:
        lines = [asdict(each) for each in units.lines(db)]
        rows = {
            table: db.value(f"select count(*) from {table}")
            for table in ("titles", "assets", "tracks", "accounts", "events")
        }
    return gathering.as_json(
        {
            "disks": disks,
            "memory": memory.splitlines(),
            "load": load.strip(),
            "queue": lines,
            "rows": rows,
        }
    )


def _nodes(gathering: Gathering) -> str:
    now = gathering.examined.now
    found = nodes.listing(gathering.examined.storage, now)
    told = [
        {
            "name": each.name,
            "state": each.state,
            "slots": {str(name): count for name, count in each.slots.items()},
            "refused": each.refused,
            "trouble": each.trouble,
            "degraded": list(each.degraded),
            "versions": dict(each.versions),
            "cores": each.cores,
            "load": each.load,
            "memory_free": each.memory_free,
            "scratch_free": each.scratch_free,
        }
        for each in found
    ]
    return gathering.as_json(told)


def _nginx(gathering: Gathering) -> str:
    """Write down what nginx was given, but for the files with secrets."""
    folder = Path(gathering.examined.settings.nginx.folder) / "current"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    texts = [
        f"# ==> {path.relative_to(folder)}\n{path.read_text(encoding='utf-8')}"
        for path in files
        if path.name not in PRIVATE
    ]
    return gathering.redactor.text("\n".join(texts))


def _log(part: str) -> Callable[[Gathering], str]:
    def write(gathering: Gathering) -> str:
        examined = gathering.examined
        wanted = Wanted(part, to_text(examined.clock.now() - _DAYS))
        folder = Path(examined.settings.nginx.log)
        lines = logs.merged(wanted, folder, journal=examined.is_appliance)
        kept = deque((str(each) for each in lines), maxlen=_LINES)
        return gathering.redactor.text("\n".join(kept) + "\n")

    return write


CONTENTS: Mapping[str, Callable[[Gathering], str]] = {
    "doctor.json": _doctor,
    "versions.json": _versions,
    "units.txt": _units,
    "settings.json": _settings,
    "figures.json": _figures,
    "nodes.json": _nodes,
    "nginx.txt": _nginx,
    **{f"logs/{part}.log": _log(part) for part in PARTS if part != "all"},
}
