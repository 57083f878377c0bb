"""Sees to it that one control worker decides over a storage, also across machines.

Two with a database each would throw away one another's work. The one that decides
keeps a file in the storage, written anew every two seconds. On its own machine a lock
tells whether it lives; elsewhere it counts as alive as long as the file changes, which
is watched, so that no clocks need to agree.

The file also carries what media workers must know of the control worker: the versions
that their tools must have, and how far the clock of the storage is from its own.
"""

import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.errors import Locked, MatineeError
from appliance.storage import Storage
from jobs.attempts import WORK
from jobs.machines import beacons
from jobs.machines.beacons import Beacon, Life, Seen

PLACE = WORK / ".nodes" / "control.lease"
_RENEW_SECONDS = 2.0
_LOOK_SECONDS = 0.2
_AGAIN_SECONDS, _MISSING_SECONDS = 0.05, 3.0
# After taking over from one that fell silent: did somebody else do so as well?
_SETTLE_SECONDS = 1.0

Document = dict[str, Any]

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Lease:
    """What the control worker holds; ``lost`` is the sentence that ends it."""

    storage: Storage
    tell: Callable[[], Document]
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    lost: str = ""
    _beacon: Beacon = field(init=False)

    def __post_init__(self) -> None:
        self._beacon = Beacon(self.storage.path(PLACE))

    def require(self) -> None:
        """Refuse when another control worker has taken over meanwhile."""
        if self.lost:
            raise Locked("control.elsewhere", self.lost)

    def renew(self) -> None:
        """Write the lease anew, unless it is another's by now. Errors: ``OSError``."""
        self.storage.require_mounted()
        seen = beacons.look(self._beacon.path)
        if seen is not None and seen.document.get("token") != self.token:
            self.lost = _sentence(seen)
            return
        told = {"token": self.token, "host": socket.gethostname(), "at": time.time()}
        self._beacon.show(told | {"beat": secrets.token_hex(4)} | self.tell())

    def give_back(self) -> None:
        self._beacon.close(remove=not self.lost)


@contextmanager
def held(
    storage: Storage,
    seconds: float,
    tell: Callable[[], Document],
    stop: threading.Event,
) -> Iterator[Lease]:
    """Hold the lease, and renew it from a thread.

    Errors: ``Locked`` control.elsewhere when another control worker decides.
    """
    lease = Lease(storage, tell)
    _take(lease, seconds, stop)
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(_RENEW_SECONDS) and not lease.lost:
            try:
                lease.renew()
            except (OSError, MatineeError) as error:
                logger.warning("the storage does not answer: %s", error)

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        ended.set()
        thread.join(_RENEW_SECONDS)
        lease.give_back()


def told(storage: Storage) -> Document:
    """Return what the control worker tells the others; empty when there is none."""
    seen = beacons.look(storage.path(PLACE))
    return {} if seen is None else seen.document


def skew(storage: Storage) -> float:
    """Return by how many seconds the clock of the storage is ahead of control's."""
    seen = beacons.look(storage.path(PLACE))
    return 0.0 if seen is None else seen.at - float(seen.document.get("at", seen.at))


def elsewhere(storage: Storage) -> str:
    """Return the host of a control worker on another machine that holds the lease."""
    seen = beacons.look(storage.path(PLACE))
    if seen is None or seen.life is not Life.ELSEWHERE:
        return ""
    return str(seen.document.get("host", "another machine"))


def _take(lease: Lease, seconds: float, stop: threading.Event) -> None:
    """Take the lease over once it is seen that nobody renews it."""
    path = lease.storage.path(PLACE)
    lease.storage.require_mounted()
    seen = _surely(path, stop)
    if seen is not None and seen.life is Life.ELSEWHERE:
        logger.info("looking whether the control worker on another machine lives")
        _watch(path, seen, seconds, stop)
    elif seen is not None and seen.life is Life.HERE:
        raise Locked("control.elsewhere", _sentence(seen))
    path.unlink(missing_ok=True)
    lease.renew()
    if seen is not None and seen.life is Life.ELSEWHERE:
        stop.wait(_SETTLE_SECONDS)
        lease.renew()
    lease.require()


def _surely(path: Path, stop: threading.Event) -> Seen | None:
    """Look more than once at what may be just being replaced."""
    for _ in range(3):
        seen = beacons.look(path)
        if seen is not None or stop.wait(_AGAIN_SECONDS):
            break
    return seen


def _watch(path: Path, first: Seen, seconds: float, stop: threading.Event) -> None:
    """Return when the lease was not renewed for so long. Errors: ``Locked``.

    One that is missing may be just being replaced, as some shares show it: it counts as
    given back when it stays away.
    """
    now = time.monotonic()
    deadline, missing_since = now + seconds, now
    while now < deadline and not stop.wait(_LOOK_SECONDS):
        now, seen = time.monotonic(), beacons.look(path)
        if seen is None:
            if now - missing_since > _MISSING_SECONDS:
                return
            continue
        missing_since = now
        if seen.document.get("beat") != first.document.get("beat"):
            raise Locked("control.elsewhere", _sentence(seen))


def _sentence(seen: Seen) -> str:
    host = seen.document.get("host", "another machine")
    return (
        f"A control worker runs already for this storage, on {host}. One installation"
        " has one: here, run `matinee worker --media` only, or stop the other."
    )
