"""``matinee user``: accounts, their roles, passwords and sessions."""

import dataclasses
from typing import Any

import click

from appliance.accounts import people, pins, sessions, totp
from appliance.accounts.people import Account
from appliance.cli import output, passwords
from appliance.cli.installation import Installation, pass_installation
from appliance.permissions import Role

_ROLES = click.Choice([role.value for role in Role])
_password_stdin = click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from the first line of standard input.",
)


@click.group()
def user() -> None:
    """Manage accounts: who may sign in, and as what."""


@user.command()
@click.argument("name")
@click.option(
    "--role",
    "roles",
    type=_ROLES,
    multiple=True,
    default=[Role.VIEWER.value],
    show_default=True,
    help="What the account may do; give it several times for several roles.",
)
@click.option("--display-name", default="", help="The name to show; else NAME.")
@click.option("--email", help="The e-mail address.")
@_password_stdin
@pass_installation
def add(
    installation: Installation,
    name: str,
    roles: tuple[str, ...],
    display_name: str,
    email: str | None,
    password_stdin: bool,
) -> None:
    """Create the account NAME with its first profile.

    \b
    matinee user add ada --role publisher
    pwgen 16 1 | matinee user add bob --password-stdin
    """
    password = passwords.take(password_stdin)
    with installation.db() as db:
        account = people.create(
            db,
            installation.settings,
            installation.actor,
            name,
            password,
            display_name=display_name,
            email=email,
            roles=[Role(role) for role in roles],
        )
    _say(installation, account, "Created {}.")


@user.command("list")
@pass_installation
def listing(installation: Installation) -> None:
    """List every account."""
    with installation.db() as db:
        accounts = people.listing(db)
    installation.out.table(
        ("NAME", "SHOWN AS", "ROLES", "STATE", "SECOND FACTOR", "CREATED"),
        [
            (
                each.username,
                each.display_name,
                _roles(each),
                each.state.value,
                _on(each.has_totp),
                each.created_at[:10],
            )
            for each in accounts
        ],
        [_document(each) for each in accounts],
        empty="There is no account yet: create one with `matinee user add NAME`.",
    )


@user.command()
@click.argument("name")
@pass_installation
def show(installation: Installation, name: str) -> None:
    """Show the account NAME."""
    with installation.db() as db:
        account = people.find(db, name)
        count = len(sessions.listing(db, account.id))
    text = output.pairs(
        {
            "Name": account.username,
            "Shown as": account.display_name,
            "E-mail": account.email or "–",
            "Roles": _roles(account),
            "State": account.state.value,
            "Second factor": _on(account.has_totp),
            "Sessions": count,
            "Created": account.created_at,
        }
    )
    installation.out.result(_document(account) | {"sessions": count}, text)


@user.command()
@click.argument("name")
@click.argument("roles", type=_ROLES, nargs=-1, required=True)
@pass_installation
def roles(installation: Installation, name: str, roles: tuple[str, ...]) -> None:
    """Give the account NAME exactly these ROLES.

    \b
    matinee user roles ada viewer publisher
    """
    with installation.db() as db:
        account = people.set_roles(
            db, installation.actor, name, [Role(role) for role in roles]
        )
    _say(installation, account, f"{{}} is now {_roles(account)}.")


@user.command()
@click.argument("name")
@pass_installation
def disable(installation: Installation, name: str) -> None:
    """Keep the account NAME from signing in, and end its sessions at once."""
    with installation.db() as db:
        account = people.disable(db, installation.actor, name)
    _say(installation, account, "{} is disabled and signed out everywhere.")


@user.command()
@click.argument("name")
@pass_installation
def enable(installation: Installation, name: str) -> None:
    """Let the disabled account NAME sign in again."""
    with installation.db() as db:
        account = people.enable(db, installation.actor, name)
    _say(installation, account, "{} may sign in again.")


@user.command("reset-password")
@click.argument("name")
@_password_stdin
@pass_installation
def reset_password(installation: Installation, name: str, password_stdin: bool) -> None:
    """Set a new password for the account NAME, and end its sessions."""
    with installation.db() as db:
        people.find(db, name)
        account = people.reset_password(
            db,
            installation.settings,
            installation.actor,
            name,
            passwords.take(password_stdin),
        )
    _say(installation, account, "{} has a new password and is signed out everywhere.")


@user.command("reset-mfa")
@click.argument("name")
@pass_installation
def reset_mfa(installation: Installation, name: str) -> None:
    """Switch off the second factor of the account NAME, as when a phone is lost."""
    with installation.db() as db:
        account = people.find(db, name)
        totp.reset(db, installation.actor, account.id)
        account = people.by_id(db, account.id)
    _say(installation, account, "{} signs in with the password alone now.")


@user.command("reset-pin")
@click.argument("name")
@pass_installation
def reset_pin(installation: Installation, name: str) -> None:
    """Take away every PIN of the account NAME: its own and those of its profiles."""
    with installation.db() as db:
        account = people.find(db, name)
        cleared = pins.clear(db, installation.actor, account.id)
    installation.out.result(
        {"username": account.username, "cleared": cleared},
        f"Took away {cleared} PIN{'' if cleared == 1 else 's'} of {account.username}.",
    )


@user.command("sessions")
@click.argument("name")
@pass_installation
def list_sessions(installation: Installation, name: str) -> None:
    """List where the account NAME is signed in."""
    with installation.db() as db:
        found = sessions.listing(db, people.find(db, name).id)
    installation.out.table(
        ("ID", "KIND", "ADDRESS", "LAST USED", "PROGRAM"),
        [(s.id, s.kind.value, s.address, s.seen_at, s.user_agent) for s in found],
        [dataclasses.asdict(each) for each in found],
        empty=f"{name} is not signed in anywhere.",
    )


@user.command()
@click.argument("name")
@click.argument("session", required=False)
@click.option("--all", "every", is_flag=True, help="End every session of NAME.")
@pass_installation
def revoke(
    installation: Installation, name: str, session: str | None, every: bool
) -> None:
    """End one SESSION of the account NAME, or all of them.

    \b
    matinee user revoke ada 3f9c2a71d04be586
    matinee user revoke ada --all
    """
    if every == (session is not None):
        raise click.UsageError("Give the id of a session, or --all.")
    with installation.db() as db:
        account = people.find(db, name)
        if session is None:
            ended = sessions.revoke_others(db, installation.actor, account.id)
        else:
            sessions.revoke(db, installation.actor, session, of_account=account.id)
            ended = 1
    installation.out.result(
        {"username": account.username, "ended": ended},
        f"Ended {ended} session{'' if ended == 1 else 's'} of {account.username}.",
    )


def _say(installation: Installation, account: Account, sentence: str) -> None:
    installation.out.result(_document(account), sentence.format(account.username))


def _document(account: Account) -> dict[str, Any]:
    document = dataclasses.asdict(account)
    del document["id"]
    return document


def _roles(account: Account) -> str:
    return ", ".join(sorted(account.roles))


def _on(value: bool) -> str:
    return "on" if value else "off"
