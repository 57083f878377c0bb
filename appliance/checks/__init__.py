"""The checks of an installation: each looks, changes nothing, and knows a remedy.

Above the jobs and nginx, below the edges: commands and pages show what is found here. A
module has the checks of one subject in a table, ``CHECKS``; a new one is a line there,
and a new module a line in :data:`SUBJECTS`.
"""

import threading
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from types import MappingProxyType

from appliance.checks import (
    accounts,
    backups,
    cdn,
    certificates,
    cluster,
    database,
    delivery,
    disks,
    front,
    host,
    release,
    secrets,
    system,
    telling,
    tools,
    web_server,
    workers,
)
from appliance.checks.check import Answer, Check, Checks
from appliance.checks.examined import Examined
from appliance.errors import MatineeError, NotFound
from appliance.operations.findings import Finding, Level

__all__ = ["CHECKS", "Examined", "Finding", "Level", "examine"]

SUBJECTS = (
    *(database, disks, backups, accounts, secrets, workers, tools, cluster),
    *(front, web_server, certificates, delivery, cdn, telling, system, host, release),
)

CHECKS: Checks = MappingProxyType(
    {check_id: check for each in SUBJECTS for check_id, check in each.CHECKS.items()}
)
"""Every check, in the order in which they are shown."""

_AT_ONCE = 8
_SETTLE_FIRST = "put this right and run `matinee doctor` again"


def examine(
    examined: Examined, *, full: bool = False, only: Collection[str] = ()
) -> Iterator[Finding]:
    """Run the quick checks, all with ``full``, or ``only`` those with these ids.

    They run beside one another. One that breaks, or does not come back in its time, is
    a finding and stops no other; what hangs is not begun again as long as it does.
    Errors: ``NotFound`` for an id that there is not.
    """
    if unknown := sorted(set(only) - set(CHECKS)):
        raise NotFound(
            "checks.unknown",
            f"There is no check {unknown[0]}. There are: {', '.join(CHECKS)}.",
        )
    places = threading.Semaphore(_AT_ONCE)
    looks = [
        _hanging(check_id, examined) or _Look(check_id, check, examined, places)
        for check_id, check in CHECKS.items()
        if (check_id in only if only else full or not check.slow)
    ]
    for each in looks:
        each.begin()
    for each in looks:
        yield each.finding()


class _Look(threading.Thread):
    """One check at work, in a thread that may be left behind when it hangs."""

    def __init__(
        self,
        check_id: str,
        check: Check,
        examined: Examined,
        places: threading.Semaphore,
    ) -> None:
        super().__init__(name=check_id, daemon=True)
        self._check = check
        self._examined = examined
        self._places = places
        self._begun = threading.Event()
        self._begun_at = 0.0
        self._answer: Answer | None = None
        self._given_up = False
        self._key = (check_id, examined.settings.home)

    def begin(self) -> None:
        """Begin to look, unless an earlier look still hangs."""
        if self.ident is None:
            self.start()

    def run(self) -> None:
        with self._places:
            self._begun_at = time.monotonic()
            self._begun.set()
            self._answer = _answer(self._check, self._examined)

    def finding(self) -> Finding:
        """Wait for the answer as long as the check may take."""
        self._begun.wait()
        self.join(max(0.0, self._begun_at + self._check.seconds - time.monotonic()))
        answer = self._answer
        if answer is None:
            _stuck[self._key] = self
            if not self._given_up:
                # It holds its place for ever; another may begin in its stead.
                self._places.release()
                self._given_up = True
            sentence = f"no answer came within {self._check.seconds:g} seconds"
            answer = Level.FAIL, sentence, _SETTLE_FIRST
        return Finding(self.name, *answer)


_stuck: dict[tuple[str, Path], _Look] = {}
"""What hangs, so that a share that is away holds one thread and not one a minute."""


def _hanging(check_id: str, examined: Examined) -> _Look | None:
    """Return the look that still hangs, if one does."""
    found = _stuck.get((check_id, examined.settings.home))
    return found if found is not None and found.is_alive() else None


def _answer(check: Check, examined: Examined) -> Answer:
    try:
        return check.look(examined)
    except MatineeError as error:
        return Level.FAIL, error.message, _SETTLE_FIRST
    except Exception as error:  # noqa: BLE001 to find what breaks
        sentence = str(error) or type(error).__name__
        return Level.FAIL, sentence, _SETTLE_FIRST
