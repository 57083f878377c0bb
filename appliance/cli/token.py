"""``matinee token``: what programs sign in with."""

from dataclasses import asdict

import click

from appliance.accounts import tokens
from appliance.cli.installation import Installation, pass_installation
from appliance.permissions import MEANINGS

_MEANINGS = "\n".join(f"{action.value}: {said}" for action, said in MEANINGS.items())


@click.group()
def token() -> None:
    """Give programs tokens that may do some things for a while.

    \b
    matinee token create ada "Nightly import" --scope title:import --days 90
    matinee token list
    """


@token.command("create", epilog=_MEANINGS.replace("\n", "\n\n"))
@click.argument("username")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    help="What it may do, as title:import; may be given again.",
)
@click.option(
    "--days",
    type=click.IntRange(1, tokens.MOST_DAYS),
    default=90,
    show_default=True,
    help="How long it lives.",
)
@pass_installation
def create(
    installation: Installation,
    username: str,
    name: str,
    scopes: tuple[str, ...],
    days: int,
) -> None:
    """Make a token of USERNAME for NAME; it is printed now and never again."""
    with installation.db() as db:
        text, made = tokens.create(db, installation.actor, username, name, scopes, days)
    installation.out.result(asdict(made) | {"token": text}, text)


@token.command("list")
@pass_installation
def listing(installation: Installation) -> None:
    """List every token that still holds."""
    with installation.db() as db:
        found = tokens.listing(db, installation.actor, everybody=True)
    installation.out.table(
        ("id", "user", "name", "may", "used", "until"),
        [
            (
                each.id,
                each.username,
                each.name,
                ", ".join(each.scopes),
                each.seen_at,
                each.expires_at,
            )
            for each in found
        ],
        [asdict(each) for each in found],
        empty="There is no token.",
    )


@token.command("revoke")
@click.argument("token_id", metavar="TOKEN")
@pass_installation
def revoke(installation: Installation, token_id: str) -> None:
    """End TOKEN, an id, at once."""
    with installation.db() as db:
        gone = tokens.revoke(db, installation.actor, token_id)
    installation.out.result({"revoked": gone.id}, f"Revoked: {gone.name}")
