"""``matinee job``: how the work on films goes, and what to do when it does not."""

import dataclasses
from typing import Any

import click

from appliance.cli import output, watching
from appliance.cli.installation import Installation, pass_installation
from appliance.db import Database
from appliance.media import job_control, jobs, pieces, reports
from appliance.media.job_control import LEAST_PRIORITY, MOST_PRIORITY
from appliance.media.jobs import JobState
from appliance.media.pieces import Piece
from appliance.media.reports import JobReport, Share, StepReport
from jobs import queue, staffing
from jobs.staffing import Lack


@click.group()
def job() -> None:
    """Watch, pause, retry and cancel the work on films."""


@job.command("list")
@click.option(
    "--state",
    type=click.Choice([state.value for state in JobState]),
    help="Only jobs in this state.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 1000),
    default=50,
    show_default=True,
    help="At most so many jobs.",
)
@pass_installation
def list_jobs(installation: Installation, state: str | None, limit: int) -> None:
    """List jobs, the newest first."""
    wanted = JobState(state) if state else None
    with installation.db() as db:
        found = reports.listing(db, installation.actor, state=wanted, limit=limit)
        hindrances = _hindrances(installation, db)
    for each in hindrances:
        installation.out.say(f"{each.sentence} {each.fix}")
    installation.out.table(
        ("Job", "Title", "Kind", "State", "Done", "Left"),
        [
            (
                each.job,
                each.title_slug,
                each.kind,
                _state(each),
                f"{each.percent:.0f} %",
                _minutes(each.eta_seconds),
            )
            for each in found
        ],
        [_document(each, hindrances) for each in found],
        empty="There are no jobs.",
    )


@job.command()
@click.argument("job_id", metavar="JOB")
@click.option("--units", is_flag=True, help="Also each work unit, and who did it.")
@pass_installation
def show(installation: Installation, job_id: str, units: bool) -> None:
    """Show the job JOB with its steps, what holds it up, and why it failed."""
    with installation.db() as db:
        report = reports.report(db, job_id)
        lacking = _hindrances(installation, db, job_id)
        found = pieces.of_job(db, job_id) if units else []
    document = dataclasses.asdict(report)
    document["lacks"] = [dataclasses.asdict(each) for each in lacking]
    text = [_text(report), *(f"{each.sentence} {each.fix}" for each in lacking)]
    if units:
        document["units"] = [dataclasses.asdict(each) for each in found]
        text.append("\n".join(map(_line, found)))
    installation.out.result(document, "\n\n".join(text))


@job.command()
@click.argument("job_id", metavar="JOB")
@pass_installation
def retry(installation: Installation, job_id: str) -> None:
    """Try JOB, which failed or was cancelled, again; nothing is done twice."""
    with installation.db() as db:
        changed = jobs.retry(db, installation.actor, job_id)
    queue.wake(installation.settings, job_id)
    document = {"job": job_id, "state": changed.state}
    installation.out.result(document, f"{job_id} is {changed.state} again.")


@job.command()
@click.argument("job_id", metavar="JOB")
@pass_installation
def pause(installation: Installation, job_id: str) -> None:
    """Let JOB hand out no more work; what runs already ends first."""
    with installation.db() as db:
        job_control.pause(db, installation.actor, job_id)
    _held(installation, job_id, f"{job_id} is paused.", paused=True)


@job.command()
@click.argument("job_id", metavar="JOB")
@pass_installation
def resume(installation: Installation, job_id: str) -> None:
    """Let JOB, which is paused, go on."""
    with installation.db() as db:
        job_control.resume(db, installation.actor, job_id)
    _held(installation, job_id, f"{job_id} goes on.", paused=False)


@job.command()
@click.argument("job_id", metavar="JOB")
@click.argument("value", type=click.IntRange(LEAST_PRIORITY, MOST_PRIORITY))
@pass_installation
def priority(installation: Installation, job_id: str, value: int) -> None:
    """Let JOB go before all of a lower VALUE; the usual one is 0.

    
    matinee job priority 5f3a08c1d2e4b697 10
    matinee job priority 5f3a08c1d2e4b697 -- -10
    """
    with installation.db() as db:
        job_control.prioritise(db, installation.actor, job_id, value)
    document = {"job": job_id, "priority": value}
    installation.out.result(document, f"{job_id} has the priority {value}.")


@job.command()
@click.argument("job_id", metavar="JOB")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def cancel(installation: Installation, job_id: str, yes: bool) -> None:
    """Stop the job JOB. Its source is kept, what was encoded is not."""
    installation.out.confirm("Stop this job and drop what it has encoded?", yes)
    with installation.db() as db:
        changed = jobs.cancel(db, installation.actor, job_id)
    queue.wake(installation.settings, job_id)
    document = {"job": job_id, "state": changed.state}
    installation.out.result(document, f"{job_id} is {changed.state}.")


@job.command()
@click.argument("job_id", metavar="JOB")
@pass_installation
def watch(installation: Installation, job_id: str) -> None:
    """Follow the job JOB until it ends; fails when the job does.

    Stopping to watch stops nothing.
    """
    report = watching.follow(installation, job_id)
    text = f"{report.title_slug} is done."
    installation.out.result(dataclasses.asdict(report), text)


def _hindrances(
    installation: Installation, db: Database, job_id: str = ""
) -> list[Lack]:
    storage, settings = installation.storage, installation.settings
    return staffing.hindrances(db, storage, settings, job_id)


def _document(report: JobReport, hindrances: list[Lack]) -> dict[str, Any]:
    """Return a job; one that is open also says why none goes on."""
    waits = report.state in (JobState.QUEUED, JobState.RUNNING)
    lacks = [dataclasses.asdict(each) for each in hindrances] if waits else []
    return dataclasses.asdict(report) | {"lacks": lacks}


def _held(installation: Installation, job: str, text: str, *, paused: bool) -> None:
    queue.wake(installation.settings, job)
    installation.out.result({"job": job, "paused": paused}, text)


def _state(report: JobReport) -> str:
    return "paused" if report.paused else report.state


def _text(report: JobReport) -> str:
    head = {
        "Job": report.job,
        "Title": f"{report.title_name} ({report.title_slug})",
        "Source": report.source_name,
        "Kind": report.kind,
        "State": _state(report),
        "Done": f"{report.percent:.0f} %",
        "Left": _minutes(report.eta_seconds),
    }
    if report.priority:
        head["Priority"] = str(report.priority)
    if report.queue_position is not None:
        head["Place"] = f"{report.queue_position} in the queue"
    steps = [
        f"  {step.label:<12}{step.state:<10}{step.percent:>5.0f} %"
        + (f"  {step.fps:.0f} fps" if step.fps else "")
        + (f"  by {_shares(step)}" if step.shares else "")
        for step in report.steps
    ]
    fallbacks = [step.fallback for step in report.steps if step.fallback]
    parts = [output.pairs(head), "\n".join(steps), *fallbacks]
    if report.error_message:
        parts += [f"Failed: {report.error_message}", report.log_tail]
    return "\n\n".join(part for part in parts if part)


def _shares(step: StepReport) -> str:
    """Return the machines of a step, each with how many units it did and does."""
    return ", ".join(f"{each.node} ({_counts(each)})" for each in step.shares)


def _counts(share: Share) -> str:
    running = f"{share.running} running" if share.running else ""
    return ", ".join(filter(None, (str(share.done) if share.done else "", running)))


def _line(piece: Piece) -> str:
    seconds = "" if piece.seconds is None else f"{piece.seconds:.1f} s"
    return f"  {piece.name:<20}{piece.state:<10}{seconds:>9}  {piece.node}".rstrip()


def _minutes(seconds: int | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds // 60}:{seconds % 60:02}"
