"""``matinee title``: put films in, look at them, show and hide them."""

import dataclasses
from pathlib import Path
from typing import Any

import click

from appliance.catalog import states, titles
from appliance.catalog.titles import Title, TitleState
from appliance.cenc import SHORT, Scheme
from appliance.cli import output, watching
from appliance.cli.installation import Installation, pass_installation
from appliance.db import Database
from appliance.media import assets, tracks, uploads
from appliance.media.uploads import Arrival
from appliance.protection import policies
from jobs import queue


@click.group()
def title() -> None:
    """Put films in, look at them, show and hide them.

    \b
    matinee title add film.mp4 --title "The First Film" --publish --wait
    matinee title list --state published
    """


@title.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--title", "name", required=True, help="The name people see.")
@click.option("--synopsis", default="", help="What it is about.")
@click.option("--year", type=int, help="The year it came out.")
@click.option("--genre", "genres", multiple=True, help="A genre; may be repeated.")
@click.option("--rating", default="", help="The age rating, as it is shown.")
@click.option("--language", default="", help="The spoken language, as in en or pt-BR.")
@click.option(
    "--protect/--no-protect",
    "protected",
    default=None,
    help="Encrypt it, or not; else as protection.protect_new says.",
)
@click.option(
    "--key-system",
    "key_systems",
    multiple=True,
    type=click.Choice(tuple(SHORT)),
    help="What opens it; may be repeated; else as protection.key_systems says.",
)
@click.option(
    "--scheme",
    type=click.Choice([each.value for each in Scheme]),
    help="How it is encrypted; else as protection.scheme says.",
)
@click.option("--policy", help="The policy of its licences, by its name.")
@click.option("--publish", is_flag=True, help="Show it in the portal when it is ready.")
@click.option("--wait", is_flag=True, help="Return when it is ready.")
@pass_installation
def add(
    installation: Installation, /, file: Path, publish: bool, wait: bool, **fields: Any
) -> None:
    """Take the film FILE in under a new title; FILE stays where it is.

    \b
    matinee title add film.mp4 --title "The First Film" --genre Drama --year 2026
    matinee title add film.mp4 --title "The First Film" --protect --key-system clearkey
    """
    arrival = take_in(installation, file, publish=publish, **fields)
    announce(installation, arrival, wait=wait)


def take_in(
    installation: Installation, file: Path, *, publish: bool, **fields: Any
) -> Arrival:
    """Make a title with a film, or neither; ``fields`` describe the title."""
    actor, storage = installation.actor, installation.storage
    if fields.get("protected") is None:
        fields["protected"] = installation.settings.protection.protect_new
    with installation.db() as db:
        policy = fields.pop("policy", None)
        if policy is not None:
            fields["policy_id"] = policies.by_name(db, policy).id
        made = titles.create(db, actor, **fields)
        try:
            arrival = uploads.take_in(
                db,
                storage,
                installation.settings,
                actor,
                file,
                file.name,
                title_id=made.id,
                keep_source=True,
                publish=publish,
            )
        except BaseException:
            titles.remove(db, storage, actor, made.slug)
            raise
    queue.wake(installation.settings, arrival.job)
    return arrival


def announce(installation: Installation, arrival: Arrival, *, wait: bool) -> None:
    """Say what was taken in, at once or when it is ready."""
    if wait:
        watching.follow(installation, arrival.job)
    else:
        installation.out.say(f"Follow it with: matinee job watch {arrival.job}")
    with installation.db() as db:
        made = titles.by_slug(db, installation.actor, arrival.title_slug)
    document = _document(made) | {"asset": arrival.asset, "job": arrival.job}
    installation.out.result(document, f"{made.slug}  {made.state}")


@title.command("list")
@click.option(
    "--state",
    type=click.Choice([state.value for state in TitleState]),
    help="Only titles in this state.",
)
@click.option("--genre", help="Only titles of this genre, by its slug.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="At most so many titles.",
)
@pass_installation
def listing(
    installation: Installation, state: str | None, genre: str | None, limit: int
) -> None:
    """List titles, the newest first."""
    with installation.db() as db:
        found = titles.listing(
            db,
            installation.actor,
            state=TitleState(state) if state else None,
            genre=genre,
            limit=limit,
        )
    installation.out.table(
        ("SLUG", "STATE", "YEAR", "NAME"),
        [(each.slug, each.state, each.year or "", each.name) for each in found],
        [_document(each) for each in found],
        empty="There is no title yet: add one with `matinee title add FILE`.",
    )


@title.command()
@click.argument("slug")
@pass_installation
def show(installation: Installation, slug: str) -> None:
    """Show all there is to know of the title SLUG."""
    with installation.db() as db:
        found = titles.by_slug(db, installation.actor, slug)
        document = _document(found) | _of_protection(db, found)
    lines = {
        name: ", ".join(value) if isinstance(value, list | tuple) else value
        for name, value in document.items()
        if value not in ("", None, (), [])
    }
    installation.out.result(document, output.pairs(lines))


@title.command()
@click.argument("slug")
@pass_installation
def publish(installation: Installation, slug: str) -> None:
    """Show the title SLUG in the portal."""
    with installation.db() as db:
        _moved(installation, states.publish(db, installation.actor, slug))


@title.command()
@click.argument("slug")
@pass_installation
def unpublish(installation: Installation, slug: str) -> None:
    """Take the title SLUG out of the portal."""
    with installation.db() as db:
        _moved(installation, states.unpublish(db, installation.actor, slug))


@title.command()
@click.argument("slug")
@pass_installation
def archive(installation: Installation, slug: str) -> None:
    """Put the title SLUG away; its files stay."""
    with installation.db() as db:
        _moved(installation, states.archive(db, installation.actor, slug))


@title.command()
@click.argument("slug")
@pass_installation
def restore(installation: Installation, slug: str) -> None:
    """Take the title SLUG back from the archive."""
    with installation.db() as db:
        _moved(installation, states.restore(db, installation.actor, slug))


@title.command()
@click.argument("slug")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def remove(installation: Installation, slug: str, yes: bool) -> None:
    """Remove the title SLUG with all its files, for good."""
    with installation.db() as db:
        found = titles.by_slug(db, installation.actor, slug)
        question = f"Remove “{found.name}” with its source and all that was made of it?"
        installation.out.confirm(question, yes)
        discard(installation, db, slug)
    installation.out.result({"slug": slug, "removed": True}, f"{slug}  removed")


def discard(installation: Installation, db: Database, slug: str) -> None:
    """Remove a title with its files."""
    titles.remove(db, installation.storage, installation.actor, slug)


def _moved(installation: Installation, moved: Title) -> None:
    installation.out.result(_document(moved), f"{moved.slug}  {moved.state}")


def _of_protection(db: Database, title: Title) -> dict[str, Any]:
    """Return the policy's name, and the schemes that its film is stored with now."""
    named = {each.id: each.name for each in policies.listing(db)}
    film = assets.playable(db, title.id)
    stored = tracks.of_asset(db, film.id) if film else []
    return {
        "policy": named.get(title.policy_id or 0),
        "encrypted": sorted({each.scheme for each in stored if each.scheme}),
    }


def _document(title: Title) -> dict[str, Any]:
    """Return what programs may know of a title; the inner keys stay inside."""
    fields = dataclasses.asdict(title)
    del fields["id"], fields["created_by"], fields["policy_id"]
    fields["key_systems"] = tuple(each.name.lower() for each in title.key_systems)
    return fields
