"""``matinee mail``: who is written to about what."""

from dataclasses import asdict

import click

from appliance.cli.installation import Installation, pass_installation
from appliance.operations import mail as letters


@click.group()
def mail() -> None:
    """Write e-mail about what happens: to whom, about what, and how it went.

    \b
    matinee mail tell 'job:fail' admin@example.org
    matinee mail test admin@example.org
    """


@mail.command("list")
@pass_installation
def listing(installation: Installation) -> None:
    """List who is written to about what; about alerts also without a rule."""
    with installation.db() as db:
        letters.rules(db, installation.actor)
        found = letters.in_force(db, installation.settings)
    installation.out.table(
        ("event", "to"),
        [(name, ", ".join(to)) for name, to in sorted(found.items())],
        {name: list(to) for name, to in found.items()},
        empty="Nobody is written to.",
    )


@mail.command("tell")
@click.argument("event")
@click.argument("recipients", nargs=-1)
@pass_installation
def tell(installation: Installation, event: str, recipients: tuple[str, ...]) -> None:
    """Write to RECIPIENTS about EVENT, as job:fail or title:*; to none: no longer."""
    with installation.db() as db:
        found = letters.set_rule(db, installation.actor, event, recipients)
    said = ", ".join(found.recipients.get(event, ())) or "nobody"
    installation.out.result(
        {name: list(to) for name, to in found.recipients.items()},
        f"{event}: {said}",
    )


@mail.command("log")
@pass_installation
def log(installation: Installation) -> None:
    """List the last letters, and what went wrong with them."""
    with installation.db() as db:
        found = letters.listing(db, installation.actor)
    installation.out.table(
        ("id", "to", "subject", "state", "problem"),
        [
            (each.id, each.recipient, each.subject, each.state.value, each.problem)
            for each in found
        ],
        [asdict(each) for each in found],
        empty="No letter was written yet.",
    )


@mail.command("test")
@click.argument("recipient")
@pass_installation
def test(installation: Installation, recipient: str) -> None:
    """Send a letter to RECIPIENT now, and say what goes wrong."""
    letters.send_test(installation.settings, installation.actor, recipient)
    installation.out.result({"sent": recipient}, f"Sent to {recipient}.")
