"""``matinee migrate``: bring the database up to date, or back."""

from pathlib import Path

import click

from appliance import migrations
from appliance.cli.installation import Installation, pass_installation
from appliance.errors import InvalidInput
from appliance.operations.backups import snapshots


@click.command()
@click.option(
    "--trial", is_flag=True, help="Migrate a copy aside, and say what would be done."
)
@click.option(
    "--snapshot",
    metavar="REASON",
    help="Copy the database as it is, for an upgrade to go back to; migrate nothing.",
)
@click.option(
    "--put-back",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Put such a copy in the place of the database; nothing may have it open.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def migrate(
    installation: Installation,
    trial: bool,
    snapshot: str | None,
    put_back: Path | None,
    yes: bool,
) -> None:
    """Apply the database migrations that are pending.

    Two runs at once are safe: the second waits and finds nothing to do.
    """
    if sum((trial, snapshot is not None, put_back is not None)) > 1:
        raise InvalidInput(
            "command.usage", "--trial, --snapshot and --put-back go one at a time."
        )
    if trial:
        _try(installation)
    elif snapshot is not None:
        made = snapshots.snapshot(installation.settings, snapshot)
        installation.out.result({"snapshot": str(made)}, str(made))
    elif put_back is not None:
        _put_back(installation, put_back, yes)
    else:
        _apply(installation)


def _apply(installation: Installation) -> None:
    applied = migrations.migrate(installation.settings.database)
    installation.out.result(
        {"database": str(installation.settings.database), "applied": applied},
        f"Applied: {', '.join(applied)}." if applied else "Nothing to do.",
    )


def _try(installation: Installation) -> None:
    database = installation.settings.database
    applied = migrations.trial(database)
    contracts = [name for name in applied if name in migrations.CONTRACTS]
    document = {"would_apply": applied, "contracts": contracts}
    installation.out.result(
        {"database": str(database), **document},
        f"Would apply: {', '.join(applied)}." if applied else "Nothing to do.",
    )


def _put_back(installation: Installation, copy: Path, yes: bool) -> None:
    database = installation.settings.database
    installation.out.confirm(
        f"Put {copy} in the place of {database}? What was written since is lost.", yes
    )
    snapshots.put_back(installation.settings, copy)
    installation.out.result(
        {"database": str(database), "snapshot": str(copy)}, f"{database} is {copy} now."
    )
