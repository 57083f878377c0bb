"""Who gets an attempt: the far media workers' hands, and what may be put into them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from appliance.clock import SystemClock, to_text
from appliance.errors import MatineeError
from appliance.storage import Storage
from jobs.attempts import WORK, Attempt, Heartbeat, Spec
from jobs.exchange import inputs
from jobs.machines.nodes import Node
from jobs.making import encryption
from jobs.queue import QueueName
from jobs.tools.encoders import Codec, Family

Name = tuple[str, str]


def keep(storage: Storage) -> None:
    """Show a sign of life for all that is lent, while no letter can be read."""
    with suppress(MatineeError, OSError):
        storage.require_mounted()
        for attempt in attempts(storage):
            if attempt.lent_to() and attempt.report() is None:
                beat(attempt)


def attempts(storage: Storage) -> Iterator[Attempt]:
    for folder in storage.path(WORK).glob("[!.]*/attempts/*"):
        yield Attempt(storage, folder.parent.parent.name, folder.name)


def beat(attempt: Attempt) -> None:
    last = attempt.heartbeat() or Heartbeat("")
    with suppress(OSError):  # taken back in this moment
        attempt.beat(Heartbeat(to_text(SystemClock().now()), last.progress))


@dataclass(slots=True)
class Loan:
    """An attempt in the hands of a far worker; ``said`` is what its letter says."""

    attempt: Attempt
    worker: str
    said: Mapping[str, Any] | None

    @property
    def name(self) -> Name:
        return self.attempt.job, self.attempt.key

    @property
    def ended(self) -> bool:
        """Say whether the worker needs its hand for it no more."""
        return bool(self.said and self.said.get("ended"))


@dataclass(slots=True)
class Hands:
    """How many hands of the far workers are taken; ``taken`` grows with each loan."""

    taken: list[Loan]

    def __post_init__(self) -> None:
        self.taken = [loan for loan in self.taken if not loan.ended]

    def free(self, node: Node, worker: str, spec: Spec) -> bool:
        mine = [loan for loan in self.taken if loan.worker == worker]
        if node.limit and len(mine) >= node.limit:
            return False
        if encryption.in_spec(spec.spec) and not node.unseals:
            return False
        if not _encodes(node, spec):
            return False
        told = [loan.attempt.spec() for loan in mine]
        same = [each for each in told if each is not None and each.queue == spec.queue]
        return len(same) < node.slots.get(QueueName(spec.queue), 0)


def _encodes(node: Node, spec: Spec) -> bool:
    """Say whether the graphics processor is there that a unit needs, and untried."""
    told = spec.spec.get("encoder", {})
    if spec.queue != QueueName.GPU or not told:
        return True
    if node.name in told.get("tried", {}):
        return False
    codec = Codec(told.get("codec", Codec.H264))
    return node.offers(codec, Family(told["family"]))


def may_be_lent(spec: Spec, near: Sequence[Node]) -> bool:
    """Say whether a far worker may do it; what is soon done only if nobody is near."""
    if not inputs.portable(spec):
        return False
    if spec.step in inputs.WORTH_CARRYING:
        return True
    sealed = encryption.in_spec(spec.spec)
    return not any(
        each.slots.get(QueueName(spec.queue), 0) and (each.unseals or not sealed)
        for each in near
    )
