"""``matinee group``: accounts that have rights together."""

from typing import Any

import click

from appliance.accounts import groups
from appliance.accounts.groups import Group
from appliance.cli.installation import Installation, pass_installation


@click.group()
def group() -> None:
    """Manage groups: departments, customers, whoever has the same rights.

    \b
    matinee group add Training
    matinee group join Training ada ben
    matinee access grant group:Training --title fire-safety
    """


@group.command("list")
@click.argument("name", required=False)
@pass_installation
def listing(installation: Installation, name: str | None) -> None:
    """List the groups, or who is in the group NAME."""
    with installation.db() as db:
        if name is not None:
            found = groups.find(db, name)
            who = groups.members(db, found)
            installation.out.table(
                ("USER", "SHOWN AS"),
                [(each.username, each.display_name) for each in who],
                [
                    {"username": each.username, "display_name": each.display_name}
                    for each in who
                ],
                empty=f"Nobody is in “{found.name}”.",
            )
            return
        every = groups.listing(db)
    installation.out.table(
        ("ID", "NAME", "MEMBERS"),
        [(each.public_id, each.name, each.members) for each in every],
        [_document(each) for each in every],
        empty="There is no group yet: make one with `matinee group add NAME`.",
    )


@group.command()
@click.argument("name")
@pass_installation
def add(installation: Installation, name: str) -> None:
    """Make the group NAME."""
    with installation.db() as db:
        made = groups.add(db, installation.actor, name)
    installation.out.result(_document(made), f"There is a group “{made.name}” now.")


@group.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def remove(installation: Installation, name: str, yes: bool) -> None:
    """Remove the group NAME with its rights; its accounts stay."""
    with installation.db() as db:
        found = groups.find(db, name)
        installation.out.confirm(f"Remove the group “{found.name}”?", yes)
        gone = groups.remove(db, installation.actor, found.public_id)
    installation.out.result(_document(gone), f"The group “{gone.name}” is removed.")


@group.command()
@click.argument("name")
@click.argument("users", nargs=-1, required=True)
@pass_installation
def join(installation: Installation, name: str, users: tuple[str, ...]) -> None:
    """Put the accounts USERS into the group NAME.

    \b
    matinee group join Training ada ben
    """
    with installation.db() as db:
        for each in users:
            groups.join(db, installation.actor, name, each)
        found = groups.find(db, name)
    installation.out.result(_document(found), _filled(found))


@group.command()
@click.argument("name")
@click.argument("users", nargs=-1, required=True)
@pass_installation
def leave(installation: Installation, name: str, users: tuple[str, ...]) -> None:
    """Take the accounts USERS out of the group NAME.

    What they watch by its rights stops within minutes.
    """
    with installation.db() as db:
        for each in users:
            groups.leave(db, installation.actor, name, each)
        found = groups.find(db, name)
    installation.out.result(_document(found), _filled(found))


def _filled(found: Group) -> str:
    many = "account" if found.members == 1 else "accounts"
    return f"“{found.name}” has {found.members} {many}."


def _document(about: Group) -> dict[str, Any]:
    return {"id": about.public_id, "name": about.name, "members": about.members}
