"""``matinee profile``: who watches with an account."""

import dataclasses
from typing import Any

import click

from appliance.accounts import people, pins, profiles
from appliance.accounts.profiles import Profile
from appliance.cli import explained
from appliance.cli.installation import Installation, pass_installation


@click.group()
def profile() -> None:
    """Manage profiles: who watches with an account, and up to which age.

    \b
    matinee profile add ada Bo --kids --limit 6
    matinee profile limit ada Bo 12
    """


@profile.command("list")
@click.argument("user")
@pass_installation
def listing(installation: Installation, user: str) -> None:
    """List the profiles of USER."""
    with installation.db() as db:
        account = people.find(db, user)
        found = profiles.of_account(db, account.id)
        guarded = pins.guards(db, account.id)
    installation.out.table(
        ("ID", "NAME", "KIND", "SHOWS", "PIN", "LANGUAGE"),
        [
            (
                each.public_id,
                each.name,
                "child" if each.kids else "adult",
                _reach(each),
                "yes" if each.locked else "no",
                each.language or "–",
            )
            for each in found
        ],
        [_document(each) for each in found],
        empty="",
    )
    if guarded:
        installation.out.say(f"The account {account.username} has a PIN of its own.")


@profile.command()
@click.argument("user")
@click.argument("name")
@click.option("--limit", "age", help="Up to which age it watches; else everything.")
@click.option("--kids", is_flag=True, help="A child's profile: the portal alone.")
@click.option("--avatar", default="", help="Its picture, as fox, owl or sky.")
@click.option("--language", default="", help="In which language pages speak, as de.")
@pass_installation
def add(
    installation: Installation, /, user: str, name: str, age: str | None, **fields: Any
) -> None:
    """Add the profile NAME to the account USER.

    \b
    matinee profile add ada Bo --kids --limit 6 --avatar fox
    """
    with installation.db() as db:
        account = people.find(db, user)
        made = profiles.add(
            db,
            installation.settings,
            installation.actor,
            account.id,
            name,
            rating_limit=None if age is None else explained.age(age),
            **fields,
        )
    _say(installation, made, f"“{made.name}” watches {_reach(made)}.")


@profile.command()
@click.argument("user")
@click.argument("name")
@click.option("--name", "new_name", help="What it is called from now on.")
@click.option("--limit", "age", help="Up to which age it watches, or none.")
@click.option("--kids/--no-kids", default=None, help="Whether it is a child's.")
@click.option("--avatar", help="Its picture, as fox, owl or sky.")
@click.option("--language", help="In which language pages speak, as de.")
@pass_installation
def edit(
    installation: Installation,
    /,
    user: str,
    name: str,
    new_name: str | None,
    age: str | None,
    **fields: Any,
) -> None:
    """Change the profile NAME (or its id) of the account USER.

    \b
    matinee profile edit ada Bo --name Robert --no-kids --limit none
    """
    changes = {key: value for key, value in fields.items() if value is not None}
    if new_name is not None:
        changes["name"] = new_name
    if age is not None:
        changes["rating_limit"] = explained.age(age)
    if not changes:
        raise click.UsageError("Say what to change, as --name or --limit.")
    with installation.db() as db:
        found = profiles.named(db, user, name)
        changed = profiles.edit(
            db, installation.settings, installation.actor, found.public_id, **changes
        )
    _say(installation, changed, f"“{changed.name}” watches {_reach(changed)}.")


@profile.command()
@click.argument("user")
@click.argument("name")
@click.argument("age")
@pass_installation
def limit(installation: Installation, user: str, name: str, age: str) -> None:
    """Let the profile NAME of USER watch what is for this AGE or younger; none: all.

    Titles whose rating is missing or unknown are then refused too.

    \b
    matinee profile limit ada Bo 12
    matinee profile limit ada Bo none
    """
    with installation.db() as db:
        found = profiles.named(db, user, name)
        limited = profiles.limit(
            db, installation.actor, found.public_id, explained.age(age)
        )
    _say(installation, limited, f"“{limited.name}” watches {_reach(limited)}.")


@profile.command()
@click.argument("user")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def remove(installation: Installation, user: str, name: str, yes: bool) -> None:
    """Remove the profile NAME (or its id) of USER, with what it watched."""
    with installation.db() as db:
        found = profiles.named(db, user, name)
        installation.out.confirm(
            f"Remove the profile “{found.name}” of {user} with what it watched?", yes
        )
        gone = profiles.remove(
            db, installation.settings, installation.actor, found.public_id
        )
    _say(installation, gone, f"“{gone.name}” of {user} is removed.")


def _say(installation: Installation, about: Profile, sentence: str) -> None:
    installation.out.result(_document(about), sentence)


def _reach(about: Profile) -> str:
    if about.rating_limit is None:
        return "everything"
    return f"up to {about.rating_limit}"


def _document(about: Profile) -> dict[str, Any]:
    document = dataclasses.asdict(about)
    del document["id"], document["account_id"]
    return document
