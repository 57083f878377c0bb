"""``matinee title``: the film of a title, what it lacks, and what it was before."""

import dataclasses
from pathlib import Path
from typing import Any

import click

from appliance.catalog import titles
from appliance.cli import watching
from appliance.cli.installation import Installation, pass_installation
from appliance.db import Database
from appliance.errors import Conflict
from appliance.media import assets, uploads, versions
from appliance.media.assets import Asset
from appliance.media.versions import Version
from jobs import queue
from jobs.making import supplement
from jobs.making.supplement import CODECS, Request

_WAIT = click.option("--wait", is_flag=True, help="Return when it is ready.")


@click.command()
@click.argument("slug")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_WAIT
@pass_installation
def replace(installation: Installation, slug: str, file: Path, wait: bool) -> None:
    """Make the film of the title SLUG from FILE; the old one plays until then.

    FILE stays where it is. The old film can be put back for encode.keep_versions_days.

    \b
    matinee title replace the-first-film corrected.mp4 --wait
    matinee title versions the-first-film
    matinee title restore the-first-film 1
    """
    settings = installation.settings
    with installation.db() as db:
        found = titles.by_slug(db, installation.actor, slug)
        arrival = uploads.take_in(
            *(db, installation.storage, settings, installation.actor, file, file.name),
            title_id=found.id,
            keep_source=True,
            replaces=_film(db, installation, slug),
        )
    _begun(installation, slug, arrival.job, wait=wait)


@click.command(name="supplement")
@click.argument("slug")
@click.option(
    "--codec",
    "codecs",
    multiple=True,
    type=click.Choice(CODECS),
    help="A codec to have all renditions in; may be repeated.",
)
@click.option(
    "--height",
    "heights",
    multiple=True,
    type=click.IntRange(1, 4320),
    help="The lines of a rendition, as 1080; may be repeated.",
)
@click.option("--audio", is_flag=True, help="Sounds of the source, also in 5.1.")
@click.option("--captions", is_flag=True, help="Captions of the source.")
@click.option("--dry-run", is_flag=True, help="Only say what would be added.")
@_WAIT
@pass_installation
def add_missing(
    installation: Installation, /, slug: str, dry_run: bool, wait: bool, **wished: Any
) -> None:
    """Make what the film of the title SLUG lacks, and nothing else.

    Without a wish it is all that its library or the settings say now.

    \b
    matinee title supplement the-first-film --codec av1
    matinee title supplement the-first-film --height 1080 --dry-run
    """
    request = Request(**wished)
    settings = installation.settings
    with installation.db() as db:
        film = _film(db, installation, slug)
        lacking = supplement.names(supplement.missing(db, settings, film, request))
        if dry_run:
            text = "\n".join(lacking) or "It lacks nothing."
            installation.out.result({"title": slug, "adds": lacking}, text)
            return
        job = supplement.start(
            db, installation.storage, settings, installation.actor, slug, request
        )
    installation.out.say(f"It gets {', '.join(lacking)}.")
    _begun(installation, slug, job, wait=wait)


@click.command(name="versions")
@click.argument("slug")
@pass_installation
def list_versions(installation: Installation, slug: str) -> None:
    """List what the film of the title SLUG was, the newest first."""
    with installation.db() as db:
        found = versions.listing(db, _film(db, installation, slug))
    installation.out.table(
        ("VERSION", "STATE", "BECAUSE OF", "TRACKS", "SOURCE", "MADE"),
        [
            (
                each.number,
                _state(each),
                each.reason,
                len(each.tracks),
                each.source_name,
                each.created_at,
            )
            for each in found
        ],
        [dataclasses.asdict(each) for each in found],
        empty="Nothing was changed of this film yet.",
    )


def put_back(installation: Installation, slug: str, number: int) -> None:
    """Serve an older version of the film of a title again."""
    with installation.db() as db:
        film = _film(db, installation, slug)
        found = versions.restore(
            db, installation.settings, installation.actor, film, number
        )
    installation.out.result(
        dataclasses.asdict(found), f"{slug} is version {number} again."
    )


def _film(db: Database, installation: Installation, slug: str) -> Asset:
    found = titles.by_slug(db, installation.actor, slug)
    film = assets.playable(db, found.id)
    if film is None:
        raise Conflict(
            "title.no-film", f"“{found.name}” has no film that can be played yet."
        )
    return film


def _begun(installation: Installation, slug: str, job: str, *, wait: bool) -> None:
    queue.wake(installation.settings, job)
    if wait:
        watching.follow(installation, job)
        text = f"{slug}  done"
    else:
        installation.out.say(f"Follow it with: matinee job watch {job}")
        text = f"{slug}  {job}"
    installation.out.result({"title": slug, "job": job}, text)


def _state(version: Version) -> str:
    if version.present:
        return "served"
    return "kept" if version.restorable else "gone"


COMMANDS = (replace, add_missing, list_versions)
