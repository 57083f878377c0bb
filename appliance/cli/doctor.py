"""``matinee doctor``: what is well here, what is not, and what to do about it.

Every check looks and changes nothing.
"""

import dataclasses
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import click

from appliance import migrations
from appliance.accounts import people
from appliance.cli.installation import Installation, pass_installation
from appliance.errors import MatineeError
from jobs import queue
from jobs.queue import QueueName

_LITTLE_ROOM = 10 * 10**9
_NO_ROOM = 10**9


class Level(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; ``fix`` says what to do about it."""

    id: str
    level: Level
    sentence: str
    fix: str = ""


@click.command()
@click.pass_context
@pass_installation
def doctor(installation: Installation, context: click.Context) -> None:
    """Check this installation; nothing is changed.

    Ends with 1 when a check failed; warnings do not count.
    """
    findings = list(examine(installation))
    failed = sum(each.level is Level.FAIL for each in findings)
    installation.out.result(
        {"ok": not failed, "checks": [dataclasses.asdict(each) for each in findings]},
        "\n".join(_lines(findings)),
    )
    context.exit(1 if failed else 0)


def examine(installation: Installation) -> Iterator[Finding]:
    """Run every check; one that breaks is a finding and stops no other."""
    for check_id, check in CHECKS.items():
        try:
            level, sentence, fix = check(installation)
        except MatineeError as error:
            level, sentence, fix = Level.FAIL, error.message, ""
        yield Finding(check_id, level, sentence, fix)


Answer = tuple[Level, str, str]


def _ok(sentence: str) -> Answer:
    return Level.OK, sentence, ""


def _database(installation: Installation) -> Answer:
    migrations.require_current(installation.settings.database)
    return _ok(f"{installation.settings.database} is current")


def _administrator(installation: Installation) -> Answer:
    with installation.db() as db:
        if people.any_administrator(db):
            return _ok("somebody can administer this installation")
    return Level.WARN, "there is no administrator", "matinee init"


def _writable(installation: Installation) -> Answer:
    folder = installation.settings.media
    if os.access(folder, os.W_OK | os.X_OK):
        return _ok(f"{folder} can be written")
    return (
        Level.FAIL,
        f"{folder} can't be written by this user",
        f"create it, or give it to this user: chown -R $USER {folder}",
    )


def _room(installation: Installation) -> Answer:
    folder = installation.settings.media
    if not folder.is_dir():
        return Level.FAIL, f"{folder} is missing", "matinee init"
    usage = shutil.disk_usage(folder)
    sentence = f"{folder} has {usage.free / 10**9:.1f} GB free"
    if usage.free < _NO_ROOM:
        return Level.FAIL, sentence, "remove titles, or move media to a larger disk"
    if usage.free < _LITTLE_ROOM:
        return Level.WARN, sentence, "plan for a larger disk"
    return _ok(sentence)


def _keys(installation: Installation) -> Answer:
    folder = installation.settings.keys
    open_files = [
        path.name for path in folder.glob("*.key") if path.stat().st_mode & 0o077
    ]
    if open_files:
        return (
            Level.FAIL,
            f"others may read {', '.join(open_files)} in {folder}",
            f"chmod 600 {folder}/*.key",
        )
    return _ok("only this user may read the keys")


def _ffmpeg(_installation: Installation) -> Answer:
    missing = [name for name in ("ffmpeg", "ffprobe") if shutil.which(name) is None]
    if missing:
        return (
            Level.FAIL,
            f"{' and '.join(missing)} can't be found",
            "apt-get install ffmpeg",
        )
    return _ok(f"ffmpeg is {shutil.which('ffmpeg')}")


def _queue(installation: Installation) -> Answer:
    settings = installation.settings
    # Asking for a queue that is not there would make it.
    if settings.queue.kind == "sqlite" and not (settings.home / "queue").is_dir():
        return Level.WARN, "nothing has been queued here yet", "matinee serve"
    waiting = queue.line(settings, QueueName.CONTROL).waiting()
    return _ok(f"the queue answers; {waiting} hints wait")


def _doors(installation: Installation) -> Answer:
    web = installation.settings.web
    if web.host in ("127.0.0.1", "::1", "localhost") or web.secure_cookies:
        return _ok(f"the web server listens on {web.host}:{web.port}")
    return (
        Level.WARN,
        f"the web server listens on {web.host}:{web.port}, and cookies travel"
        " without TLS",
        "put a proxy with TLS in front and set web.secure_cookies = true",
    )


CHECKS: dict[str, Callable[[Installation], Answer]] = {
    "database.current": _database,
    "accounts.administrator": _administrator,
    "storage.writable": _writable,
    "storage.room": _room,
    "keys.private": _keys,
    "tools.ffmpeg": _ffmpeg,
    "queue.reachable": _queue,
    "web.doors": _doors,
}


def _lines(findings: list[Finding]) -> Iterator[str]:
    width = max(len(each.id) for each in findings)
    for each in findings:
        yield f"{each.level.upper():<4}  {each.id:<{width}}  {each.sentence}"
        if each.fix:
            yield f"      fix: {each.fix}"
    counts = [
        f"{sum(each.level is level for each in findings)} {word}"
        for level, word in _WORDS.items()
    ]
    yield f"{len(findings)} checks: {', '.join(counts)}"


_WORDS = {Level.OK: "ok", Level.WARN: "warnings", Level.FAIL: "failures"}
