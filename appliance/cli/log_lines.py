"""Lines of logs, from journald and from nginx's files, as values that can be sifted."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from appliance.clock import from_text, to_text
from appliance.errors import PreconditionFailed

LEVELS = ("debug", "info", "warning", "error")
PARTS: Mapping[str, tuple[str, ...]] = {
    "web": ("matinee-web",),
    "control": ("matinee-control",),
    "media": ("matinee-media", "matinee-gpu"),
    "nginx": ("matinee-nginx",),
    "all": ("matinee-*",),
}
"""The parts of an installation, with the units whose words they are."""

_PRIORITIES = ("error", "error", "error", "error", "warning", "info", "info", "debug")
_OURS = re.compile(
    r"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL) \S+: .*?"
    r"(?: \[(?P<trail>[^\]]*)\])?$",
    re.DOTALL,
)
_NGINX = re.compile(
    r"(?P<at>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(?P<level>\w+)\] (?P<text>.*)"
)
_NGINX_LEVELS = {"warn": "warning", "notice": "info", "info": "info", "debug": "debug"}
_REQUEST = re.compile(r"\brequest ([0-9a-f]{32})\b")


@dataclass(frozen=True, slots=True)
class Line:
    """One line; ``at`` is UTC text, ``request`` the id of what it belongs to."""

    at: str
    part: str
    level: str
    text: str
    request: str = ""

    def __str__(self) -> str:
        return f"{self.at[:19]}Z {self.part:<16} {self.level:<7} {self.text}"

    def as_document(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines: of which part, since when (UTC text), from which level on."""

    part: str = "all"
    since: str = ""
    level: str = "debug"
    request: str = ""

    def takes(self, line: Line) -> bool:
        return (
            line.at >= self.since
            and LEVELS.index(line.level) >= LEVELS.index(self.level)
            and self.request in ("", line.request)
        )


def of_journal(text: str) -> Line | None:
    """Return the line of a record as ``journalctl --output=json`` prints it."""
    try:
        record = json.loads(text)
        at = datetime.fromtimestamp(int(record["__REALTIME_TIMESTAMP"]) / 1e6, UTC)
    except (ValueError, KeyError, TypeError):
        return None
    said = record.get("MESSAGE") or ""
    if isinstance(said, list):  # bytes that are no text
        said = bytes(said).decode("utf-8", "replace")
    part = str(record.get("SYSLOG_IDENTIFIER") or record.get("_SYSTEMD_UNIT") or "?")
    usual = _PRIORITIES[min(int(record.get("PRIORITY", 6)), 7)]
    return _said(to_text(at), part, str(said), usual)


def of_file(name: str, text: str) -> Line | None:
    """Return the line of a file of nginx: its own words, or a request as JSON."""
    if found := _NGINX.match(text):
        local = datetime.strptime(found["at"], "%Y/%m/%d %H:%M:%S").astimezone(UTC)
        level = _NGINX_LEVELS.get(found["level"], "error")
        return Line(to_text(local), name, level, found["text"])
    try:
        told = json.loads(text)
        at = to_text(datetime.fromisoformat(told["at"]))
    except (ValueError, KeyError, TypeError):
        return None
    status = int(told.get("status") or 0)
    level = "error" if status >= 500 else "warning" if status >= 400 else "info"
    request = str(told.get("request_id") or told.get("request") or "")
    words = " ".join(f"{key}={value}" for key, value in told.items() if key != "at")
    return Line(at, name, level, words, request)


def _said(at: str, part: str, text: str, level: str) -> Line:
    if text.startswith("{"):
        with suppress(ValueError):
            told = json.loads(text)
            if isinstance(told, dict) and "message" in told:
                return _document(at, part, told, level)
    if found := _OURS.match(text):
        request = _REQUEST.search(found["trail"] or "")
        return Line(
            at, part, _level(found["level"], level), text, request[1] if request else ""
        )
    return Line(at, part, level, text)


def _document(at: str, part: str, told: dict[str, Any], level: str) -> Line:
    rest = {
        key: value
        for key, value in told.items()
        if key not in ("at", "level", "logger", "message", "process")
    }
    more = "".join(f" {key}={value}" for key, value in rest.items())
    text = f"{told.get('logger', '')}: {told['message']}{more}"
    request = str(told.get("request", ""))
    return Line(at, part, _level(str(told.get("level", "")), level), text, request)


def _level(name: str, usual: str) -> str:
    lower = "error" if name.lower() == "critical" else name.lower()
    return lower if lower in LEVELS else usual


def files_of(part: str, folder: Path) -> list[Path]:
    """Return nginx's log files, the last turned one of each first."""
    if part not in ("nginx", "all"):
        return []
    found = sorted(folder.glob("*.log"))
    return [
        each
        for path in found
        for each in (path.with_name(f"{path.name}.1"), path)
        if each.is_file()
    ]


def journal_command(wanted: Wanted, *more: str) -> list[str]:
    """Return the command that prints what units have said."""
    units = [f"--unit={unit}" for unit in PARTS[wanted.part]]
    since = (
        [f"--since=@{from_text(wanted.since).timestamp():.0f}"] if wanted.since else []
    )
    return [
        "journalctl",
        "--output=json",
        "--no-pager",
        "--quiet",
        *units,
        *since,
        *more,
    ]


def from_journal(wanted: Wanted) -> Iterator[Line]:
    """Yield what journald has. Errors: ``PreconditionFailed``."""
    with running(journal_command(wanted)) as process:
        assert process.stdout is not None
        for text in process.stdout:
            line = of_journal(text)
            if line is not None and wanted.takes(line):
                yield line


def running(command: Sequence[str]) -> "subprocess.Popen[str]":
    """Start a program whose words are read. Errors: ``PreconditionFailed``."""
    try:
        return subprocess.Popen(  # noqa: S603 a list of our own, never a shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
        )
    except FileNotFoundError as error:
        raise PreconditionFailed(
            "logs.journal", f"{command[0]} is not on this machine."
        ) from error


def from_files(wanted: Wanted, folder: Path) -> Iterator[Line]:
    """Yield what nginx has written. Errors: ``PreconditionFailed``."""
    for path in files_of(wanted.part, folder):
        name = f"nginx/{path.name.partition('.log')[0]}"
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                for text in file:
                    line = of_file(name, text.rstrip("\n"))
                    if line is not None and wanted.takes(line):
                        yield line
        except OSError as error:
            raise PreconditionFailed(
                "logs.file",
                f"{path} can't be read: {error.strerror}. Say it with sudo.",
            ) from error
