"""``matinee title``: put films in, look at them, show and hide them."""

import dataclasses
from pathlib import Path
from typing import Any

import click

from appliance.catalog import libraries, states, titles, trash
from appliance.catalog.kinds import CONTAINERS
from appliance.catalog.titles import Title, TitleState
from appliance.cenc import SHORT, Scheme
from appliance.cli import (
    artwork,
    describing,
    film,
    output,
    tables,
    title_fields,
    watching,
)
from appliance.cli.installation import Installation, pass_installation
from appliance.db import Database
from appliance.errors import InvalidInput
from appliance.media import assets, publishing, tracks, uploads
from appliance.media.uploads import Arrival
from appliance.operations.backups import missing
from appliance.protection import policies
from jobs import queue


@click.group()
def title() -> None:
    """Put films in, look at them, show and hide them.

    \b
    matinee title add film.mp4 --title "The First Film" --publish --wait
    matinee title list --state published
    """


for _command in (
    *film.COMMANDS,
    describing.edit,
    artwork.illustrate,
    artwork.translate,
    *tables.COMMANDS,
):
    title.add_command(_command)


@title.command()
@click.argument(
    "file",
    required=False,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
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
@click.option("--library", help="The library that says how it is encoded.")
@click.option("--publish", is_flag=True, help="Show it in the portal when it is ready.")
@click.option("--wait", is_flag=True, help="Return when it is ready.")
@title_fields.describing
@pass_installation
def add(
    installation: Installation,
    /,
    file: Path | None,
    publish: bool,
    wait: bool,
    **fields: Any,
) -> None:
    """Take the film FILE in under a new title; FILE stays where it is.

    A series or course has no film of its own, and so no FILE.

    \b
    matinee title add film.mp4 --title "The First Film" --genre Drama --year 2026
    matinee title add film.mp4 --title "The First Film" --protect --key-system clearkey
    matinee title add --kind series --title "Dark Water" --publish
    matinee title add pilot.mp4 --title Pilot --kind episode --series dark-water
    """
    if file is None:
        _make(installation, publish=publish, **fields)
        return
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
        made = titles.create(db, actor, **_chosen(db, title_fields.given(fields)))
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


def _make(installation: Installation, *, publish: bool, **fields: Any) -> None:
    """Make a series or course, which has no film of its own."""
    if fields["kind"] not in CONTAINERS:
        raise InvalidInput(
            "title.no-film", "Name the FILE of its film; only a series has none."
        )
    with installation.db() as db:
        made = titles.create(
            db, installation.actor, **_chosen(db, title_fields.given(fields))
        )
        if publish:
            settings, actor = installation.settings, installation.actor
            made = publishing.publish(db, settings, actor, made.slug)
    installation.out.result(_document(made), f"{made.slug}  {made.state}")


def _chosen(db: Database, fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields with the keys of the policy and the library that are named."""
    policy, library = fields.pop("policy", None), fields.pop("library", None)
    if policy is not None:
        fields["policy_id"] = policies.by_name(db, policy).id
    if library is not None:
        fields["library_id"] = libraries.by_slug(db, library).id
    return fields


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
@click.option("--library", help="Only titles of this library, by its slug or name.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="At most so many titles.",
)
@pass_installation
def listing(
    installation: Installation,
    state: str | None,
    genre: str | None,
    library: str | None,
    limit: int,
) -> None:
    """List titles, the newest first."""
    with installation.db() as db:
        within = libraries.by_slug(db, library) if library is not None else None
        named = libraries.slugs_by_id(db)
        found = titles.listing(
            db,
            installation.actor,
            state=TitleState(state) if state else None,
            genre=genre,
            library_id=within.id if within else None,
            limit=limit,
        )
    installation.out.table(
        ("SLUG", "STATE", "YEAR", "LIBRARY", "NAME"),
        [
            (
                each.slug,
                each.state,
                each.year or "",
                named.get(each.library_id or 0, ""),
                each.name,
            )
            for each in found
        ],
        [
            _document(each) | {"library": named.get(each.library_id or 0)}
            for each in found
        ],
        empty="There is no title yet: add one with `matinee title add FILE`."
        if within is None
        else f"No title is in the library “{within.name}”.",
    )


@title.command()
@click.argument("slug")
@pass_installation
def show(installation: Installation, slug: str) -> None:
    """Show all there is to know of the title SLUG."""
    with installation.db() as db:
        found = titles.by_slug(db, installation.actor, slug)
        document = _document(found) | _of_protection(db, found)
        document |= describing.of_encoding(db, found)
        document["missing"] = missing.told(db, found.id)
    lines = {
        name: ", ".join(value) if isinstance(value, list | tuple) else value
        for name, value in document.items()
        if value not in ("", None, (), []) and name != "renditions"
    }
    installation.out.result(document, output.pairs(lines))


@title.command()
@click.argument("slug")
@pass_installation
def publish(installation: Installation, slug: str) -> None:
    """Show the title SLUG in the portal."""
    with installation.db() as db:
        _moved(
            installation,
            publishing.publish(db, installation.settings, installation.actor, slug),
        )


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
@click.argument("version", type=int, required=False)
@pass_installation
def restore(installation: Installation, slug: str, version: int | None) -> None:
    """Take the title SLUG back from the archive, or its film to VERSION.

    
    matinee title versions the-first-film
    matinee title restore the-first-film 2
    """
    if version is not None:
        film.put_back(installation, slug, version)
        return
    with installation.db() as db:
        _moved(installation, states.restore(db, installation.actor, slug))


@title.command()
@click.argument("slug")
@click.option("--now", is_flag=True, help="Remove its files at once, for good.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def remove(installation: Installation, slug: str, now: bool, yes: bool) -> None:
    """Put the title SLUG into the trash, or remove it for good.

    \b
    matinee title remove the-first-film --now
    matinee trash restore the-first-film
    """
    with installation.db() as db:
        found = titles.by_slug(db, installation.actor, slug)
        days = installation.settings.studio.trash_days
        question = (
            f"Remove “{found.name}” with its source and all that was made of it?"
            if now
            else f"Put “{found.name}” into the trash for {days} days?"
        )
        installation.out.confirm(question, yes)
        if now:
            discard(installation, db, slug)
        else:
            trash.discard(db, installation.actor, slug)
    document = {"slug": slug, "removed": True, "in_trash": not now}
    where = "removed" if now else "in the trash"
    installation.out.result(document, f"{slug}  {where}")


def discard(installation: Installation, db: Database, slug: str) -> None:
    """Remove a title with its files."""
    titles.remove(db, installation.storage, installation.actor, slug)


def _moved(installation: Installation, moved: Title) -> None:
    installation.out.result(_document(moved), f"{moved.slug}  {moved.state}")


def _of_protection(db: Database, title: Title) -> dict[str, Any]:
    """Return the policy's name, and the schemes that its film is stored with now."""
    named = {each.id: each.name for each in policies.listing(db)}
    playable = assets.playable(db, title.id)
    stored = tracks.of_asset(db, playable.id) if playable else []
    return {
        "policy": named.get(title.policy_id or 0),
        "encrypted": sorted({each.scheme for each in stored if each.scheme}),
    }


def _document(title: Title) -> dict[str, Any]:
    """Return what programs may know of a title; the inner keys stay inside."""
    fields = dataclasses.asdict(title)
    for inner in ("id", "created_by", "policy_id", "library_id", "parent_id"):
        del fields[inner]
    fields["key_systems"] = tuple(each.name.lower() for each in title.key_systems)
    return fields
