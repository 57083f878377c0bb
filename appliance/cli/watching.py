"""Following a job until it ends, with a bar for each step on a terminal."""

import time
from typing import NoReturn

from rich.progress import Progress, TaskID

from appliance.cli.installation import Installation
from appliance.db import Database
from appliance.errors import Conflict, MediaError
from appliance.media import reports
from appliance.media.reports import JobReport

_LOOK_SECONDS = 0.5
_PATIENCE_SECONDS = 15


def follow(installation: Installation, job: str) -> JobReport:
    """Show how a job goes on, and return its last report when it ended well.

    Errors: ``MediaError`` when it failed, ``Conflict`` when it was cancelled. Stopping
    to watch stops nothing.
    """
    try:
        with installation.db() as db, installation.out.progress() as bars:
            report = _until_the_end(db, installation, bars, job)
    except KeyboardInterrupt:
        installation.out.say(f"The job goes on; follow it: matinee job watch {job}")
        raise
    if report.state != "done":
        _complain(report)
    return report


def _until_the_end(
    db: Database, installation: Installation, bars: Progress, job: str
) -> JobReport:
    tasks: dict[str, TaskID] = {}
    started = time.monotonic()
    warned = False
    while True:
        report = reports.report(db, job)
        _show(bars, tasks, report)
        if report.state not in ("queued", "running"):
            return report
        waited = time.monotonic() - started
        if report.state == "queued" and waited > _PATIENCE_SECONDS and not warned:
            warned = True
            installation.out.say(
                "Nobody has begun with it yet. Is `matinee serve` running?"
            )
        time.sleep(_LOOK_SECONDS)


def _show(bars: Progress, tasks: dict[str, TaskID], report: JobReport) -> None:
    for step in report.steps:
        if step.name not in tasks:
            tasks[step.name] = bars.add_task(step.label, total=100)
        bars.update(tasks[step.name], completed=step.percent)


def _complain(report: JobReport) -> NoReturn:
    if report.state == "cancelled":
        raise Conflict("job.cancelled", "The job was cancelled; the source is kept.")
    raise MediaError(
        report.error_code or "job.failed",
        report.error_message,
        {"job": report.job, "log_tail": report.log_tail},
    )
