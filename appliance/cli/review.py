"""``matinee review``: titles looked at by somebody else before they are published."""

import dataclasses
from typing import Any

import click

from appliance.catalog import reviewing, sieve, titles
from appliance.catalog.sieve import Sieve
from appliance.catalog.titles import Title
from appliance.cli.installation import Installation, pass_installation


@click.group()
def review() -> None:
    """Ask for reviews of titles, approve them, or send them back.

    \b
    matinee review list
    matinee review approve the-first-film
    """


@review.command("list")
@pass_installation
def listing(installation: Installation) -> None:
    """List the titles that wait for a review."""
    with installation.db() as db:
        waiting = sieve.listing(
            db, installation.actor, Sieve(stage="review"), limit=1000
        )
        asked = {
            each.title.slug: reviewing.of_title(db, each.title.id)[0]
            for each in waiting
        }
    installation.out.table(
        ("SLUG", "ASKED BY", "WHEN", "NAME"),
        [
            (
                *(each.title.slug, asked[each.title.slug].username),
                *(asked[each.title.slug].at[:16], each.title.name),
            )
            for each in waiting
        ],
        [{"slug": slug, **dataclasses.asdict(step)} for slug, step in asked.items()],
        empty="No title waits for a review.",
    )


@review.command()
@click.argument("slug")
@pass_installation
def show(installation: Installation, slug: str) -> None:
    """Show the reviews of the title SLUG, the last first."""
    with installation.db() as db:
        title = titles.by_slug(db, installation.actor, slug)
        steps = reviewing.of_title(db, title.id)
    installation.out.table(
        ("WHEN", "WHO", "DECISION", "NOTE"),
        [(each.at[:16], each.username, each.decision, each.note) for each in steps],
        [dataclasses.asdict(each) for each in steps],
        empty="Nobody asked for a review of it yet.",
    )


@review.command()
@click.argument("slug")
@click.option("--note", default="", help="What to look at.")
@pass_installation
def ask(installation: Installation, slug: str, note: str) -> None:
    """Ask others to look at the title SLUG."""
    with installation.db() as db:
        _tell(installation, reviewing.ask(db, installation.actor, slug, note))


@review.command()
@click.argument("slug")
@click.option("--note", default="", help="What to remember.")
@pass_installation
def approve(installation: Installation, slug: str, note: str) -> None:
    """Approve the title SLUG."""
    with installation.db() as db:
        made = reviewing.approve(
            db, installation.settings, installation.actor, slug, note
        )
    _tell(installation, made)


@review.command("send-back")
@click.argument("slug")
@click.option("--note", required=True, help="What is to be changed.")
@pass_installation
def send_back(installation: Installation, slug: str, note: str) -> None:
    """Send the title SLUG back with a note."""
    with installation.db() as db:
        _tell(installation, reviewing.send_back(db, installation.actor, slug, note))


def _tell(installation: Installation, title: Title) -> None:
    document: dict[str, Any] = {"slug": title.slug, "review": title.review}
    installation.out.result(document, f"{title.slug}  {title.review}")
