"""Notes in the audit log when encoders fail anywhere, and when they work again.

Media workers say in their announcements what they leave alone; they never open the
database.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from appliance import events
from appliance.db import Database, write
from appliance.events import Event
from appliance.permissions import SYSTEM
from appliance.storage import Storage
from jobs.machines import nodes

# Far more than there are encoders to fail in a cluster.
_LOOKED_BACK = 500


@dataclass(slots=True)
class Degrading:
    """Compares what is announced with what was noted last; ``noted`` by machine."""

    noted: dict[tuple[str, str], str] | None = None

    def look(self, db: Database, storage: Storage, now: float) -> None:
        """Note what changed. Of a machine that is lost nothing is known."""
        living = [node for node in nodes.listing(storage, now) if node.alive]
        told = {
            (node.name, _what(sentence)): sentence
            for node in living
            for sentence in node.degraded
        }
        noted = _noted(db) if self.noted is None else self.noted
        names = {node.name for node in living}
        failed = {key: told[key] for key in told.keys() - noted.keys()}
        works = {key for key in noted.keys() - told.keys() if key[0] in names}
        if failed or works:
            _write(db, failed, works)
        self.noted = {key: noted[key] for key in noted.keys() - works} | told


def sentences(storage: Storage, now: float) -> list[str]:
    """Return what is degraded on any machine that lives, each with its machine.

    While the storage does not answer nothing is known.
    """
    try:
        living = [node for node in nodes.listing(storage, now) if node.alive]
    except OSError:
        return []
    # Several media workers of a machine say the same.
    found = (f"{node.name}: {each}" for node in living for each in node.degraded)
    return list(dict.fromkeys(found))


def _write(
    db: Database, failed: dict[tuple[str, str], str], works: Iterable[tuple[str, str]]
) -> None:
    with write(db):
        for (name, what), sentence in sorted(failed.items()):
            subject = f"node/{name}"
            events.record(
                db, SYSTEM, Event.ENCODER_DEGRADE, subject, what=what, why=sentence
            )
        for name, what in sorted(works):
            events.record(db, SYSTEM, Event.ENCODER_RECOVER, f"node/{name}", what=what)


def _noted(db: Database) -> dict[tuple[str, str], str]:
    """Read in the log what was noted last of each encoder."""
    both = [
        each
        for name in (Event.ENCODER_DEGRADE, Event.ENCODER_RECOVER)
        for each in events.before(db, name=name, limit=_LOOKED_BACK)
    ]
    found: dict[tuple[str, str], str] = {}
    for each in sorted(both, key=lambda event: event.id):
        key = (each.subject.removeprefix("node/"), str(each.data["what"]))
        if each.name == Event.ENCODER_DEGRADE:
            found[key] = str(each.data["why"])
        else:
            found.pop(key, None)
    return found


def _what(sentence: str) -> str:
    """Return which encoder a sentence speaks of: why it failed may change."""
    return sentence.partition(": ")[0]
