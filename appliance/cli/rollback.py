"""``matinee rollback``: the release of before, again."""

from pathlib import Path

import click

from appliance.cli.installation import Installation, pass_installation
from appliance.cli.release_change import ROLLBACK, Change
from appliance.cli.release_host import Host
from appliance.cli.upgrade import require_root, show
from appliance.clock import SystemClock
from appliance.errors import PreconditionFailed
from appliance.operations import releases
from appliance.operations.releases import Layout


@click.command()
@click.option("--to", metavar="VERSION", help="Another than the one before.")
@click.option(
    "--database",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A snapshot to put back with it, where that release can't work with the"
    " database as it is; what was written since is lost.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def rollback(
    installation: Installation, to: str | None, database: Path | None, yes: bool
) -> None:
    """Put the release of before into use again; what was written since stays.

    An upgrade that was cut short is taken back.
    """
    require_root()
    layout = Layout()
    change = Change(Host(layout), SystemClock(), installation.out.say)
    if outcome := change.undo():
        show(installation, outcome)
        return
    version = to or releases.in_use(layout, "previous")
    if not version:
        raise PreconditionFailed(
            "release.no-previous",
            "There is no release to go back to: `matinee release list`.",
        )
    lost = (
        f", and the database of {database}: what came since is lost" if database else ""
    )
    installation.out.confirm(f"Put release {version} into use{lost}?", yes)
    show(installation, change.to(ROLLBACK, version, str(database or "")))
