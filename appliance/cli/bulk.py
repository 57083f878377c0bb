"""``matinee bulk``: changes of many titles at once, and undoing them."""

import dataclasses
from typing import Any

import click

from appliance.catalog import bulk as many
from appliance.catalog.bulk import Outcome
from appliance.catalog.bulk_words import MOVES, Wish
from appliance.catalog.sieve import Sieve
from appliance.cli.installation import Installation, pass_installation
from appliance.cli.tables import sifting
from appliance.errors import InvalidInput
from appliance.media import publishing


@click.group()
def bulk() -> None:
    """Change many titles at once, after seeing the effect, and undo that.

    \b
    matinee bulk change --tag summer --set move=archive --dry-run
    matinee bulk list
    """


@bulk.command()
@click.argument("slugs", nargs=-1, metavar="[SLUG]...")
@sifting
@click.option(
    "--set",
    "wishes",
    multiple=True,
    metavar="FIELD=VALUE",
    help="What they become: add_genres, drop_genres, add_tags, drop_tags, rating,"
    " language, library (a hyphen: none) or move.",
)
@click.option("--dry-run", is_flag=True, help="Show the effect, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def change(
    installation: Installation,
    /,
    slugs: tuple[str, ...],
    wishes: tuple[str, ...],
    dry_run: bool,
    yes: bool,
    **by: str | None,
) -> None:
    """Change the titles [SLUG]..., or all that the options let pass.

    \b
    matinee bulk change --genre drama --set add_tags=classics --set rating=12
    matinee bulk change --stage expired --set move=archive --yes
    """
    wish = Wish.read(dict(map(_pair, wishes)))
    sieve = Sieve.read(by)
    if bool(slugs) == bool(sieve.said()):
        raise InvalidInput(
            "bulk.none", "Name titles, or say which by the options: one of both."
        )
    with installation.db() as db:
        settings, actor = installation.settings, installation.actor
        chosen = many.chosen(db, actor, slugs, sieve if sieve.said() else None)
        shown = many.preview(db, settings, actor, chosen, wish, publishing.publish)
        if not dry_run:
            question = f"{wish.said()}: change {shown.changed} of {shown.total} titles?"
            installation.out.confirm(question, yes)
            shown = many.apply(
                *(db, settings, actor, chosen, wish, publishing.publish),
                mark=shown.mark,
            )
    _tell(installation, shown, dry_run)


@bulk.command("list")
@pass_installation
def listing(installation: Installation) -> None:
    """List the last changes of many titles."""
    with installation.db() as db:
        found = many.listing(db, installation.settings)
    installation.out.table(
        ("CHANGE", "WHEN", "WHO", "TITLES", "UNDO", "WHAT"),
        [
            (
                *(each.public_id, each.created_at[:16], each.username, each.titles),
                *("yes" if each.left else "no", each.said),
            )
            for each in found
        ],
        [dataclasses.asdict(each) for each in found],
        empty="Nobody changed many titles at once yet.",
    )


@bulk.command()
@click.argument("change")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def undo(installation: Installation, change: str, yes: bool) -> None:
    """Undo CHANGE; titles that were changed since stay, and are named."""
    with installation.db() as db:
        made = many.by_id(db, installation.settings, change)
        installation.out.confirm(f"Undo “{made.said}” of {made.titles} titles?", yes)
        outcome = many.undo(
            *(db, installation.settings, installation.actor, change),
            *(publishing.publish,),
        )
    _tell(installation, outcome, dry_run=False)


def _tell(installation: Installation, outcome: Outcome, dry_run: bool) -> None:
    document: dict[str, Any] = dataclasses.asdict(outcome) | {"dry_run": dry_run}
    for each in outcome.problems:
        installation.out.say(f"{each.slug}: {each.problem}")
    would = "would be " if dry_run else ""
    undo = f"  (undo: matinee bulk undo {outcome.bulk})" if outcome.bulk else ""
    installation.out.result(
        document,
        f"{outcome.changed} {would}changed, {outcome.same} as before,"
        f" {outcome.refused} refused{undo}",
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    known = {each.name for each in dataclasses.fields(Wish)}
    if not equals or name.strip() not in known:
        raise InvalidInput(
            "bulk.wish",
            f"“{text}” is no wish: write FIELD=VALUE with one of"
            f" {', '.join(sorted(known))}; moves are {', '.join(MOVES)}.",
        )
    return name.strip(), value.strip()
