"""Whether some machine can do what waits, and what to do where none can.

A unit may wait for hands that do not exist: for a graphics processor :class:`Stranded
<jobs.encoders.fallback.Stranded>` finds a way; the rest needs somebody.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from appliance.db import Database
from appliance.errors import MatineeError
from appliance.media import reports, units
from appliance.media.units import Unit
from appliance.settings import Settings
from appliance.storage import Storage
from jobs.attempts import Spec
from jobs.exchange import inputs
from jobs.machines import nodes
from jobs.machines.nodes import Node
from jobs.making import encryption
from jobs.queue import QueueName


@dataclass(frozen=True, slots=True)
class Lack:
    """What no machine at work can do, and what to do about it."""

    sentence: str
    fix: str


_NOBODY = Lack(
    "No media worker is at work: films wait.",
    "Start `matinee serve`, or `matinee worker --media`.",
)
_CLOSED = Lack(
    "Every media worker is draining, refused or in trouble: films wait.",
    "See `matinee node list`, or Machines in the Studio.",
)
_ROLE = (
    "No machine at work has the role cpu, which “{step}” needs.",
    "Add cpu to queue.roles of a machine and start its media worker anew.",
)
_SPEECH = (
    "No machine at work recognises speech.",
    "Give one the model that speech.model names, and speech in queue.roles.",
)
_FOLDER = (
    "“{step}” reads films that lie in the storage, and only machines without its folder"
    " are at work.",
    "Start `matinee worker --media` on the control machine, with queue.exchange ="
    " folder.",
)
_KEY = (
    "“{step}” needs the keys of a protected film, and no machine at work has the worker"
    " key.",
    "Copy worker.key from the folder of keys of the control machine to that of a media"
    " worker, with mode 0600; or start a media worker on the control machine.",
)


def hindrances(
    db: Database, storage: Storage, settings: Settings, job: str = ""
) -> list[Lack]:
    """Return why work on films waits, all of it or that of one job: room, and hands."""
    return [*_without_room(db, storage, settings, job), *lacks(db, storage, job)]


def _without_room(
    db: Database, storage: Storage, settings: Settings, job: str
) -> Iterator[Lack]:
    if job and not units.unbegun(db, job):
        return
    try:
        sentence = storage.room().said(settings.disk)
    except (MatineeError, OSError):
        return
    if sentence:
        yield Lack(sentence, "Remove titles, empty the trash, or add a larger disk.")


def lacks(db: Database, storage: Storage, job: str = "") -> list[Lack]:
    """Return what of the jobs that are open, or of one, nobody can do now.

    While the storage does not answer nothing is known.
    """
    waiting = units.unbegun(db, job)
    if not waiting:
        return []
    try:
        found = nodes.listing(storage, db.clock.now().timestamp())
    except OSError:
        return []
    return list(dict.fromkeys(_lacks(waiting, found)))


def _lacks(waiting: Sequence[Unit], found: Sequence[Node]) -> Iterator[Lack]:
    living = [node for node in found if node.alive]
    ready = [node for node in living if node.takes]
    if not ready:
        yield _CLOSED if living else _NOBODY
        return
    for unit in waiting:
        lack = _lack(unit, ready)
        if lack is not None:
            sentence, fix = lack
            label = reports.LABELS.get(unit.step, unit.step.capitalize())
            yield Lack(sentence.format(step=label), fix)


def _lack(unit: Unit, ready: Sequence[Node]) -> tuple[str, str] | None:
    name = QueueName(unit.queue)
    if name is QueueName.GPU:
        return None
    handy = [node for node in ready if node.slots.get(name, 0)]
    if not handy:
        return _SPEECH if name is QueueName.SPEECH else _ROLE
    if not inputs.portable(_spec(unit)):
        handy = [node for node in handy if not node.far]
        if not handy:
            return _FOLDER
    if encryption.in_spec(unit.spec) and not any(node.unseals for node in handy):
        return _KEY
    return None


def _spec(unit: Unit) -> Spec:
    return Spec(unit.job, unit.name, unit.step, "", unit.spec, unit.needs, unit.queue)
