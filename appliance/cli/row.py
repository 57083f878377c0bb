"""``matinee row``: the rows of the home page, their order, for whom and when."""

from typing import Any

import click

from appliance.cli import output
from appliance.cli.installation import Installation, pass_installation
from appliance.discovery import arranging, home_rows
from appliance.discovery.home_rows import MADE, HomeRow, Watchers
from appliance.errors import InvalidInput

_KINDS = click.Choice(sorted(kind.value for kind in MADE))
_WATCHERS = click.Choice([each.value for each in Watchers])


def _described(command: Any) -> Any:
    """Give a command the options that say what is in a row, for whom, and when."""
    for option in (
        click.option("--title", "titles", multiple=True, help="A slug; repeated."),
        click.option("--rule", multiple=True, help="FILTER=VALUE; repeated."),
        click.option("--collection", help="The slug of a collection."),
        click.option("--audience", type=_WATCHERS, help="Whose profiles see it."),
        click.option("--group", help="The group that sees it; empty: everybody."),
        click.option("--from", "starts_at", help="From when, as 2026-02-01 (UTC)."),
        click.option("--until", "ends_at", help="Until when; empty: for good."),
        click.option("--heading-in", multiple=True, help="LANGUAGE=HEADING; repeated."),
    ):
        command = option(command)
    return command


@click.group()
def row() -> None:
    """Arrange the rows of the home page: what is in them, for whom, and when.

    A row holds chosen titles, what a rule finds, or a collection. A rule has the
    filters of the page /browse: kind, genre, tag, language, captions, rating,
    year_from, year_to, minutes, sort.

    \b
    matinee row add rule "Safety first" --rule genre=safety --rule sort=newest
    matinee row add chosen "For new colleagues" --group Trainees --title welcome
    """


@row.command()
@click.argument("kind", type=_KINDS)
@click.argument("heading")
@_described
@pass_installation
def add(installation: Installation, /, kind: str, heading: str, **given: Any) -> None:
    """Make a row of KIND with HEADING over it, above all that everybody sees."""
    with installation.db() as db:
        made = arranging.add(db, installation.actor, kind, heading, **_changes(given))
    installation.out.result(_document(made), _lines(made))


@row.command("list")
@pass_installation
def listing(installation: Installation) -> None:
    """List the rows in their order, also those that nobody sees now."""
    with installation.db() as db:
        found = home_rows.listing(db)
    installation.out.table(
        ("ROW", "KIND", "HEADING", "FOR", "SHOWN"),
        [
            (
                each.public_id,
                each.kind,
                each.heading,
                each.group or each.audience,
                "yes" if each.enabled else "no",
            )
            for each in found
        ],
        [_document(each) for each in found],
    )


@row.command()
@click.argument("row")
@pass_installation
def show(installation: Installation, row: str) -> None:
    """Show what is in ROW."""
    with installation.db() as db:
        found = home_rows.by_public_id(db, row)
    installation.out.result(_document(found), _lines(found))


@row.command("set")
@click.argument("row")
@click.option("--heading", help="What stands over it.")
@click.option("--on/--off", "enabled", default=None, help="Show it, or do not.")
@_described
@pass_installation
def change(installation: Installation, /, row: str, **given: Any) -> None:
    """Change ROW; what is not named stays."""
    changes = _changes(given)
    if not changes:
        raise InvalidInput("row.nothing", "Say what to change: see --help.")
    with installation.db() as db:
        made = arranging.change(db, installation.actor, row, **changes)
    installation.out.result(_document(made), _lines(made))


@row.command()
@click.argument("row")
@click.argument("places", type=click.IntRange(-100, 100))
@pass_installation
def move(installation: Installation, row: str, places: int) -> None:
    """Move ROW by PLACES down; up when negative, as in `move ROW -- -2`."""
    with installation.db() as db:
        moved = arranging.move(db, installation.actor, row, places)
        order = [each.public_id for each in home_rows.listing(db)]
    installation.out.result({"row": moved.public_id, "rows": order}, "\n".join(order))


@row.command()
@click.argument("row")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@pass_installation
def remove(installation: Installation, row: str, yes: bool) -> None:
    """Remove ROW, one that somebody made; its titles stay."""
    with installation.db() as db:
        found = home_rows.by_public_id(db, row)
        installation.out.confirm(f"Remove the row “{found.heading}”?", yes)
        arranging.remove(db, installation.actor, row)
    installation.out.result({"removed": row}, f"Removed: {found.heading}")


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    """Return what was said; options that were left out are None or empty."""
    changes = {
        name: value
        for name, value in given.items()
        if value is not None and value != () and name not in ("rule", "heading_in")
    }
    if given["rule"]:
        changes["rule"] = dict(_pair(each, "FILTER") for each in given["rule"])
    if given["heading_in"]:
        told = dict(_pair(each, "LANGUAGE") for each in given["heading_in"])
        changes["translations"] = told
    return changes


def _pair(text: str, name: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput("row.pair", f"“{text}” is not written as {name}=VALUE.")
    return key.strip(), value.strip()


def _document(found: HomeRow) -> dict[str, Any]:
    return {
        "row": found.public_id,
        "kind": found.kind.value,
        "heading": found.heading,
        "translations": dict(found.translations),
        "rule": dict(found.rule),
        "titles": list(found.titles),
        "collection": found.collection,
        "enabled": found.enabled,
        "audience": found.audience.value,
        "group": found.group,
        "starts_at": found.starts_at,
        "ends_at": found.ends_at,
    }


def _lines(found: HomeRow) -> str:
    shown = _document(found) | {
        "rule": " ".join(f"{name}={value}" for name, value in found.rule.items()),
        "titles": " ".join(found.titles),
        "translations": ", ".join(
            f"{language}: {words}" for language, words in found.translations.items()
        ),
        "enabled": "yes" if found.enabled else "no",
    }
    return output.pairs({name: value for name, value in shown.items() if value})
