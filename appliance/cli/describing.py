"""``matinee title``: what is said of a title, and how its film was encoded."""

from typing import Any

import click

from appliance.catalog import libraries, titles
from appliance.catalog.titles import Title
from appliance.cli import title_fields
from appliance.cli.installation import Installation, pass_installation
from appliance.cli.output import sized
from appliance.db import Database
from appliance.errors import InvalidInput
from appliance.media import assets, savings, tracks
from appliance.media.savings import Savings


@click.command(name="set")
@click.argument("slug")
@click.option("--title", "name", help="The name people see; the slug stays.")
@click.option("--synopsis", help="What it is about.")
@click.option("--year", type=int, help="The year it came out.")
@click.option("--genre", "genres", multiple=True, help="A genre; may be repeated.")
@click.option("--rating", help="The age rating, as it is shown.")
@click.option("--language", help="The spoken language, as in en or pt-BR.")
@click.option("--library", help="The library that says how it is encoded; empty: none.")
@title_fields.describing
@pass_installation
def edit(
    installation: Installation, /, slug: str, library: str | None, **fields: Any
) -> None:
    """Change what is said of the title SLUG, or the library it belongs to.

    Another library counts for what is encoded from now on. Genres, tags and credits
    that are given take the place of those before.

    \b
    matinee title set fire-drill --library trainings --year 2026
    matinee title set dark-water --credit director:"Grace Hopper" --tag "slow burn"
    matinee title supplement fire-drill
    """
    changes = title_fields.given(fields)
    if not changes and library is None:
        raise InvalidInput("title.nothing", "Say what to change: see --help.")
    with installation.db() as db:
        if library is not None:
            named = libraries.by_slug(db, library).id if library else None
            changes["library_id"] = named
        changed = titles.edit(db, installation.actor, slug, **changes)
    document = {"slug": changed.slug, "changed": sorted(changes)}
    installation.out.result(document, f"{changed.slug}  {', '.join(sorted(changes))}")


def of_encoding(db: Database, title: Title) -> dict[str, Any]:
    """Return the library of a title, and what was chosen for its film."""
    library = libraries.of_title(db, title.id)
    film = assets.playable(db, title.id)
    analysis = film.analysis if film is not None else None
    found = {} if film is None else _saved(db, film)
    return {
        "library": library.slug if library else None,
        "content": (analysis or {}).get("kind"),
        "analysis_note": (analysis or {}).get("note"),
        "renditions": (analysis or {}).get("renditions", []),
        "source_removed_at": film.source_removed_at if film else None,
        **found,
    }


def _saved(db: Database, film: assets.Asset) -> dict[str, Any]:
    served = tracks.of_asset(db, film.id)
    found = savings.of(film.analysis, served, film.duration)
    if found is None:
        return {}
    return {"saved": _sentence(found), "saved_bytes": found.bytes}


def _sentence(found: Savings) -> str:
    """Say it as ``38 % smaller than the fixed ladder: 412 MB saved``."""
    if not found.smaller:
        return "as large as the fixed ladder, at a better quality"
    return (
        f"{found.percent} % smaller than the fixed ladder: {sized(found.bytes)} saved"
    )
