"""``matinee job``: how the work on films goes, and what to do when it does not."""

import dataclasses

import click

from appliance.cli import output, watching
from appliance.cli.installation import Installation, pass_installation
from appliance.media import jobs, reports
from appliance.media.jobs import JobState
from appliance.media.reports import JobReport
from jobs import queue


@click.group()
def job() -> None:
    """Watch, retry and cancel the work on films."""


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
    installation.out.table(
        ("Job", "Title", "State", "Done", "Left"),
        [
            (
                each.job,
                each.title_slug,
                each.state,
                f"{each.percent:.0f} %",
                _minutes(each.eta_seconds),
            )
            for each in found
        ],
        [dataclasses.asdict(each) for each in found],
        empty="There are no jobs.",
    )


@job.command()
@click.argument("job_id", metavar="JOB")
@pass_installation
def show(installation: Installation, job_id: str) -> None:
    """Show the job JOB with its steps, and why it failed."""
    with installation.db() as db:
        report = reports.report(db, job_id)
    installation.out.result(dataclasses.asdict(report), _text(report))


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


def _text(report: JobReport) -> str:
    head = {
        "Job": report.job,
        "Title": f"{report.title_name} ({report.title_slug})",
        "Source": report.source_name,
        "State": report.state,
        "Done": f"{report.percent:.0f} %",
        "Left": _minutes(report.eta_seconds),
    }
    if report.queue_position is not None:
        head["Place"] = f"{report.queue_position} in the queue"
    steps = [
        f"  {step.label:<12}{step.state:<10}{step.percent:>5.0f} %"
        + (f"  {step.fps:.0f} fps" if step.fps else "")
        for step in report.steps
    ]
    parts = [output.pairs(head), "\n".join(steps)]
    if report.error_message:
        parts += [f"Failed: {report.error_message}", report.log_tail]
    return "\n\n".join(part for part in parts if part)


def _minutes(seconds: int | None) -> str:
    if seconds is None:
        return ""
    return f"{seconds // 60}:{seconds % 60:02}"
