"""``matinee collection``: titles put together, in an order, under a name."""

from typing import Any

import click

from appliance.catalog import collections
from appliance.catalog.collections import Collection
from appliance.cli import output
from appliance.cli.installation import Installation, pass_installation
from appliance.db import Database
from appliance.errors import InvalidInput


@click.group()
def collection() -> None:
    """Put titles together, in an order, under a name.

    A collection has a page of its own, can be a row of the home page, and can be what
    a right to watch is given to.

    \b
    matinee collection add "Safety first" --title fire-drill --title forklift
    matinee row add collection "Safety first" --collection safety-first
    """


@collection.command()
@click.argument("name")
@click.option("--synopsis", default="", help="What it is about.")
@click.option("--title", "titles", multiple=True, help="A slug; may be repeated.")
@pass_installation
def add(
    installation: Installation, name: str, synopsis: str, titles: tuple[str, ...]
) -> None:
    """Make the collection NAME of the titles, in the order they are given."""
    with installation.db() as db:
        made = collections.add(
            db, installation.actor, name, synopsis=synopsis, members=titles
        )
        document = _document(db, made)
    installation.out.result(document, _lines(document))


@collection.command("list")
@pass_installation
def listing(installation: Installation) -> None:
    """List every collection."""
    with installation.db() as db:
        found = collections.listing(db)
        documents = [_document(db, each) for each in found]
    installation.out.table(
        ("COLLECTION", "NAME", "TITLES"),
        [(each.slug, each.name, each.titles) for each in found],
        documents,
        empty="There is no collection.",
    )


@collection.command()
@click.argument("collection")
@pass_installation
def show(installation: Installation, collection: str) -> None:
    """Show COLLECTION (its slug) with the titles in it."""
    with installation.db() as db:
        document = _document(db, collections.by_slug(db, collection))
    installation.out.result(document, _lines(document))


@collection.command("set")
@click.argument("collection")
@click.option("--name", help="Another name; the slug stays.")
@click.option("--synopsis", help="What it is about.")
@click.option(
    "--title",
    "titles",
    multiple=True,
    help="A slug; may be repeated. All that are in it from now on, in this order.",
)
@click.option("--empty", is_flag=True, help="Take every title out of it.")
@pass_installation
def change(
    installation: Installation,
    collection: str,
    name: str | None,
    synopsis: str | None,
    titles: tuple[str, ...],
    empty: bool,
) -> None:
    """Change COLLECTION: what it is called, or which titles are in it."""
    if name is None and synopsis is None and not titles and not empty:
        raise InvalidInput("collection.nothing", "Say what to change: see --help.")
    with installation.db() as db:
        changed = collections.change(
            db,
            installation.actor,
            collection,
            name=name,
            synopsis=synopsis,
            members=titles if titles or empty else None,
        )
        document = _document(db, changed)
    installation.out.result(document, _lines(document))


@collection.command()
@click.argument("collection")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@pass_installation
def remove(installation: Installation, collection: str, yes: bool) -> None:
    """Remove COLLECTION with rows of it and rights to it; its titles stay."""
    with installation.db() as db:
        found = collections.by_slug(db, collection)
        question = f"Remove the collection “{found.name}” of {found.titles} titles?"
        installation.out.confirm(question, yes)
        collections.remove(db, installation.actor, found.slug)
    installation.out.result({"removed": found.slug}, f"Removed: {found.name}")


def _document(db: Database, found: Collection) -> dict[str, Any]:
    return {
        "collection": found.slug,
        "name": found.name,
        "synopsis": found.synopsis,
        "titles": [slug for slug, _ in collections.members(db, found.id)],
        "updated_at": found.updated_at,
    }


def _lines(document: dict[str, Any]) -> str:
    shown = document | {"titles": "\n  ".join(["", *document["titles"]])}
    return output.pairs(shown)
