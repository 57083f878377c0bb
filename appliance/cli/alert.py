"""``matinee alert``: what has been wrong here for a while, and who looks for it."""

import dataclasses

import click

from appliance.checks import Examined, watch
from appliance.cli.installation import Installation, pass_installation
from appliance.operations import alerts


@click.group()
def alert() -> None:
    """See what is wrong here, and since when.

    The control worker looks every minute. To be told by e-mail, or by webhook:

    \b
    matinee mail tell 'alert:*' admin@example.org
    matinee webhook add https://example.org/hook --event 'alert:*'
    """


@alert.command("list")
@click.option("--all", "over", is_flag=True, help="Also what is over.")
@pass_installation
def listing(installation: Installation, over: bool) -> None:
    """List the alerts that are open."""
    with installation.db() as db:
        found = alerts.listing(db, installation.actor, over=over)
    installation.out.table(
        ("ALERT", "LEVEL", "SINCE", "UNTIL", "WHAT", "FIX"),
        [
            (
                *(each.name, each.level, each.began_at, each.cleared_at or ""),
                *(each.sentence, each.fix),
            )
            for each in found
        ],
        [dataclasses.asdict(each) for each in found],
        empty="Nothing is wrong." if not over else "Nothing was wrong.",
    )


@alert.command("watch")
@pass_installation
def over_shoulder(installation: Installation) -> None:
    """Look in place of a control worker that is dead or hangs.

    While one looks this does nothing; a timer of the machine calls it. Alerts that are
    due are sent at once.
    """
    changed = watch.look_over_shoulder(Examined(installation.settings))
    document = {
        "looked": changed is not None,
        "alerts": [dataclasses.asdict(each) for each in changed or ()],
    }
    told = [f"{each.name}: {each.sentence}" for each in changed or ()]
    usual = "The control worker looks itself." if changed is None else ""
    installation.out.result(document, "\n".join(told) or usual)
