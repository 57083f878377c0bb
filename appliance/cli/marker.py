"""``matinee marker``: chapters, intros, recaps and credits of a film."""

from typing import Any

import click

from appliance.catalog import titles
from appliance.cli.installation import Installation, pass_installation
from appliance.db import Database
from appliance.errors import NotFound
from appliance.media import assets, markers
from appliance.media.assets import Asset
from appliance.media.markers import Marker, MarkerKind, Stretch
from appliance.media.timecode import clock, seconds
from appliance.permissions import SYSTEM
from jobs.listening import seasons

_KINDS = click.Choice([kind.value for kind in MarkerKind])


@click.group()
def marker() -> None:
    """Set what players can skip, and the chapters of a film.

    Times are seconds or h:mm:ss. What is set by hand is never changed by what is
    found by listening.

    \b
    matinee marker detect pilot second-night third-night
    matinee marker add pilot intro 0:42 1:31
    """


@marker.command("list")
@click.argument("title")
@pass_installation
def listing(installation: Installation, title: str) -> None:
    """List the markers of the film of TITLE."""
    with installation.db() as db:
        found = markers.of_asset(db, _film(db, title).id)
    installation.out.table(
        ("id", "kind", "from", "to", "label", "by"),
        [
            (
                each.public_id,
                each.kind,
                clock(each.starts_at),
                clock(each.ends_at),
                each.label,
                each.origin,
            )
            for each in found
        ],
        [_document(each) for each in found],
        empty="This film has no markers.",
    )


@marker.command()
@click.argument("title")
@click.argument("kind", type=_KINDS)
@click.argument("start")
@click.argument("end")
@click.option("--label", default="", help="What it is called, as a chapter's title.")
@pass_installation
def add(
    installation: Installation, title: str, kind: str, start: str, end: str, label: str
) -> None:
    """Mark the film of TITLE from START to END as KIND."""
    stretch = Stretch(MarkerKind(kind), seconds(start), seconds(end), label)
    with installation.db() as db:
        made = markers.add(db, SYSTEM, _film(db, title).id, stretch)
    installation.out.result(_document(made), f"Marked: {made.public_id}")


@marker.command()
@click.argument("marker_id", metavar="ID")
@click.argument("kind", type=_KINDS)
@click.argument("start")
@click.argument("end")
@click.option("--label", default="", help="What it is called, as a chapter's title.")
@pass_installation
def change(
    installation: Installation,
    marker_id: str,
    kind: str,
    start: str,
    end: str,
    label: str,
) -> None:
    """Let the marker ID say KIND, from START to END."""
    stretch = Stretch(MarkerKind(kind), seconds(start), seconds(end), label)
    with installation.db() as db:
        changed = markers.change(db, SYSTEM, marker_id, stretch)
    installation.out.result(_document(changed), f"Changed: {changed.public_id}")


@marker.command()
@click.argument("marker_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@pass_installation
def remove(installation: Installation, marker_id: str, yes: bool) -> None:
    """Remove the marker ID."""
    installation.out.confirm(f"Remove the marker {marker_id}?", yes)
    with installation.db() as db:
        markers.remove(db, SYSTEM, marker_id)
    installation.out.result({"removed": marker_id}, f"Removed: {marker_id}")


@marker.command()
@click.argument("episodes", nargs=-1, required=True, metavar="TITLE...")
@pass_installation
def detect(installation: Installation, episodes: tuple[str, ...]) -> None:
    """Find intros, recaps and credits: TITLE... are a season's episodes in order."""
    with installation.db() as db:
        found = seasons.detect(db, installation.storage, SYSTEM, episodes)
    installation.out.table(
        ("title", "kind", "from", "to", "sure"),
        [
            (
                each.title.slug,
                one.kind,
                clock(one.starts_at),
                clock(one.ends_at),
                "by hand" if one.confidence is None else f"{one.confidence:.0%}",
            )
            for each in found
            for one in each.markers
            if one.kind is not MarkerKind.CHAPTER
        ],
        [
            {"title": each.title.slug, "markers": [_document(m) for m in each.markers]}
            for each in found
        ],
        empty="These films share no intro, recap or credits.",
    )


def _film(db: Database, slug: str) -> Asset:
    title = titles.by_slug(db, SYSTEM, slug)
    asset = assets.playable(db, title.id)
    if asset is None:
        raise NotFound("marker.no-film", f"“{title.name}” has no film yet.")
    return asset


def _document(found: Marker) -> dict[str, Any]:
    return {
        "id": found.public_id,
        "kind": found.kind.value,
        "start": found.starts_at,
        "end": found.ends_at,
        "label": found.label,
        "origin": found.origin.value,
        "confidence": found.confidence,
    }
