"""What may take long for a job, done beside the rounds of the control worker.

A key service may need its whole time-out to answer. It is asked in a thread with a
connection of its own; the job waits, and the round goes on to the other jobs. Nothing
of this outlives the process: what was learnt stands in rows before it is reported.
"""

import threading
from collections import Counter
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from appliance import db as database
from appliance.db import Database
from appliance.errors import MatineeError, TryAgain

_T = TypeVar("_T")


class ErrandFailed(MatineeError):
    """An errand ended badly: its job fails, and may be tried again."""


class Errand(Protocol):
    """Does an action for a job; returns None while it is under way.

    ``about`` tells one action from another of the same job.
    Errors: ``TryAgain`` when it is to be asked for once more, ``ErrandFailed``.
    """

    def __call__(
        self, db: Database, job: str, about: Hashable, action: Callable[[Database], _T]
    ) -> _T | None: ...


def at_once(
    db: Database,
    job: str,  # noqa: ARG001 - nothing is under way afterwards
    about: Hashable,  # noqa: ARG001
    action: Callable[[Database], _T],
) -> _T | None:
    """Do it now, and wait for it."""
    try:
        return action(db)
    except MatineeError as error:
        raise _failed(error) from error


@dataclass(slots=True)
class Beside:
    """Does each errand in a thread, and rings for its job when it is done.

    One that fails but may go well later is tried ``attempts`` times.
    """

    database: Path
    ring: Callable[[str], None]
    attempts: int
    under_way: dict[tuple[str, Hashable], "Future[Any]"] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)

    def __call__(
        self,
        db: Database,  # noqa: ARG002 - the thread has a connection of its own
        job: str,
        about: Hashable,
        action: Callable[[Database], _T],
    ) -> _T | None:
        future = self.under_way.get((job, about))
        if future is None:
            self.under_way[job, about] = self._begin(job, action)
            return None
        if not future.done():
            return None
        del self.under_way[job, about]
        try:
            found: _T = future.result()
        except TryAgain as error:
            self.failures[job] += 1
            if self.failures[job] < self.attempts:
                raise
            raise self._given_up(job, error) from error
        except MatineeError as error:
            raise self._given_up(job, error) from error
        del self.failures[job]
        return found

    def _given_up(self, job: str, error: MatineeError) -> ErrandFailed:
        del self.failures[job]
        return _failed(error)

    def _begin(self, job: str, action: Callable[[Database], _T]) -> "Future[_T]":
        future: Future[_T] = Future()

        def work() -> None:
            try:
                with database.connect(self.database) as db:
                    future.set_result(action(db))
            except Exception as error:  # noqa: BLE001 - raised where it is asked for
                future.set_exception(error)
            self.ring(job)

        threading.Thread(target=work, name=f"errand-{job}", daemon=True).start()
        return future


def _failed(error: MatineeError) -> ErrandFailed:
    return ErrandFailed(error.code, error.message, error.details)
