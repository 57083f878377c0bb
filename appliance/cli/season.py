"""``matinee season``: the seasons of a series, their names, and their order."""

import dataclasses
from typing import Any

import click

from appliance.catalog import series as catalogue
from appliance.catalog import titles
from appliance.catalog.series import Place, Season
from appliance.cli import output
from appliance.cli.installation import Installation, pass_installation
from appliance.db import Database
from appliance.errors import InvalidInput, NotFound

_NUMBER = click.IntRange(0, 9999)


@click.group()
def season() -> None:
    """Name the seasons of a series, and put its episodes in order.

    The parts of a course are its seasons, its lessons their episodes; season 0 holds
    the specials.

    \b
    matinee title add --kind series --title "Dark Water"
    matinee season set dark-water 1 --name "Winter" --year 2026
    matinee title add pilot.mp4 --title Pilot --kind episode --series dark-water
    """


@season.command("list")
@click.argument("series")
@pass_installation
def listing(installation: Installation, series: str) -> None:
    """List the seasons of SERIES with their episodes."""
    with installation.db() as db:
        found = _seasons(installation, db, series)
    installation.out.table(
        ("SEASON", "EPISODE", "STATE", "SLUG", "NAME"),
        [
            (each.season_number, each.episode_number, each.state, each.slug, each.name)
            for one in found
            for each in one.episodes
        ],
        [_document(each) for each in found],
        empty="It has no episode yet: add one with `matinee title add FILE --kind"
        " episode --series SLUG`.",
    )


@season.command("set")
@click.argument("series")
@click.argument("number", type=_NUMBER)
@click.option("--name", help="The name of the season; empty: none.")
@click.option("--synopsis", help="What it is about.")
@click.option("--year", help="The year it came out; empty: none.")
@pass_installation
def change(
    installation: Installation, /, series: str, number: int, **fields: Any
) -> None:
    """Make season NUMBER of SERIES, or say something of it."""
    changes = {name: each for name, each in fields.items() if each is not None}
    with installation.db() as db:
        kept = catalogue.describe_season(
            db, installation.actor, series, number, **changes
        )
    installation.out.result(_document(kept), output.pairs(_lines(kept)))


@season.command()
@click.argument("series")
@click.argument("number", type=_NUMBER)
@pass_installation
def remove(installation: Installation, series: str, number: int) -> None:
    """Remove what is said of season NUMBER of SERIES, which has no episodes."""
    with installation.db() as db:
        catalogue.remove_season(db, installation.actor, series, number)
    installation.out.result(
        {"series": series, "removed": number}, f"{series}  season {number} removed"
    )


@season.command()
@click.argument("series")
@click.argument("places", nargs=-1, required=True, metavar="EPISODE=SxN...")
@pass_installation
def arrange(installation: Installation, series: str, places: tuple[str, ...]) -> None:
    """Put episodes of SERIES where EPISODE=SxN... say, all of them or none.

    \b
    matinee season arrange dark-water dark-water-s1e1-pilot=1x2 dark-water-well=1x1
    """
    with installation.db() as db:
        found = catalogue.arrange(
            db, installation.actor, series, [_place(each) for each in places]
        )
    installation.out.result(
        {"series": series, "seasons": [_document(each) for each in found]},
        f"{series}  {len(places)} put in order",
    )


@season.command()
@click.argument("series")
@click.argument("number", type=_NUMBER)
@pass_installation
def renumber(installation: Installation, series: str, number: int) -> None:
    """Number the episodes of season NUMBER of SERIES from 1, in their order."""
    with installation.db() as db:
        found = next(
            (
                each
                for each in _seasons(installation, db, series)
                if each.number == number
            ),
            None,
        )
        if found is None:
            raise NotFound("season.missing", f"“{series}” has no season {number}.")
        places = [
            Place(each.slug, number, count)
            for count, each in enumerate(found.episodes, 1)
        ]
        kept = catalogue.arrange(db, installation.actor, series, places)
    installation.out.result(
        {"series": series, "seasons": [_document(each) for each in kept]},
        f"{series}  season {number} numbered from 1 to {len(places)}",
    )


def _seasons(installation: Installation, db: Database, slug: str) -> tuple[Season, ...]:
    whole = titles.by_slug(db, installation.actor, slug)
    return catalogue.seasons(db, installation.actor, whole)


def _place(text: str) -> Place:
    slug, _, place = text.rpartition("=")
    season_, x, number = place.lower().partition("x")
    if not slug or not x or not (season_.isdigit() and number.isdigit()):
        raise InvalidInput(
            "season.order", f"“{text}” is no place: write it as EPISODE=1x2."
        )
    return Place(slug, int(season_), int(number))


def _document(found: Season) -> dict[str, Any]:
    document = dataclasses.asdict(found)
    document["episodes"] = [
        {
            "slug": each.slug,
            "name": each.name,
            "number": each.episode_number,
            "state": each.state,
        }
        for each in found.episodes
    ]
    return document


def _lines(found: Season) -> dict[str, Any]:
    return {
        "season": found.number,
        "name": found.name,
        "year": found.year or "",
        "episodes": len(found.episodes),
    }
