"""Copies of the database all the time, and a standby that goes on from the last one."""

import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from appliance import in_use, supervision
from appliance.errors import (
    ConfigError,
    Conflict,
    MatineeError,
    NotFound,
    PreconditionFailed,
)
from appliance.operations.backups import (
    generations,
    making,
    restoring,
    snapshots,
    working,
)
from appliance.operations.backups.generations import (
    BucketNotes,
    FolderNotes,
    Generation,
    Notes,
)
from appliance.operations.backups.restoring import Taken
from appliance.permissions import Action, Actor, check
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import backing_up
from jobs.tools import litestream
from jobs.tools.litestream import Replica
from jobs.tools.process import Cancelled

_BEAT_SECONDS = 3.0
_LOCAL = "-litestream"
SILENT_SECONDS = 12.0
"""How long nobody may have copied before a standby takes over."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Copies:
    """Where the copies lie, and what lies beside them."""

    settings: Settings
    name: str
    notes: Notes

    def replica(self, generation: Generation) -> Replica:
        """Return what Litestream is told of a generation."""
        where = self.settings.backup.copies
        if not where.startswith("s3:"):
            path = str(Path(where, generation.folder))
            return Replica({"type": "file", "path": path})
        bucket = backing_up.bucket(self.settings, where.removeprefix("s3:"))
        used = bucket.objects
        fields = {
            "type": "s3",
            "bucket": used.bucket,
            "path": f"{used.prefix.strip('/')}/{generation.folder}".lstrip("/"),
            "region": used.region,
            "force-path-style": used.path_style,
        }
        if used.endpoint:
            fields["endpoint"] = used.endpoint
        secrets = bucket.secrets
        environ = backing_up.ways_out(self.settings, used.endpoint) | {
            "LITESTREAM_ACCESS_KEY_ID": secrets["access_key"],
            "LITESTREAM_SECRET_ACCESS_KEY": secrets["secret_key"],
        }
        # A proxy may be named with a password.
        hidden = ("LITESTREAM_ACCESS_KEY_ID", "LITESTREAM_SECRET_ACCESS_KEY")
        told = [environ[name] for name in (*hidden, "HTTPS_PROXY", "HTTP_PROXY")]
        return Replica(fields, environ, told)


def copies(settings: Settings) -> Copies:
    """Return where the copies lie. Errors: ``ConfigError`` where none are made."""
    where = settings.backup.copies
    if not where:
        raise ConfigError(
            "copies.unset",
            "No copies are made: set backup.copies to a folder of another machine, or"
            " s3:BUCKET/FOLDER.",
        )
    if where.startswith("s3:"):
        store = backing_up.bucket(settings, where.removeprefix("s3:")).store()
        return Copies(settings, store.name, BucketNotes(store))
    return Copies(settings, where, FolderNotes(Path(where)))


def run(settings: Settings, stop: threading.Event) -> None:
    """Copy the database until told to stop.

    Errors: ``Conflict`` copies.fenced when another machine has taken over, ``Locked``
    while a restore is under way, ``ProcessFailed``.
    """
    found = copies(settings)
    with in_use.joined(settings.home):
        mine = _begun(found)
        fenced = threading.Event()
        with _beating(found.notes, mine, stop, fenced):
            told = settings.home / "state" / "litestream.json"
            # Only now may the portal begin here: nobody has taken over.
            supervision.ready()
            logger.info("copying to %s, %s", found.name, mine.folder)
            with suppress(Cancelled):
                litestream.replicate(
                    settings.database,
                    found.replica(mine),
                    told,
                    lambda: stop.is_set() or fenced.is_set(),
                )
        if fenced.is_set():
            raise _fenced(settings)


def take_over(
    settings: Settings,
    storage: Storage,
    actor: Actor,
    *,
    force: bool = False,
    tell: Callable[[str], object] = lambda _: None,
) -> Taken:
    """Go on here from the newest copy, where nothing runs yet.

    ``force`` skips waiting for a sign of life of the machine that copies.
    Errors: ``Conflict`` standby.alive, ``PreconditionFailed`` standby.not-ready,
    ``NotFound`` without a copy, ``Locked`` while something runs here.
    """
    check(actor, Action.SYSTEM_MANAGE)
    found = copies(settings)
    with in_use.alone(settings.home), working.only_one(settings):
        last = _ours(settings, generations.current(found.notes))
        if not force:
            tell("Looking for signs of life of the other machine")
            _require_silence(found.notes)
        with working.workshop(settings, "standby") as work:
            tell("Bringing the newest copy")
            copy = work / "matinee.db"
            _bring(found, last, copy, work)
            snapshots.require_whole(copy)
            # From here on the other one is not to go on, should it come back, and no
            # backup is brought here any more.
            (settings.home / "state" / in_use.STANDBY).unlink(missing_ok=True)
            generations.begin(found.notes, last.installation)
            return restoring.take_in(settings, storage, actor, copy, tell=tell)


def stand_by(settings: Settings, backup: str) -> bool:
    """Note that this machine waits, with what a backup held; say whether it is new.

    Until it takes over, the timer of the standby brings newer ones.
    """
    mark = settings.home / "state" / in_use.STANDBY
    if mark.is_file() and mark.read_text(encoding="utf-8") == backup:
        return False
    mark.write_text(backup, encoding="utf-8")
    return True


def _begun(found: Copies) -> Generation:
    """Go on with our own generation, or begin one when what it copied is not there."""
    settings = found.settings
    mark = settings.home / "state" / "copies"
    last = generations.current(found.notes)
    known = mark.read_text(encoding="ascii") if mark.is_file() else ""
    if last is not None and last.holder == known and _local(settings).is_dir():
        return last
    if last is not None and known and last.holder != known and not _taken(settings):
        raise _fenced(settings)
    mine = generations.begin(found.notes, making.identity(settings))
    snapshots.forget_copies(settings.database)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(mine.holder, encoding="ascii")
    return mine


def _taken(settings: Settings) -> bool:
    """Say whether the database here is another one since it was copied last.

    Then this machine has taken over, or was restored, and goes on rightly.
    """
    return not _local(settings).is_dir()


def _local(settings: Settings) -> Path:
    """Return where Litestream remembers what it has copied of the database."""
    name = settings.database.name
    return settings.database.with_name(f".{name}{_LOCAL}")


@contextmanager
def _beating(
    notes: Notes, mine: Generation, stop: threading.Event, fenced: threading.Event
) -> Iterator[None]:
    """Leave signs of life, and set ``fenced`` when another machine has taken over."""
    done = threading.Event()

    def beat() -> None:
        while not (done.is_set() or stop.is_set()):
            try:
                if not generations.beat(notes, mine):
                    fenced.set()
                    return
            except (MatineeError, OSError) as error:
                logger.warning("no sign of life was left: %s", error)
            done.wait(_BEAT_SECONDS)

    thread = threading.Thread(target=beat, name="copies-beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(_BEAT_SECONDS)


def _ours(settings: Settings, last: Generation | None) -> Generation:
    if last is None:
        raise NotFound("copies.none", "There is no copy there yet.")
    if last.installation != making.identity(settings):
        raise PreconditionFailed(
            "standby.not-ready",
            "This machine has not the keys of the installation that is copied there:"
            " say `matinee backup standby --refresh` first, which brings them from the"
            " last backup.",
        )
    return last


def _require_silence(notes: Notes) -> None:
    """Refuse while somebody copies. Clocks of machines differ: only change counts."""
    before = notes.read(generations.ALIVE)
    until = time.monotonic() + SILENT_SECONDS
    while before and time.monotonic() < until:
        time.sleep(_BEAT_SECONDS / 3)
        if notes.read(generations.ALIVE) != before:
            raise Conflict(
                "standby.alive",
                "The other machine is alive and copies its database: stop it first."
                " Two that go on at once lose what one of them writes.",
            )


def _bring(found: Copies, last: Generation, target: Path, work: Path) -> None:
    """Bring the newest copy there is; the last generation may be only just begun."""
    told = work / "litestream.json"
    for number in range(last.number, max(0, last.number - generations.KEPT), -1):
        each = dataclasses.replace(last, number=number)
        try:
            litestream.restore(
                found.settings.database, found.replica(each), told, target
            )
        except NotFound:
            continue
        return
    raise NotFound("copies.none", f"There is no copy in {found.name} yet.")


def _fenced(settings: Settings) -> Conflict:
    """Let nothing begin here any more, and return the error that says why."""
    mark = settings.home / "state" / in_use.FENCED
    mark.write_text("Another machine has taken over.\n", encoding="ascii")
    return Conflict(
        "copies.fenced",
        "Another machine has taken over, and copies its database there now. Stop"
        " Matinee here: what is written here is lost. To make this machine the standby,"
        " say `matinee backup standby --refresh`.",
    )
