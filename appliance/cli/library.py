"""``matinee library``: titles that are encoded alike, and what becomes of sources."""

from typing import Any

import click

from appliance.catalog import libraries, library_policy
from appliance.catalog.libraries import Library
from appliance.cli import output
from appliance.cli.installation import Installation, pass_installation
from appliance.errors import InvalidInput
from appliance.settings import Encode


@click.group()
def library() -> None:
    """Let titles be encoded alike, and say what becomes of their sources.

    A library says only what is to differ from the section encode of the settings:
    codecs, max_height, per_title, quick_first, keep_source, preset, crf, normalise,
    loudness, surround. A title belongs to one library at most.

    \b
    matinee library add Trainings max_height=1080 keep_source=verified
    matinee library set trainings codecs=h264,av1
    matinee title set fire-drill --library trainings
    """


@library.command()
@click.argument("name")
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@pass_installation
def add(installation: Installation, name: str, fields: tuple[str, ...]) -> None:
    """Make the library NAME; [FIELD=VALUE]... is what differs from the settings."""
    encode = installation.settings.encode
    with installation.db() as db:
        made = libraries.add(db, installation.actor, encode, name, _pairs(fields))
    installation.out.result(_document(made, encode), _lines(made, encode))


@library.command("list")
@pass_installation
def listing(installation: Installation) -> None:
    """List every library, its titles, and what it says otherwise than the settings."""
    encode = installation.settings.encode
    with installation.db() as db:
        found = libraries.listing(db)
    installation.out.table(
        ("LIBRARY", "NAME", "TITLES", "OTHERWISE"),
        [(each.slug, each.name, each.titles, _otherwise(each)) for each in found],
        [_document(each, encode) for each in found],
        empty="There is no library: all titles are encoded as the settings say.",
    )


@library.command()
@click.argument("library")
@pass_installation
def show(installation: Installation, library: str) -> None:
    """Show how the titles of LIBRARY are encoded."""
    encode = installation.settings.encode
    with installation.db() as db:
        found = libraries.by_slug(db, library)
    installation.out.result(_document(found, encode), _lines(found, encode))


@library.command("set")
@click.argument("library")
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@click.option("--name", help="Another name; its short one stays.")
@pass_installation
def change(
    installation: Installation, library: str, fields: tuple[str, ...], name: str | None
) -> None:
    """Change LIBRARY: [FIELD=VALUE]..., an empty VALUE for what the settings say.

    It counts for what is encoded from now on, and for what becomes of sources. What
    the films of its titles lack then, `matinee title supplement` adds.

    \b
    matinee library set trainings keep_source=30 crf=
    """
    encode = installation.settings.encode
    with installation.db() as db:
        slug = libraries.by_slug(db, library).slug
        made = libraries.change(
            db, installation.actor, encode, slug, _pairs(fields), name=name
        )
    installation.out.result(_document(made, encode), _lines(made, encode))


@library.command()
@click.argument("library")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@pass_installation
def remove(installation: Installation, library: str, yes: bool) -> None:
    """Remove LIBRARY: its titles stay, and are encoded as the settings say."""
    with installation.db() as db:
        found = libraries.by_slug(db, library)
        question = f"Remove the library “{found.name}” of {found.titles} titles?"
        installation.out.confirm(question, yes)
        libraries.remove(db, installation.actor, found.slug)
    installation.out.result({"removed": found.slug}, f"Removed: {found.name}")


def _pairs(texts: tuple[str, ...]) -> dict[str, object]:
    return dict(map(_pair, texts))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(
            "library.field", f"“{text}” is no field: write it as FIELD=VALUE."
        )
    return name.strip(), value.strip()


def _document(found: Library, encode: Encode) -> dict[str, Any]:
    applied = library_policy.applied(encode, found.policy)
    return {
        "library": found.slug,
        "name": found.name,
        "titles": found.titles,
        "otherwise": dict(found.policy),
        "policy": {name: getattr(applied, name) for name in library_policy.FIELDS},
        "updated_at": found.updated_at,
    }


def _otherwise(found: Library) -> str:
    return " ".join(f"{name}={_shown(value)}" for name, value in found.policy.items())


def _lines(found: Library, encode: Encode) -> str:
    applied = library_policy.applied(encode, found.policy)
    own = {
        name: _shown(getattr(applied, name))
        + ("" if name in found.policy else "  (as the settings)")
        for name in library_policy.FIELDS
    }
    head = {"library": found.slug, "name": found.name, "titles": found.titles}
    return output.pairs(head | own)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
