"""``matinee fetch``: films from web addresses."""

import dataclasses
from typing import Any

import click

from appliance.cli.installation import Installation, pass_installation
from appliance.cli.output import sized
from appliance.media import fetches
from appliance.media.fetches import Fetch


@click.group()
def fetch() -> None:
    """Let films be fetched from web addresses (uploads.from_urls).

    \b
    matinee fetch add https://films.example.org/one.mp4 --title the-first-film
    matinee fetch list
    """


@fetch.command()
@click.argument("url")
@click.option("--title", "slug", default="", help="The title it is for; else a new.")
@click.option("--publish", is_flag=True, help="Show it in the portal when it is ready.")
@pass_installation
def add(installation: Installation, url: str, slug: str, publish: bool) -> None:
    """Let the control worker fetch the film at URL."""
    with installation.db() as db:
        made = fetches.start(
            *(db, installation.settings, installation.actor, url),
            slug=slug,
            publish=publish,
        )
    installation.out.result(_document(made), f"{made.public_id}  {made.host}")


@fetch.command("list")
@pass_installation
def listing(installation: Installation) -> None:
    """List what is fetched, and what was lately."""
    with installation.db() as db:
        found = fetches.listing(db, installation.actor, limit=200)
    installation.out.table(
        ("FETCH", "STATE", "RECEIVED", "HOST", "TITLE", "MESSAGE"),
        [
            (
                *(each.public_id, each.state, sized(each.received), each.host),
                *(each.slug or "", each.message),
            )
            for each in found
        ],
        [_document(each) for each in found],
        empty="Nothing is fetched.",
    )


@fetch.command()
@click.argument("fetch")
@pass_installation
def cancel(installation: Installation, fetch: str) -> None:
    """Stop FETCH; what has come of it is removed."""
    with installation.db() as db:
        made = fetches.cancel(db, installation.actor, fetch)
    installation.out.result(_document(made), f"{made.public_id}  {made.state}")


def _document(each: Fetch) -> dict[str, Any]:
    """Return what may be shown; the address may hold a secret."""
    fields = dataclasses.asdict(each)
    for inner in ("id", "title_id", "account_id", "url"):
        del fields[inner]
    return fields | {"host": each.host}
