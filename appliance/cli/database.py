"""``matinee migrate``: bring the database up to date."""

import click

from appliance import migrations
from appliance.cli.installation import Installation, pass_installation


@click.command()
@pass_installation
def migrate(installation: Installation) -> None:
    """Apply the database migrations that are pending.

    Two runs at once are safe: the second waits and finds nothing to do.
    """
    applied = migrations.migrate(installation.settings.database)
    installation.out.result(
        {"database": str(installation.settings.database), "applied": applied},
        f"Applied: {', '.join(applied)}." if applied else "Nothing to do.",
    )
