"""``matinee audit``: who did what, as the events tell it."""

import dataclasses
import json

import click

from appliance import events
from appliance.access import moments
from appliance.cli.installation import Installation, pass_installation
from appliance.events import Event

_PER_READ = 1000


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


@audit.command()
@click.option("--since", help="From when on, as 2026-02-01 or with a time (UTC).")
@click.option("--until", help="Until when; that moment itself is left out.")
@click.option(
    "--event",
    type=click.Choice([each.value for each in Event]),
    metavar="EVENT",
    help="Only this event, as title:create.",
)
@click.option("--who", default="", help="Only what this account did.")
@click.option(
    "--subject", default="", help="Only what befell this, as title or title/ID."
)
@pass_installation
def export(
    installation: Installation,
    since: str | None,
    until: str | None,
    event: str | None,
    who: str,
    subject: str,
) -> None:
    """Write events as JSON, one a line, newest first: for an archive or a SIEM.

    \b
    matinee audit export --since 2026-02-01 --until 2026-03-01 > february.jsonl
    """
    begins, ends = moments.span(since, until)
    cursor: int | None = None
    with installation.db() as db:
        while found := events.before(
            db,
            cursor,
            name=Event(event) if event else None,
            actor=who,
            subject=subject,
            begins=begins or "",
            ends=ends or "",
            limit=_PER_READ,
        ):
            for each in found:
                line = dataclasses.asdict(each)
                click.echo(json.dumps(line, ensure_ascii=False))
            cursor = found[-1].id
