"""``matinee demo``: a film to try the installation with."""

import tempfile
from pathlib import Path

import click

from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.cli import watching
from appliance.cli.installation import Installation, pass_installation
from appliance.cli.title import announce, discard, take_in
from appliance.errors import NotFound, PreconditionFailed
from appliance.media import jobs, reports
from appliance.media.jobs import JobState
from jobs import queue
from jobs.tools import process

SLUG = "big-buck-bunny"
_FIELDS = {
    "name": "Big Buck Bunny",
    "year": 2008,
    "genres": ("Animation", "Comedy", "Short"),
    "rating": "All ages",
    "synopsis": (
        "A giant rabbit with a heart bigger than himself meets three bullies of the"
        " forest. An excerpt of the open film by the Blender Foundation,"
        " © 2008 Blender Foundation, peach.blender.org, licensed CC BY 3.0."
    ),
}
# The titles are over and the rabbit stands in the sun; a keyframe of the film is here,
# so that a copied stream begins with a whole picture.
_FROM, _SECONDS = "53.209", "90"


@click.group()
def demo() -> None:
    """Load a film to try the installation with, and remove it again."""


@demo.command()
@click.option(
    "--film",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file of Big Buck Bunny; else films/big-buck-bunny.mp4 in the home.",
)
@click.option("--wait", is_flag=True, help="Return when it can be played.")
@pass_installation
def load(installation: Installation, film: Path | None, wait: bool) -> None:
    """Publish a minute and a half of Big Buck Bunny.

    \b
    matinee demo load --film big-buck-bunny.mp4 --wait
    """
    found = _find(installation)
    if found is not None:
        _go_on(installation, found, wait)
        return
    source = film or installation.settings.home / "films" / f"{SLUG}.mp4"
    if not source.is_file():
        raise PreconditionFailed(
            "demo.no-film",
            f"There is no film {source}: fetch it with `make film` in a checkout, or"
            " name one with --film.",
        )
    with tempfile.TemporaryDirectory(prefix="matinee-demo-") as folder:
        part = Path(folder) / f"{SLUG}.mp4"
        _cut(source, part)
        arrival = take_in(installation, part, publish=True, **_FIELDS)
    announce(installation, arrival, wait=wait)


@demo.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def remove(installation: Installation, yes: bool) -> None:
    """Remove the demo film with its files."""
    found = _find(installation)
    if found is None:
        installation.out.result({"slug": SLUG, "removed": False}, "Nothing to remove.")
        return
    installation.out.confirm(f"Remove “{found.name}”?", yes)
    with installation.db() as db:
        discard(installation, db, SLUG)
    installation.out.result({"slug": SLUG, "removed": True}, f"{SLUG}  removed")


def _find(installation: Installation) -> Title | None:
    with installation.db() as db:
        try:
            return titles.by_slug(db, installation.actor, SLUG)
        except NotFound:
            return None


def _go_on(installation: Installation, found: Title, wait: bool) -> None:
    """Loading again tries a failed job again, and waits for one that runs."""
    with installation.db() as db:
        report = reports.latest_of_title(db, found.id)
        if report and report.state in (JobState.FAILED, JobState.CANCELLED):
            jobs.retry(db, installation.actor, report.job)
            queue.wake(installation.settings, report.job)
    if report and wait:
        watching.follow(installation, report.job)
    now = _find(installation) or found
    installation.out.result(
        {"slug": now.slug, "state": now.state}, f"{now.slug}  {now.state}"
    )


def _cut(film: Path, part: Path) -> None:
    """Copy a part of the film, without encoding it again."""
    quiet = ["-nostdin", "-hide_banner", "-loglevel", "error"]
    source = ["-ss", _FROM, "-i", str(film), "-t", _SECONDS]
    streams = ["-map", "0:v:0", "-map", "0:a:0", "-c", "copy"]
    target = ["-movflags", "+faststart", str(part)]
    process.run(["ffmpeg", *quiet, *source, *streams, *target])
