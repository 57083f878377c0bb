"""Checks of disks: how full they are, who may write, and object storage."""

import os
import tempfile
from pathlib import Path

from appliance.checks.check import Answer, Check, Checks, ok
from appliance.checks.examined import Examined, met
from appliance.objects import ObjectStore
from appliance.operations.findings import Level
from appliance.room import Pressure, Room

_TEMPORARY = 500 * 1024**2
_NAMED = 5
_AN_HOUR = 3600
_LEVELS = {Pressure.OK: Level.OK, Pressure.WARN: Level.WARN}
_FOLLOWS = {
    Pressure.OK: "",
    Pressure.WARN: "",
    Pressure.PAUSE: ": no work on films is begun",
    Pressure.REFUSE: ": no film is taken, and no work is begun",
}


def _media(examined: Examined) -> Answer:
    folder = examined.settings.media
    if not folder.is_dir():
        return Level.FAIL, f"{folder} is missing", "matinee init"
    fix = "remove titles or old sources (matinee storage), or add a larger disk"
    return _room(examined, folder, fix)


def _home(examined: Examined) -> Answer:
    folder = examined.settings.home
    if not folder.is_dir():
        return Level.FAIL, f"{folder} is missing", "matinee init"
    return _room(examined, folder, "remove old backups, or move them (backup.place)")


def _room(examined: Examined, folder: Path, fix: str) -> Answer:
    room = Room.of(folder)
    pressure = room.pressure(examined.settings.disk)
    level = _LEVELS.get(pressure, Level.FAIL)
    sentence = (
        f"{folder} has {room.free / 10**9:.1f} GB free, {room.percent:.0f} %"
        f"{_FOLLOWS[pressure]}"
    )
    return level, sentence, "" if level is Level.OK else fix


def _temporary(_examined: Examined) -> Answer:
    folder = Path(tempfile.gettempdir())
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"matinee")
    except OSError as error:
        told = error.strerror or error
        return Level.FAIL, f"{folder} takes no files: {told}", f"see to {folder}"
    free = Room.of(folder).free
    sentence = f"{folder} has {free / 10**9:.1f} GB free"
    if free < _TEMPORARY:
        return Level.WARN, sentence, f"remove what nobody needs from {folder}"
    return ok(sentence)


def _writable(examined: Examined) -> Answer:
    folder = examined.settings.media
    if os.access(folder, os.W_OK | os.X_OK):
        return ok(f"{folder} can be written")
    return (
        Level.FAIL,
        f"{folder} can't be written by this user",
        f"create it, or give it to this user: chown -R $USER {folder}",
    )


def _owner(examined: Examined) -> Answer:
    """Look for what root made where the services must write."""
    home = examined.settings.home
    if not home.is_dir():
        return Level.FAIL, f"{home} is missing", "matinee init"
    owner = home.stat().st_uid
    folders = [home, examined.settings.keys, home / "queue", home / "state"]
    foreign = sorted(
        str(path)
        for folder in folders
        if folder.is_dir()
        for path, held in met(folder.iterdir())
        if held.st_uid != owner
    )
    if not foreign:
        return ok(f"everything in {home} belongs to whom it should")
    named = " ".join(foreign[:_NAMED])
    return (
        Level.FAIL,
        f"{len(foreign)} files belong to somebody else than {home}: {named}",
        f"chown --reference={home} {named}",
    )


def _orphans(examined: Examined) -> Answer:
    """Look for folders of films that no row knows any more."""
    with examined.db() as db:
        known = {row["public_id"] for row in db.rows("select public_id from assets")}
    folders = [examined.settings.media / name for name in ("packages", "sources")]
    lost = sorted(
        str(path)
        for folder in folders
        if folder.is_dir()
        for path, held in met(folder.iterdir())
        # What is young somebody may just be making.
        if path.name not in known and examined.now - held.st_mtime > _AN_HOUR
    )
    if not lost:
        return ok("every folder of films belongs to a title")
    named = " ".join(lost[:_NAMED])
    return (
        Level.WARN,
        f"{len(lost)} folders of films belong to no title: {named}",
        "look at them, and remove them; they are of a database that was lost",
    )


def _objects(examined: Examined) -> Answer:
    if not examined.settings.objects.bucket:
        return ok("no object storage is set up")
    objects = ObjectStore(examined.settings)
    objects.check()
    return ok(f"{objects.name} answers")


CHECKS: Checks = {
    "disk.media": Check(_media),
    "disk.db": Check(_home),
    "disk.tmp": Check(_temporary),
    "storage.writable": Check(_writable),
    "storage.objects": Check(_objects, seconds=30),
    "storage.owner": Check(_owner),
    "storage.orphans": Check(_orphans, slow=True, seconds=120),
}
