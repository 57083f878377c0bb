"""``matinee doctor``: what is well here, what is not, and what to do about it."""

import dataclasses
from collections.abc import Iterator

import click

from appliance.checks import CHECKS, Examined, examine
from appliance.checks.overview import document
from appliance.cli.installation import Installation, pass_installation
from appliance.operations import check_ups
from appliance.operations.check_ups import Change
from appliance.operations.findings import Finding, Level


@click.command()
@click.option("--full", is_flag=True, help="Also run the checks that take long.")
@click.option(
    "--only",
    multiple=True,
    metavar="ID",
    help="Only the check with this ID, a slow one too; may be given again.",
)
@click.option(
    "--changes",
    is_flag=True,
    help="Show only what differs from the last time, and record it for those who want"
    " letters or webhooks of health:change.",
)
@click.pass_context
@pass_installation
def doctor(
    installation: Installation,
    context: click.Context,
    full: bool,
    only: tuple[str, ...],
    changes: bool,
) -> None:
    """Check this installation; nothing is changed.

    Ends with 1 when a check failed; warnings do not count.
    """
    examined = Examined(installation.settings)
    findings = list(examine(examined, full=full, only=only))
    if not changes:
        context.exit(show(installation, findings))
    with installation.db() as db:
        found = check_ups.note(db, installation.actor, findings, CHECKS)
    failed = any(each.level is Level.FAIL for each in findings)
    told = document(findings) | {"changes": [_changed(each) for each in found]}
    lines = _changed_lines(found) if found else ["Nothing differs from the last time."]
    installation.out.result(told, "\n".join(lines))
    context.exit(1 if failed else 0)


def show(installation: Installation, findings: list[Finding]) -> int:
    """Print what checks found; return the exit code."""
    told = document(findings)
    installation.out.result(told, "\n".join(_lines(findings)))
    return 0 if told["ok"] else 1


def _changed(change: Change) -> dict[str, str]:
    return dataclasses.asdict(change.finding) | {"before": change.before}


def _changed_lines(changes: list[Change]) -> Iterator[str]:
    for each in changes:
        now = each.finding
        yield f"{now.level.upper():<4}  {now.id} (was {each.before})  {now.sentence}"
        if now.fix:
            yield f"      fix: {now.fix}"


def _lines(findings: list[Finding]) -> Iterator[str]:
    width = max(len(each.id) for each in findings)
    for each in findings:
        yield f"{each.level.upper():<4}  {each.id:<{width}}  {each.sentence}"
        if each.fix:
            yield f"      fix: {each.fix}"
    counts = [
        f"{sum(each.level is level for each in findings)} {word}"
        for level, word in _WORDS.items()
    ]
    yield f"{len(findings)} checks: {', '.join(counts)}"


_WORDS = {Level.OK: "ok", Level.WARN: "warnings", Level.FAIL: "failures"}
