"""``matinee search``: what viewers find, and the index that they find it by."""

import click

from appliance.cli.installation import Installation, pass_installation
from appliance.discovery import indexing
from appliance.discovery import search as discovery
from appliance.objects import Stores


@click.group()
def search() -> None:
    """Search as a viewer does, and build the index anew.

    \b
    matinee search for "glass orchrad"
    matinee search rebuild
    """


@search.command("for")
@click.argument("words")
@click.option(
    "--limit", default=10, type=click.IntRange(1, 100), help="How many results to show."
)
@pass_installation
def find(installation: Installation, words: str, limit: int) -> None:
    """Search for WORDS, as a viewer with every right and no age limit does."""
    with installation.db() as db:
        found = discovery.search(
            db, installation.settings, installation.actor, words, limit
        )
    rows = [
        *(("title", each.name, f"/title/{each.slug}") for each in found.titles),
        *(("person", each.name, f"/person/{each.slug}") for each in found.people),
        *((each.kind, each.name, f"/{each.kind}/{each.slug}") for each in found.places),
        *(
            ("said", each.text, f"/watch/{each.slug}?from={each.seconds}")
            for each in found.lines
        ),
    ]
    if found.guess:
        installation.out.say(f"Nothing is called so. This is for: {found.guess}")
    installation.out.table(
        ("WHAT", "WORDS", "PAGE"),
        rows,
        {
            "words": found.words,
            "guess": found.guess,
            "found": [
                {"what": what, "words": said, "page": page} for what, said, page in rows
            ],
        },
        empty="Nothing was found.",
    )


@search.command()
@pass_installation
def rebuild(installation: Installation) -> None:
    """Index every title, person and caption anew; it takes a while.

    A control worker that runs would do the same by itself, a few at a time.
    """
    stores = Stores(installation.storage, installation.settings)
    with installation.db() as db:
        whole = indexing.rebuild(db)
        installation.out.say(f"{whole:,} titles and people are to be indexed.")
        while left := indexing.waiting(db):
            indexing.catch_up(db, stores, seconds=5.0)
            installation.out.say(f"{left:,} to go.")
    installation.out.result({"indexed": whole}, f"Indexed: {whole:,}")
