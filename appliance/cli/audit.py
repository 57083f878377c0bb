"""``matinee audit``: who did what, as the events tell it."""

import dataclasses

import click

from appliance import events
from appliance.cli.installation import Installation, pass_installation


@click.group()
def audit() -> None:
    """Read the audit log."""


@audit.command("list")
@click.option("--after", type=int, help="Only what follows the event of this id.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    help="At most so many events.",
)
@pass_installation
def listing(installation: Installation, after: int | None, limit: int) -> None:
    """List events, oldest first; without --after the latest ones.

    \b
    matinee audit list --limit 10
    matinee audit list --after 1200 --json
    """
    with installation.db() as db:
        found = (
            events.latest(db, limit)
            if after is None
            else events.since(db, after, limit)
        )
    installation.out.table(
        ("ID", "TIME", "WHO", "EVENT", "SUBJECT"),
        [(e.id, e.at, e.actor, e.name, e.subject) for e in found],
        [dataclasses.asdict(each) for each in found],
        empty="Nothing has happened yet.",
    )
