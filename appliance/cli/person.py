"""``matinee person``: the cast and crew of titles."""

from pathlib import Path
from typing import Any

import click

from appliance.catalog import filmography, people, portraits
from appliance.catalog.people import Person
from appliance.cli import output
from appliance.cli.installation import Installation, pass_installation
from appliance.errors import InvalidInput


@click.group()
def person() -> None:
    """Look after the people of cast and crew: names, biographies, portraits.

    Whoever is named in the credits of a title is a person; see `matinee title set
    --credit`.

    \b
    matinee person list byron
    matinee person set ada-byron --biography "She wrote the first program."
    matinee person portrait ada-byron ada.jpg
    """


@person.command("list")
@click.argument("words", default="")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="At most so many people.",
)
@pass_installation
def listing(installation: Installation, words: str, limit: int) -> None:
    """List people, or those whose name has WORDS."""
    with installation.db() as db:
        found = people.listing(db, words, limit=limit)
    installation.out.table(
        ("PERSON", "TITLES", "NAME"),
        [(each.slug, each.titles, each.name) for each in found],
        [_document(each) for each in found],
        empty="There is nobody yet: name people with `matinee title set SLUG"
        " --credit`.",
    )


@person.command()
@click.argument("person")
@pass_installation
def show(installation: Installation, person: str) -> None:
    """Show what is known of PERSON, with their titles."""
    with installation.db() as db:
        found, works = filmography.page(db, installation.actor, person)
    done = [
        {
            "title": each.title.slug,
            "name": each.title.name,
            "jobs": each.jobs,
            "characters": each.characters,
        }
        for each in works
    ]
    installation.out.result(
        _document(found) | {"works": done},
        output.pairs(
            {
                "person": found.slug,
                "name": found.name,
                "biography": found.biography,
                "titles": ", ".join(each.title.slug for each in works),
            }
        ),
    )


@person.command()
@click.argument("name")
@click.option("--biography", help="What is to be known of them.")
@click.option("--external-id", help="What they are called in another system.")
@pass_installation
def add(installation: Installation, /, name: str, **fields: str | None) -> None:
    """Make a person called NAME."""
    given = {each: value for each, value in fields.items() if value is not None}
    with installation.db() as db:
        made = people.add(db, installation.actor, name, **given)
    installation.out.result(_document(made), made.slug)


@person.command("set")
@click.argument("person")
@click.option("--name", help="Another name; the slug stays.")
@click.option("--biography", help="What is to be known of them; empty: nothing.")
@click.option("--external-id", help="What they are called in another system.")
@pass_installation
def change(installation: Installation, /, person: str, **fields: str | None) -> None:
    """Change what is said of PERSON."""
    changes: dict[str, Any] = {
        each: value for each, value in fields.items() if value is not None
    }
    if not changes:
        raise InvalidInput("person.nothing", "Say what to change: see --help.")
    with installation.db() as db:
        kept = people.edit(db, installation.actor, person, **changes)
    installation.out.result(
        _document(kept), f"{kept.slug}  {', '.join(sorted(changes))}"
    )


@person.command()
@click.argument("person")
@click.argument(
    "picture",
    required=False,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@pass_installation
def portrait(installation: Installation, person: str, picture: Path | None) -> None:
    """Show PERSON by PICTURE, or by none without it."""
    storage, actor = installation.storage, installation.actor
    with installation.db() as db:
        if picture is None:
            kept = portraits.drop(db, storage, actor, person)
        else:
            kept = portraits.add(db, storage, actor, person, picture)
    installation.out.result(_document(kept), f"{kept.slug}  {kept.portrait or 'none'}")


@person.command()
@click.argument("person")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def remove(installation: Installation, person: str, yes: bool) -> None:
    """Remove PERSON with their credits; the titles stay."""
    with installation.db() as db:
        found = people.by_slug(db, person)
        installation.out.confirm(
            f"Remove “{found.name}” from the credits of {found.titles} titles?", yes
        )
        portraits.remove(db, installation.storage, installation.actor, found.slug)
    installation.out.result(
        {"person": found.slug, "removed": True}, f"{found.slug}  removed"
    )


def _document(found: Person) -> dict[str, Any]:
    return {
        "person": found.slug,
        "name": found.name,
        "biography": found.biography,
        "portrait": found.portrait,
        "external_id": found.external_id,
        "titles": found.titles,
        "revision": found.revision,
    }
