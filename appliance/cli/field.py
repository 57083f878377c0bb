"""``matinee field``: fields of this installation's own."""

import dataclasses
from typing import Any

import click

from appliance.catalog import custom_fields
from appliance.catalog.custom_fields import Field, Kind
from appliance.cli.installation import Installation, pass_installation
from appliance.errors import InvalidInput


@click.group()
def field() -> None:
    """Define fields of this installation's own, and fill them in.

    \b
    matinee field add Department --kind choice --choice Sales --choice Lab
    matinee field fill the-first-film department=Lab
    """


@field.command("list")
@pass_installation
def listing(installation: Installation) -> None:
    """List the fields, and in how many titles each has a value."""
    with installation.db() as db:
        found = custom_fields.listing(db)
    installation.out.table(
        ("KEY", "KIND", "TITLES", "LABEL"),
        [(each.key, each.kind, each.used, each.label) for each in found],
        [_document(each) for each in found],
        empty="There is no field of your own yet.",
    )


@field.command()
@click.argument("label")
@click.option(
    "--kind",
    type=click.Choice([each.value for each in Kind]),
    default="text",
    show_default=True,
    help="What it holds.",
)
@click.option("--choice", "choices", multiple=True, help="A choice; may be repeated.")
@click.option("--key", default="", help="Its key; else made of the label.")
@pass_installation
def add(
    installation: Installation,
    label: str,
    kind: str,
    choices: tuple[str, ...],
    key: str,
) -> None:
    """Make a field that is called LABEL."""
    with installation.db() as db:
        made = custom_fields.define(
            db, installation.actor, label, kind, choices=choices, key=key
        )
    installation.out.result(_document(made), f"{made.key}  {made.label}")


@field.command("set")
@click.argument("key")
@click.option("--label", help="What it is called.")
@click.option("--choice", "choices", multiple=True, help="A choice; may be repeated.")
@click.option("--position", type=int, help="Where it stands in the form.")
@pass_installation
def change(
    installation: Installation,
    key: str,
    label: str | None,
    choices: tuple[str, ...],
    position: int | None,
) -> None:
    """Change the field KEY; what it holds stays of its kind."""
    with installation.db() as db:
        made = custom_fields.change(
            *(db, installation.actor, key),
            label=label,
            choices=choices or None,
            position=position,
        )
    installation.out.result(_document(made), f"{made.key}  {made.label}")


@field.command()
@click.argument("key")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def remove(installation: Installation, key: str, yes: bool) -> None:
    """Remove the field KEY with what titles have in it."""
    with installation.db() as db:
        found = custom_fields.by_key(db, key)
        question = f"Remove “{found.label}” with its values in {found.used} titles?"
        installation.out.confirm(question, yes)
        custom_fields.remove(db, installation.actor, key)
    installation.out.result({"removed": key}, f"{key}  removed")


@field.command()
@click.argument("slug")
@click.argument("values", nargs=-1, required=True, metavar="KEY=VALUE...")
@pass_installation
def fill(installation: Installation, slug: str, values: tuple[str, ...]) -> None:
    """Give the title SLUG KEY=VALUE...; an empty VALUE takes it away."""
    with installation.db() as db:
        title = custom_fields.fill(
            db, installation.actor, slug, dict(map(_pair, values))
        )
    shown = ", ".join(f"{key}={value}" for key, value in title.custom.items())
    installation.out.result(
        {"slug": slug, "custom": dict(title.custom)}, f"{slug}  {shown}"
    )


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput("field.value", f"“{text}” is no value: write KEY=VALUE.")
    return key.strip(), value.strip()


def _document(each: Field) -> dict[str, Any]:
    return dataclasses.asdict(each) | {"kind": each.kind.value}
