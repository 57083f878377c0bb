"""What becomes of what a graphics processor was to encode and can't.

Where another machine has one of the same family only the chunk goes there: all chunks
of a codec of a film are encoded by one family, or they could not be joined. Else the
whole group starts again, what was finished included, with the family that another
machine offers, and on the processor where none does.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from appliance.db import Database
from appliance.media import transitions, units
from appliance.media.units import Unit
from appliance.storage import Storage
from jobs import attempts
from jobs.attempts import Attempt
from jobs.machines import nodes
from jobs.machines.nodes import Node
from jobs.queue import QueueName
from jobs.tools import encoders
from jobs.tools.encoders import SHOWN, Codec, Family

# A media worker that starts anew is back sooner.
_PATIENCE_SECONDS = 45.0
_LONGEST_WHY = 300
_NOBODY = "No machine offers the graphics processor that was to do it."

# What is to encode, and the machines that have tried in vain.
Wanted = tuple[Codec, Family, frozenset[str]]

logger = logging.getLogger(__name__)


def let_another(
    db: Database, storage: Storage, unit: Unit, why: str = "", node: str = ""
) -> None:
    """Let another machine encode a unit that ``node`` could not, for it said ``why``.

    Being killed in the middle and doing it again changes nothing: the rows change
    last, in one transaction.
    """
    found = nodes.listing(storage, db.clock.now().timestamp())
    _move(db, storage, unit, {node: why[:_LONGEST_WHY]}, found)


@dataclass(slots=True)
class Stranded:
    """Finds units that wait for a graphics processor which nobody has any more."""

    since: dict[Wanted, float] = field(default_factory=dict)

    def look(self, db: Database, storage: Storage, now: float) -> set[str]:
        """Let another kind of encoder do what nobody offered to do for a while.

        ``now`` is Unix time. Return the public ids of the jobs concerned.
        """
        waiting = units.waiting_for(db, QueueName.GPU)
        found = nodes.listing(storage, now) if waiting else []
        missing = {
            wanted
            for wanted in map(_wanted, waiting)
            if not any(_offers(node, *wanted) for node in found)
        }
        self.since = {each: self.since.get(each, now) for each in missing}
        long = {
            each
            for each, since in self.since.items()
            if now - since >= _PATIENCE_SECONDS
        }
        return self._moved(db, storage, waiting, long, found)

    def _moved(
        self,
        db: Database,
        storage: Storage,
        waiting: Sequence[Unit],
        long: set[Wanted],
        found: Sequence[Node],
    ) -> set[str]:
        done: set[tuple[str, Codec]] = set()
        for unit in waiting:
            group = (unit.job, _codec(unit))
            if _wanted(unit) in long and group not in done:
                _move(db, storage, unit, {"": _NOBODY}, found)
                done.add(group)
        return {job for job, _ in done}


def _move(
    db: Database,
    storage: Storage,
    unit: Unit,
    failed: Mapping[str, str],
    found: Iterable[Node],
) -> None:
    """Move a unit, or with another family its group; ``failed`` says who can't do it,
    and why."""
    tried = {**_tried(unit), **failed}
    offered = {
        each.family
        for node in found
        for each in node.encoders
        if _offers(node, _codec(unit), each.family, frozenset(tried))
    }
    family = _family(unit)
    if family in offered:
        told = {unit.name: _told(unit, family, tried)}
        transitions.elsewhere(db, unit.job_id, told, QueueName.GPU)
        logger.warning("%s of job %s goes to another machine", unit.name, unit.job)
        return
    family = encoders.best(offered)
    group = _group(db, unit)
    for each in group:
        storage.remove(attempts.done_place(unit.job, each.name))
        if each.attempt_key:
            Attempt(storage, unit.job, each.attempt_key).throw_away()
    line = QueueName.CPU if family is Family.SOFTWARE else QueueName.GPU
    told = {each.name: _told(each, family, tried) for each in group}
    transitions.elsewhere(db, unit.job_id, told, line)
    logger.warning("%s of job %s goes to %s", _codec(unit), unit.job, SHOWN[family])


def _offers(node: Node, codec: Codec, family: Family, but: frozenset[str]) -> bool:
    return node.takes and node.name not in but and node.offers(codec, family)


def _group(db: Database, unit: Unit) -> list[Unit]:
    """Return the units that encode the same codec of the same film."""
    return [
        each
        for each in units.of_step(db, unit.job_id, unit.step)
        if _codec(each) == _codec(unit)
    ]


def _told(unit: Unit, family: Family, tried: Mapping[str, str]) -> dict[str, Any]:
    encoder = unit.spec.get("encoder", {})
    meant = Family(encoder.get("instead_of") or _family(unit))
    told = {**encoder, "family": str(family), "tried": dict(tried)}
    if family is not meant:
        told["instead_of"] = str(meant)
        told["fallback"] = _sentence(_codec(unit), family, meant, tried)
    return unit.spec | {"encoder": told}


def _sentence(
    codec: Codec, family: Family, meant: Family, tried: Mapping[str, str]
) -> str:
    reasons = [f"{node}: {why}" if node else why for node, why in tried.items() if why]
    by = SHOWN[family][:1].upper() + SHOWN[family][1:]
    head = f"{by} encodes {SHOWN[codec]} in place of {SHOWN[meant]}."
    return " ".join([head, *reasons])


def _wanted(unit: Unit) -> Wanted:
    return _codec(unit), _family(unit), frozenset(_tried(unit))


def _tried(unit: Unit) -> dict[str, str]:
    """Return the machines that could not do it, each with why."""
    return dict(unit.spec.get("encoder", {}).get("tried", {}))


def _family(unit: Unit) -> Family:
    return Family(unit.spec.get("encoder", {}).get("family", Family.SOFTWARE))


def _codec(unit: Unit) -> Codec:
    return Codec(unit.spec.get("encoder", {}).get("codec", Codec.H264))
