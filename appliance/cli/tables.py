"""``matinee title``: tables in and out, and titles found as the Studio's list does."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from appliance.catalog import imports, sieve
from appliance.catalog.sieve import Listed, Sieve
from appliance.catalog.tables import exporting
from appliance.catalog.tables.planning import Does, Plan
from appliance.catalog.tables.running import Result
from appliance.cli.installation import Installation, pass_installation

_Command = TypeVar("_Command", bound=Callable[..., Any])
_SHOWN = 50


def sifting(command: _Command) -> _Command:
    """Give a command the options that the Studio's list is sifted by."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


_OPTIONS = (
    click.option("--words", default="", help="Words of name or synopsis, or a key."),
    click.option("--stage", type=click.Choice(sieve.STAGES), help="Where they stand."),
    click.option("--kind", type=click.Choice(sieve.KINDS), help="What they are."),
    click.option("--genre", default="", help="The slug of a genre."),
    click.option("--tag", default="", help="A tag that they have."),
    click.option("--library", default="", help="A library, by slug or name."),
    click.option("--creator", default="", help="The user name of who made them."),
    click.option("--language", default="", help="The spoken language."),
    click.option(
        "--lacks", type=click.Choice(tuple(sieve.LACKS)), help="What they lack."
    ),
    click.option(
        "--shows",
        type=click.Choice(tuple(sieve.SHOWS)),
        help="What leaves within 30 days, has a twin, or is part of nothing.",
    ),
)


@click.command()
@sifting
@click.option(
    "--order",
    type=click.Choice(tuple(sieve.ORDERS)),
    default="newest",
    show_default=True,
    help="In which order.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="At most so many titles.",
)
@pass_installation
def find(
    installation: Installation, /, order: str, limit: int, **by: str | None
) -> None:
    """Find titles as the Studio's list does.

    \b
    matinee title find --lacks captions
    matinee title find --shows leaving --order leaves
    """
    with installation.db() as db:
        found = sieve.listing(
            db, installation.actor, Sieve.read(by), order=order, limit=limit
        )
    installation.out.table(
        ("SLUG", "STAGE", "LEAVES", "TWINS", "NAME"),
        [
            (
                *(each.title.slug, each.stage, (each.leaves or "")[:10]),
                *(each.twins or "", each.title.name),
            )
            for each in found
        ],
        [_document(each) for each in found],
        empty="No title is like that.",
    )


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Say what it would do, and do nothing.")
@click.option(
    "--result",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what became of each row into this file, as CSV.",
)
@pass_installation
def bring(
    installation: Installation, file: Any, dry_run: bool, result: Path | None
) -> None:
    """Import titles from the table FILE (CSV; - for standard input).

    Rows are found again by external_id, so that the same table twice changes nothing
    the second time. `matinee title export --template` begins one.

    \b
    matinee title import films.csv --dry-run
    matinee title import films.csv --result films-result.csv
    """
    data, settings, actor = file.read(), installation.settings, installation.actor
    with installation.db() as db:
        if dry_run:
            _planned(installation, imports.look(db, settings, actor, data))
            return
        results = imports.at_once(db, settings, actor, data)
    if result is not None:
        result.write_text(imports.result_table(results), encoding="utf-8")
    _told(installation, results)


@click.command("export")
@sifting
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write into this file; else to standard output.",
)
@click.option(
    "--excel", is_flag=True, help="With semicolons and a mark, as spreadsheets like it."
)
@click.option("--template", is_flag=True, help="An empty table with one example.")
@click.option("--dry-run", is_flag=True, help="Say how many titles, and write nothing.")
@pass_installation
def export(
    installation: Installation,
    /,
    out: Path | None,
    excel: bool,
    template: bool,
    dry_run: bool,
    **by: str | None,
) -> None:
    """Write titles as a table that can be imported again.

    \b
    matinee title export --out titles.csv
    matinee title export --stage published --excel --out for-the-office.csv
    """
    separator = ";" if excel else ","
    with installation.db() as db:
        wanted = Sieve.read(by)
        count = sieve.count(db, installation.actor, wanted)
        if dry_run:
            document = {"titles": count, "dry_run": True}
            installation.out.result(document, f"{count} titles would be written")
            return
        if template:
            text = exporting.template(db, separator=separator, excel=excel)
        else:
            lines = exporting.export(
                *(db, installation.actor, wanted), separator=separator, excel=excel
            )
            text = "".join(lines)
    if out is None:
        click.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8", newline="")
    installation.out.result(
        {"titles": 0 if template else count, "file": str(out)}, f"Written: {out}"
    )


COMMANDS = (find, bring, export)


def _planned(installation: Installation, plan: Plan) -> None:
    counts = {_WORDS[does]: plan.count(does) for does in Does}
    wrong = [row for row in plan.rows if row.does is Does.REFUSE]
    document = {
        "dry_run": True,
        **counts,
        "encoding": plan.encoding,
        "rows": [
            {
                "line": row.line,
                "does": row.does.value,
                "key": row.key,
                "title": row.title or None,
                "cells": [dataclasses.asdict(cell) for cell in row.cells],
                "errors": [{"column": at, "message": said} for at, said in row.errors],
            }
            for row in plan.rows
        ],
    }
    for row in wrong[:_SHOWN]:
        for at, said in row.errors:
            installation.out.say(f"Line {row.line}{f', {at}' if at else ''}: {said}")
    installation.out.result(document, _line(counts, "would be "))


def _told(installation: Installation, results: list[Result]) -> None:
    counts = imports.counted(results)
    refused = [each for each in results if each.problem]
    for each in refused[:_SHOWN]:
        installation.out.say(f"Line {each.line}: {each.problem}")
    document = {**counts, "results": [dataclasses.asdict(each) for each in results]}
    installation.out.result(document, _line(counts))


_WORDS = {
    Does.CREATE: "created",
    Does.CHANGE: "changed",
    Does.SAME: "same",
    Does.REFUSE: "refused",
}


def _line(counts: dict[str, int], would: str = "") -> str:
    return (
        f"{counts['created']} {would}created, {counts['changed']} {would}changed,"
        f" {counts['same']} as before, {counts['refused']} refused"
    )


def _document(each: Listed) -> dict[str, Any]:
    title = each.title
    return {
        "slug": title.slug,
        "name": title.name,
        "kind": title.kind.value,
        "stage": each.stage,
        "leaves": each.leaves,
        "twins": each.twins,
        "parent": each.parent_slug,
        "external_id": title.external_id,
        "updated_at": title.updated_at,
    }
