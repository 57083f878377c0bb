"""``matinee sweep``: the housekeeping that the timer asks for each night."""

import dataclasses

import click

from appliance.cli.installation import Installation, pass_installation
from appliance.operations import upkeep
from jobs.chores import Chores


@click.command()
@pass_installation
def sweep(installation: Installation) -> None:
    """Put the house in order: what was left behind, what has run out, the database.

    The control worker does the same every ten minutes, but for the database; where it
    does not run, this does. Nothing is removed before its time.
    """
    settings = installation.settings
    with installation.db() as db:
        Chores(db, installation.storage, settings).do_what_is_due()
        kept = upkeep.keep_up(db, settings.database)
    installation.out.result(
        dataclasses.asdict(kept),
        f"The database has {_megabytes(kept.database)} MB,"
        f" {_megabytes(kept.unused)} MB of them unused;"
        f" {_megabytes(kept.log)} MB of its log were written into it.",
    )


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f}"
