"""``matinee doctor``: what is well here, what is not, and what to do about it."""

import dataclasses
from collections.abc import Iterator

import click

from appliance.cli.checks import Finding, Level, examine
from appliance.cli.installation import Installation, pass_installation


@click.command()
@click.pass_context
@pass_installation
def doctor(installation: Installation, context: click.Context) -> None:
    """Check this installation; nothing is changed.

    Ends with 1 when a check failed; warnings do not count.
    """
    context.exit(show(installation, list(examine(installation))))


def show(installation: Installation, findings: list[Finding]) -> int:
    """Print what checks found; return the exit code."""
    failed = sum(each.level is Level.FAIL for each in findings)
    installation.out.result(
        {"ok": not failed, "checks": [dataclasses.asdict(each) for each in findings]},
        "\n".join(_lines(findings)),
    )
    return 1 if failed else 0


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
