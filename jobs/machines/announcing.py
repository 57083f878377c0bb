"""How a media worker shows the others what it has and does, and learns what it may.

Every two seconds it writes its file below ``work/.nodes``, and looks there for what is
wished of its machine and which versions the control worker has.
"""

import logging
import os
import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from appliance import media_checks
from appliance.errors import MatineeError, PreconditionFailed
from appliance.protection import sealing
from appliance.settings import Settings
from appliance.storage import Storage
from jobs.encoders import devices, proving
from jobs.machines import beacons, lease, nodes, wishes
from jobs.machines.beacons import Beacon, Life
from jobs.machines.board import Board
from jobs.machines.gate import Gate
from jobs.machines.nodes import Node
from jobs.queue import QueueName
from jobs.tools import versions, whisper
from jobs.tools.encoders import Codec, Family

_EVERY_SECONDS = 2.0
# As long as something is in the way, so that work begins as soon as it is gone.
_IN_TROUBLE_SECONDS = 0.2
_NO_CONTROL = (
    "No control worker is known to this storage: is the folder of films (storage.media)"
    " the one that all machines share, and does `matinee worker --control` run?"
)

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Announcer:
    """Keeps the announcement fresh and the gate right, from a thread of its own."""

    settings: Settings
    storage: Storage
    board: Board
    gate: Gate
    slots: dict[QueueName, int]
    no_control: str = _NO_CONTROL
    _beacon: Beacon = field(init=False)

    def __post_init__(self) -> None:
        name = f"{secrets.token_hex(8)}.json"
        self._beacon = Beacon(self.storage.path(nodes.FOLDER / name))

    @property
    def place(self) -> Path:
        """Where the file lies."""
        return self._beacon.path

    def look(self) -> None:
        """Do it once. What stands in the way closes the gate; nothing is raised."""
        try:
            trouble = self._look()
        except (MatineeError, OSError) as error:
            said = error.message if isinstance(error, MatineeError) else str(error)
            trouble = f"The storage does not answer: {said}"
        if trouble and trouble != self.gate.trouble:
            logger.warning("%s", trouble)
        elif self.gate.trouble and not trouble:
            logger.info("nothing stands in the way of work")
        self.gate.trouble = trouble

    def close(self) -> None:
        self._beacon.close(remove=True)

    def _look(self) -> str:
        self.storage.require_mounted()
        gate, name = self.gate, nodes.own_name(self.settings)
        gate.wish = wishes.of(self.storage, name)
        mine, control = versions.installed(), lease.told(self.storage)
        refused = _refusal(mine, control.get("versions", {}))
        if refused != gate.refused and refused:
            logger.warning("%s", refused)
        gate.refused = refused
        theirs = control.get("worker_key", "")
        gate.unseals = theirs in ("", sealing.fingerprint(self.settings.keys))
        trouble = "" if control else self.no_control
        # What can't be announced would not be counted, nor found when it is lost: an
        # error here closes the gate.
        self._beacon.show(self._document(name, mine) | {"trouble": trouble})
        return trouble

    def _document(self, name: str, mine: dict[str, str]) -> dict[str, Any]:
        queue = self.settings.queue
        return {
            "name": name,
            "pid": os.getpid(),
            "clock": time.time(),
            "slots": self.slots,
            "roles": list(media_checks.names(queue.roles)),
            "labels": list(media_checks.names(queue.labels)),
            "versions": mine,
            "encoders": [asdict(each) for each in proving.usable(self.settings)],
            "degraded": [*proving.degraded(self.settings), *self._without_key()],
            "unseals": self.gate.unseals,
            "refused": self.gate.refused,
            "doing": self.board.doing(),
            **_machine(self.storage),
        }

    def others_unseal(self) -> bool:
        """Say whether another that takes work has the key that this one lacks."""
        return any(each.unseals for each in self._others())

    def others_encode(self, codec: Codec, family: Family, but: Iterable[str]) -> bool:
        """Say whether another machine has such an encoder, ``but`` for some."""
        return any(
            each.offers(codec, family) and each.name not in but
            for each in self._others()
        )

    def _others(self) -> list[Node]:
        """Return the other media workers that take work.

        Of their signs of life the last of this machine's own tells how old they are.
        """
        own = beacons.look(self._beacon.path)
        now = own.at - lease.skew(self.storage) if own else 0
        found = nodes.listing(self.storage, now)
        mine = self._beacon.path.stem
        return [each for each in found if each.takes and each.key != mine]

    def _without_key(self) -> list[str]:
        if self.gate.unseals:
            return []
        return [
            "It leaves protected films to other machines: its worker.key is not that of"
            " the control worker. Copy that, with mode 0600, into its folder of keys."
        ]


@contextmanager
def announced(announcer: Announcer) -> Iterator[None]:
    """Stand in the list of media workers as long as this process lives."""
    _forget_the_dead(announcer)
    announcer.look()
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(
            _IN_TROUBLE_SECONDS if announcer.gate.trouble else _EVERY_SECONDS
        ):
            announcer.look()

    thread = threading.Thread(target=go_on, name="announce", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_EVERY_SECONDS)
        announcer.close()


def own_slots(settings: Settings) -> dict[QueueName, int]:
    """Return how many units of each queue this machine takes at once, by its roles."""
    roles = media_checks.names(settings.queue.roles)
    # Also those that did not pass their test yet: they may, later.
    found_devices = devices.present(settings.hardware)
    found = {
        QueueName.CPU: nodes.own_slots(settings),
        QueueName.GPU: len(found_devices) * max(1, settings.hardware.sessions),
        QueueName.SPEECH: 0 if whisper.hindrance(settings.speech) else 1,
    }
    return {name: count for name, count in found.items() if count and name in roles}


def _refusal(mine: dict[str, str], theirs: dict[str, str]) -> str:
    """Say why this machine may do nothing, when its tools are not those of control.

    Chunks of one film are made by several machines and put together: other versions
    encode otherwise.
    """
    differing = versions.disagreement(mine, theirs)
    if not differing:
        return ""
    return (
        "This machine takes no work, for its tools are not those of the control worker"
        f" ({differing}): install the same."
    )


def _machine(storage: Storage) -> dict[str, Any]:
    memory = _memory()
    return {
        "load": round(os.getloadavg()[0], 2),
        "cores": len(os.sched_getaffinity(0)),
        "memory_free": memory.get("MemAvailable", 0),
        "memory_total": memory.get("MemTotal", 0),
        "scratch_free": storage.free_bytes(),
    }


def _memory() -> dict[str, int]:
    """Return what the kernel says of memory, in bytes."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    parts = (line.replace(":", " ").split() for line in lines)
    return {name: int(count) * 1024 for name, count, *_ in parts}


def _forget_the_dead(announcer: Announcer) -> None:
    """Remove what an earlier worker of this machine left when it was killed."""
    folder = announcer.storage.path(nodes.FOLDER)
    name = nodes.own_name(announcer.settings)
    try:
        announcer.storage.require_mounted()
        for path in folder.glob("*.json"):
            seen = beacons.look(path)
            if seen and seen.life is Life.DEAD and seen.document.get("name") == name:
                path.unlink(missing_ok=True)
    except (OSError, PreconditionFailed) as error:
        logger.warning("the storage does not answer: %s", error)
