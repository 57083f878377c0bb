"""The machines that do media work, as their announcements show them.

Each media worker keeps one file below ``work/.nodes`` that says what it has and does
(:mod:`jobs.machines.announcing` writes it); here they are read. ``now`` is Unix time by
the clock of the machine that the control worker runs on: how far the clock of the
storage is from that stands in the lease of the control worker.
"""

import contextlib
import logging
import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.errors import InvalidInput
from appliance.settings import Settings
from appliance.storage import Storage
from jobs.attempts import WORK
from jobs.machines import beacons, lease, wishes
from jobs.machines.beacons import Life, Seen
from jobs.queue import QueueName
from jobs.tools import encoders
from jobs.tools.encoders import Codec, Family

FOLDER = WORK / ".nodes"
# Of machines without the folder, which the control worker announces.
FAR = "far-"
# A worker that lives writes every two seconds.
_SILENT_SECONDS = 20.0
_FORGET_SECONDS = 3600.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Encoder:
    """What a machine can encode with now, and how fast its test was."""

    codec: Codec
    family: Family
    device: str
    fps: float


@dataclass(frozen=True, slots=True)
class Doing:
    """A work unit that runs on a machine, and for how many seconds."""

    job: str
    unit: str
    seconds: float
    progress: float
    fps: float | None


@dataclass(frozen=True, slots=True)
class Node:
    """One media worker. ``refused`` says why it may do nothing; ``trouble`` what else.

    ``slots`` are how many units of each queue it takes at once, ``limit`` how many in
    all when somebody set that. ``silent`` is for how many seconds nothing was heard,
    ``unseals`` whether it can work on protected films, ``clock`` by how many seconds
    its clock is ahead of that of the control worker.
    """

    key: str
    name: str
    pid: int
    alive: bool
    silent: float
    slots: Mapping[QueueName, int]
    roles: tuple[str, ...]
    labels: tuple[str, ...]
    versions: Mapping[str, str]
    encoders: tuple[Encoder, ...]
    degraded: tuple[str, ...]
    refused: str
    trouble: str
    draining: bool
    unseals: bool
    limit: int
    load: float
    cores: int
    memory_free: int
    memory_total: int
    scratch_free: int
    doing: tuple[Doing, ...]
    clock: float = 0.0

    @property
    def far(self) -> bool:
        """Say whether it works without the folder of films."""
        return self.key.startswith(FAR)

    @property
    def work(self) -> tuple[str, tuple[str, ...]]:
        """Name the machine and its roles: of far workers there is one for each."""
        return self.name, self.roles

    @property
    def takes(self) -> bool:
        """Say whether it takes new work units."""
        return self.alive and not (self.refused or self.trouble or self.draining)

    def offers(self, codec: Codec, family: Family) -> bool:
        """Say whether a graphics processor of it encodes a codec now."""
        return bool(self.slots.get(QueueName.GPU, 0)) and any(
            (each.codec, each.family) == (codec, family) for each in self.encoders
        )

    @property
    def state(self) -> str:
        """Return one word for it."""
        if not self.alive:
            return "lost"
        if self.refused:
            return "refused"
        if self.trouble:
            return "waiting"
        if self.draining:
            return "draining" if self.doing else "drained"
        return "working" if self.doing else "idle"


def own_name(settings: Settings) -> str:
    """Return what this machine is called among the others."""
    return settings.queue.node or platform.node().split(".")[0] or "localhost"


def own_slots(settings: Settings) -> int:
    """Return how many work units this machine takes at once.

    One for each core, since an encoder of ours keeps one busy; never one only, so that
    something small does not wait for the end of something long.
    """
    if settings.queue.slots > 0:
        return settings.queue.slots
    return max(2, len(os.sched_getaffinity(0)))


def listing(storage: Storage, now: float) -> list[Node]:
    """Return every media worker that lives, or lived within the last hour, by name.

    Errors: ``OSError`` when the storage can't be read.
    """
    ahead = lease.skew(storage)
    there = now + ahead
    found = []
    for path, seen in _seen(storage):
        try:
            found.append(_node(storage, path, seen, there, ahead))
        except (AttributeError, InvalidInput, TypeError, ValueError):
            # Of another Matinee, which is refused: it must not stop the others.
            logger.warning("%s can't be understood", path)
    here = {node.work for node in found if node.alive}
    return sorted(
        # It ended without a word, and its service began it anew.
        (node for node in found if node.alive or not node.far or node.work not in here),
        key=lambda node: (node.name, node.key),
    )


def slots(storage: Storage, now: float, name: QueueName = QueueName.CPU) -> list[int]:
    """Return how many units of a queue each worker that takes any takes at once."""
    return hands(listing(storage, now), name)


def hands(found: Iterable[Node], name: QueueName) -> list[int]:
    """Return the same of workers that were looked up already."""
    return [
        min(count, node.limit) if node.limit else count
        for node in found
        if node.takes and (count := node.slots.get(name, 0))
    ]


def families(storage: Storage, now: float) -> dict[Codec, Family]:
    """Return what to encode each codec with: the best that some worker offers now."""
    offered: dict[Codec, list[Family]] = {codec: [] for codec in Codec}
    for node in listing(storage, now):
        if node.takes and node.slots.get(QueueName.GPU, 0):
            for each in node.encoders:
                offered[each.codec].append(each.family)
    return {
        codec: encoders.best(found) if found else Family.SOFTWARE
        for codec, found in offered.items()
    }


def remove(storage: Storage, name: str, now: float) -> int:
    """Forget the workers of a machine that do not live; return how many those were."""
    gone = [node for node in listing(storage, now) if node.name == name]
    lost = [node for node in gone if not node.alive]
    for node in lost:
        storage.path(FOLDER / f"{node.key}.json").unlink(missing_ok=True)
    if len(lost) == len(gone):
        wishes.forget(storage, name)
    return len(lost)


def forget_lost(storage: Storage, now: float) -> None:
    """Drop the announcements of workers that were lost an hour ago."""
    for node in listing(storage, now):
        if not node.alive and node.silent > _FORGET_SECONDS:
            storage.path(FOLDER / f"{node.key}.json").unlink(missing_ok=True)


def _seen(storage: Storage) -> Iterator[tuple[Path, Seen]]:
    folder = storage.path(FOLDER)
    with contextlib.suppress(FileNotFoundError):
        for name in sorted(os.listdir(folder)):  # noqa: PTH208 its errors are wanted
            path = folder / name
            if path.suffix == ".json" and (seen := beacons.look(path)) is not None:
                yield path, seen


def _node(storage: Storage, path: Path, seen: Seen, now: float, ahead: float) -> Node:
    told = seen.document
    name = str(told.get("name", "?"))
    wish = wishes.of(storage, name)
    silent = max(0.0, now - seen.at)
    alive = seen.life is Life.HERE or (
        seen.life is Life.ELSEWHERE and silent < _SILENT_SECONDS
    )
    return Node(
        key=path.stem,
        name=name,
        pid=int(told.get("pid", 0)),
        alive=alive,
        silent=round(silent, 1),
        slots={
            queue: int(told.get("slots", {}).get(queue, 0))
            for queue in QueueName
            if queue in told.get("slots", {})
        },
        roles=tuple(told.get("roles", ())),
        labels=tuple(told.get("labels", ())),
        versions=dict(told.get("versions", {})),
        encoders=tuple(_encoders(told)),
        degraded=tuple(told.get("degraded", ())),
        refused=str(told.get("refused", "")),
        trouble=str(told.get("trouble", "")),
        draining=wish.drain,
        unseals=bool(told.get("unseals")),
        limit=wish.limit,
        clock=round(float(told.get("clock", seen.at - ahead)) - seen.at + ahead, 1),
        doing=tuple(_doing(each) for each in told.get("doing", ())) if alive else (),
        **_machine(told),
    )


def _doing(told: Mapping[str, Any]) -> Doing:
    return Doing(
        job=str(told.get("job", "")),
        unit=str(told.get("unit", "")),
        seconds=float(told.get("seconds", 0)),
        progress=float(told.get("progress", 0)),
        fps=told.get("fps"),
    )


def _machine(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "load": float(told.get("load", 0)),
        "cores": int(told.get("cores", 0)),
        "memory_free": int(told.get("memory_free", 0)),
        "memory_total": int(told.get("memory_total", 0)),
        "scratch_free": int(told.get("scratch_free", 0)),
    }


def _encoders(told: Mapping[str, Any]) -> Iterator[Encoder]:
    """Yield what is announced, without what a newer Matinee may know besides."""
    for each in told.get("encoders", ()):
        with contextlib.suppress(KeyError, ValueError):
            yield Encoder(
                Codec(each["codec"]),
                Family(each["family"]),
                str(each["device"]),
                float(each["fps"]),
            )
