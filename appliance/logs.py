"""Logs: a line each on standard error, as text for people or as JSON for programs.

What a line belongs to (the request, the job, the unit) comes from :mod:`.trail`. From
which level on is a setting, and can be another for a while without a restart: every
process of an installation looks for that wish, which runs out by itself.
"""

import json
import logging
import secrets
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from appliance import clock, trail
from appliance.clock import SystemClock
from appliance.settings import Settings

OURS = ("appliance", "jobs", "matinee", "nginx", "web")
"""The loggers that the level is for; of libraries only what went wrong is told."""

LEVELS = ("debug", "info", "warning")
_LOOK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Wish:
    """The level that somebody wants until a time (Unix)."""

    level: str
    until: float


def begin(settings: Settings) -> None:
    """Write the logs of this process as the settings say."""
    root = logging.getLogger()
    if not root.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(formatter(settings))
        root.addHandler(handler)
    _set_level(settings.monitoring.log_level)


def listen(settings: Settings) -> None:
    """Look now and then whether another level is wanted, from a thread."""

    def work() -> None:
        while True:
            follow(settings)
            time.sleep(_LOOK_SECONDS)

    threading.Thread(target=work, name="log-level", daemon=True).start()


def follow(settings: Settings) -> None:
    """Write from the level on that is wanted now."""
    wish = wished(settings)
    _set_level(wish.level if wish else settings.monitoring.log_level)


def formatter(settings: Settings) -> logging.Formatter:
    """Return what makes a line of a record."""
    return _Json() if settings.monitoring.log_format == "json" else _Text()


def wish(settings: Settings, level: str, seconds: float) -> Wish:
    """Let all processes write from a level on, for a while; for none: no longer."""
    made = Wish(level, time.time() + seconds)
    path = _path(settings)
    if seconds <= 0:
        path.unlink(missing_ok=True)
        return made
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        aside.write_text(json.dumps({"level": level, "until": made.until}))
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return made


def wished(settings: Settings) -> Wish | None:
    """Return the level that somebody wants now, if anybody does."""
    try:
        told = json.loads(_path(settings).read_bytes())
        found = Wish(str(told["level"]), float(told["until"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    usable = found.level in LEVELS and found.until > time.time()
    return found if usable else None


def _set_level(name: str) -> None:
    level = logging.getLevelNamesMapping()[name.upper()]
    for ours in OURS:
        logging.getLogger(ours).setLevel(level)


def _path(settings: Settings) -> Path:
    return settings.home / "state" / "log-level.json"


class _Text(logging.Formatter):
    """``INFO jobs.runner: what happened [job 12ab, unit encode-0001]``."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s%(trail)s")

    def format(self, record: logging.LogRecord) -> str:
        led = ", ".join(f"{name} {word}" for name, word in trail.words().items())
        record.trail = f" [{led}]" if led else ""
        return super().format(record)


class _Json(logging.Formatter):
    """One JSON document a line; an exception stands in ``error``, whole."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": clock.to_text(SystemClock().now()),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
            **trail.words(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
