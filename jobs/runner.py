"""Runs one work unit on the media side, where no module knows the database."""

import errno
import logging
import os
import shutil
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from appliance import trail
from appliance.clock import SystemClock, to_text
from appliance.errors import MatineeError, MediaError, StorageFull
from appliance.settings import Settings
from jobs.attempts import Attempt, Heartbeat, Spec
from jobs.machines import away, nodes
from jobs.machines.board import Board, Progress
from jobs.work import Work

Step = Callable[[dict[str, Any], Work], dict[str, Any]]
Report = dict[str, Any]

_BEAT_SECONDS = 1.0
# A sign of life also while it is written, by a thread of its own.
_KEPT = frozenset({"spec.json", "claim", "heartbeat.json", ".heartbeat.json.part"})
_LONGEST_TAIL = 20_000
# Nobody's failure: settling counts it as lost.
STORAGE_AWAY = "storage.away"

logger = logging.getLogger(__name__)


def run(
    attempt: Attempt,
    settings: Settings,
    steps: Mapping[str, Step],
    ring: Callable[[], None],
    board: Board | None = None,
) -> None:
    """Run the attempt to its end, unless it is not, or no longer, ours.

    A hint that comes twice finds the claim of the first; one that comes late finds
    the folder gone. ``ring`` tells the control side that there is news, ``board``
    shows what runs.
    """
    spec = attempt.spec()
    if spec is None:
        return
    with (
        attempt.claim(nodes.own_name(settings)) as ours,
        trail.leading(request=spec.request, job=spec.job, unit=spec.unit),
    ):
        if not ours:
            return
        logger.info("%s of job %s begins", spec.unit, spec.job)
        ring()
        # A disk may take long to have it all: that is a part of the work.
        with (
            (board or Board()).entry(spec.job, spec.unit) as progress,
            _beating(attempt, progress),
        ):
            report = _worked(attempt, settings, spec, steps, progress)
            if attempt.taken_back:
                logger.info("%s of job %s was taken back", spec.unit, spec.job)
            else:
                _leave(attempt, report)
    ring()


@contextmanager
def _beating(attempt: Attempt, progress: Progress) -> Iterator[None]:
    """Show a sign of life every second, from a thread of its own."""
    ended = threading.Event()

    def beat() -> None:
        while True:
            at = to_text(SystemClock().now())
            # A disk that is full, or a folder taken back, is noticed by the step.
            with suppress(OSError):
                attempt.beat(Heartbeat(at, progress.fraction, progress.fps))
            if ended.wait(_BEAT_SECONDS):
                return

    thread = threading.Thread(target=beat, name=f"beat-{attempt.key}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _worked(
    attempt: Attempt,
    settings: Settings,
    spec: Spec,
    steps: Mapping[str, Step],
    progress: Progress,
) -> Report:
    work = Work(
        folder=attempt.folder,
        storage=attempt.storage,
        job=spec.job,
        keys=settings.keys,
        progress=progress,
        cancelled=lambda: attempt.taken_back,
        stall_seconds=settings.queue.stall_seconds,
        home=settings.home,
        hardware=settings.hardware,
    )
    return _report(spec, work, steps)


def _report(spec: Spec, work: Work, steps: Mapping[str, Step]) -> Report:
    try:
        return {"ok": True, "result": steps[spec.step](spec.spec, work)}
    except MatineeError as error:
        final = isinstance(error, MediaError | StorageFull)
        tail = str(error.details.get("log_tail", ""))
        failure = _failure(error.code, error.message, not final, tail)
        if "redo" in error.details:
            failure["error"]["redo"] = error.details["redo"]
        return _away(work) or failure
    except MemoryError:
        return _failure(
            "step.memory",
            f"There was not enough memory for the step “{spec.step}”: give the machine"
            " more, or set queue.slots lower.",
            True,
            traceback.format_exc(),
        )
    except OSError as error:
        return _away(work) or _of_the_system(error)
    except Exception as error:  # a bug fails its unit, not the worker
        logger.exception("%s of job %s failed unexpectedly", spec.unit, spec.job)
        return _failure(
            "step.unexpected",
            f"The step “{spec.step}” failed unexpectedly:"
            f" {type(error).__name__}. The log has the details.",
            True,
            traceback.format_exc(),
        )


def _away(work: Work) -> Report | None:
    """Say so when the storage has gone: whatever failed then was not the film's."""
    reason = away.reason(work.storage)
    return _failure(STORAGE_AWAY, reason, True, "") if reason else None


def _of_the_system(error: OSError) -> Report:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _failure(
            "storage.full",
            "The disk that holds the films is full: free some room and try again.",
            False,
            traceback.format_exc(),
        )
    return _failure(
        "step.system",
        f"The system refused something: {error.strerror or error}.",
        True,
        traceback.format_exc(),
    )


def _failure(code: str, message: str, retry: bool, tail: str) -> Report:
    return {
        "ok": False,
        "error": {
            "code": code,
            "message": message,
            "retry": retry,
            "log_tail": tail[-_LONGEST_TAIL:],
        },
    }


def _leave(attempt: Attempt, report: Report) -> None:
    """Leave the result; on a full disk what was written makes room for saying so."""
    if not report["ok"]:
        _clear(attempt)
    try:
        _make_durable(attempt.folder)
        attempt.end(report)
    except FileNotFoundError:  # taken back in this moment
        return
    except OSError as error:
        _clear(attempt)
        with suppress(FileNotFoundError):
            attempt.end(_of_the_system(error))


def _make_durable(folder: Path) -> None:
    """Wait until the disk has it all: what counts as done must survive a power cut."""
    for path in [folder, *folder.rglob("*")]:
        # A sign of life is replaced all the time, and soon worth nothing.
        if path.is_symlink() or "heartbeat.json" in path.name:
            continue
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _clear(attempt: Attempt) -> None:
    with suppress(FileNotFoundError):
        for path in attempt.folder.iterdir():
            if path.name in _KEPT:
                continue
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
