"""``matinee storage``: what films take up, where they lie, and moving them."""

from collections.abc import Iterator
from typing import Any

import click

from appliance.cli.installation import Installation, pass_installation
from appliance.cli.output import sized
from appliance.errors import NotFound
from appliance.media import holdings
from appliance.media.holdings import Holding, Verified
from appliance.media.moving import Move
from appliance.media.tracks import Place
from appliance.objects import Stores


@click.group()
def storage() -> None:
    """Show what films take up, check it, and move it to object storage and back.

    \b
    matinee storage show
    matinee storage move the-first-film --to objects
    """


@storage.command()
@click.argument("slug", default="")
@pass_installation
def show(installation: Installation, slug: str) -> None:
    """Show what each title takes up, where that lies, and how much room is left.

    With a title SLUG its renditions are listed too. “As segments” is what the same film
    takes up where it is packaged once (origin.mode = packaged), “as films” where
    nginx-vod-module packages it when it is asked for (origin.mode = vod): the same,
    within a hundredth, but always on this disk, and clear.
    """
    with installation.db() as db:
        found = holdings.listing(db, installation.actor)
    if slug:
        found = [each for each in found if each.title == slug]
        if not found:
            raise NotFound("storage.title", f"The title “{slug}” has no film.")
    free = installation.storage.free_bytes()
    installation.out.table(
        _COLUMNS,
        [*_lines(found, parts=bool(slug)), _totals(found)] if found else [],
        _document(installation, found, free),
        empty="There are no films.",
    )
    mode = installation.settings.origin.mode
    installation.out.say(f"{sized(free)} are free here; origin.mode is {mode}.")


@storage.command()
@click.argument("slug")
@click.option(
    "--to",
    "place",
    type=click.Choice([place.value for place in Place]),
    required=True,
    help="Where to: to the disk here, or to the object storage.",
)
@pass_installation
def move(installation: Installation, slug: str, place: str) -> None:
    """Move the film of the title SLUG to another storage while it stays playable.

    Each track is copied, read again and compared; then the copy counts, and the old
    one is removed. When it was stopped in the middle, saying it again goes on.
    Sources, artwork and scratch stay on the disk.
    """
    stores = Stores(installation.storage, installation.settings)
    with installation.db() as db, installation.out.progress() as bars:
        total = _to_move(holdings.listing(db, installation.actor), slug, place)
        task = bars.add_task(slug, total=total or None)
        mover = Move(
            db, stores, installation.actor, lambda size: bars.advance(task, size)
        )
        done = mover.title(slug, Place(place))
    where = "here" if place == Place.LOCAL else "in the object storage"
    installation.out.result(
        {"title": slug, "to": place, "tracks": done.tracks, "bytes": done.bytes},
        f"{slug} lies {where} now: {done.tracks} tracks with {sized(done.bytes)} moved."
        if done.tracks
        else f"{slug} lies {where} already.",
    )


@storage.command()
@click.argument("slug", default="")
@click.pass_context
@pass_installation
def verify(installation: Installation, context: click.Context, slug: str) -> None:
    """Read every file of the title SLUG, or of all titles, and compare it.

    Sizes and hashes must be those from when the film was packaged; of films from
    before hashes were kept, only sizes are known. Nothing is changed. Ends with 1 when
    something is wrong.
    """
    stores = Stores(installation.storage, installation.settings)
    with installation.db() as db:
        found = list(holdings.verify(db, stores, installation.actor, slug))
    wrong = [each for each in found if each.problems]
    unhashed = sum(not each.hashed for each in found)
    installation.out.result(
        {
            "ok": not wrong,
            "tracks": len(found),
            "without_hashes": unhashed,
            "problems": [
                {
                    "title": each.title,
                    "track": each.track.public_id,
                    "name": each.track.name,
                    "place": each.track.place,
                    "file": problem.file,
                    "problem": problem.what,
                }
                for each in wrong
                for problem in each.problems
            ],
        },
        "\n".join(_told(found, unhashed)),
    )
    context.exit(1 if wrong else 0)


_PROBLEMS = {
    "missing": "is missing",
    "size": "has another size",
    "hash": "has other bytes",
    "extra": "does not belong there",
}


def _told(found: list[Verified], unhashed: int) -> Iterator[str]:
    for each in found:
        for problem in each.problems:
            path = f"{each.track.path}/{problem.file}"
            what = _PROBLEMS[problem.what]
            yield f"{each.title}: {path} ({each.track.place}) {what}."
    wrong = sum(bool(each.problems) for each in found)
    yield f"{len(found)} tracks were read, {wrong} of them are wrong."
    if unhashed:
        yield f"Of {unhashed} only the sizes are known."


def _to_move(found: list[Holding], slug: str, place: str) -> int:
    return sum(
        part.bytes
        for each in found
        if each.title == slug
        for part in each.parts
        if part.place != place
    )


_COLUMNS = (
    *("Title", "Rendition", "Lies", "Takes up", "Source"),
    *("As segments", "As films"),
)


def _lines(found: list[Holding], *, parts: bool) -> Iterator[tuple[str, ...]]:
    for each in found:
        yield (
            each.title,
            "",
            " and ".join(each.places),
            sized(each.bytes),
            sized(each.source),
            sized(each.packaged),
            sized(each.vod),
        )
        for part in each.parts if parts else ():
            sizes = (sized(part.packaged), sized(part.vod))
            yield ("", part.name, part.place, sized(part.bytes), "", *sizes)


def _totals(found: list[Holding]) -> tuple[str, ...]:
    sums = holdings.totals(found)
    size = sums["local"] + sums["objects"]
    sizes = (size, sums["sources"], sums["packaged"], sums["vod"])
    return ("All", "", "", *map(sized, sizes))


def _document(
    installation: Installation, found: list[Holding], free: int
) -> dict[str, Any]:
    return {
        "mode": installation.settings.origin.mode,
        "free": free,
        "totals": holdings.totals(found),
        "titles": [
            {
                "title": each.title,
                "name": each.name,
                "places": each.places,
                "bytes": each.bytes,
                "source": each.source,
                "packaged": each.packaged,
                "vod": each.vod,
                "parts": [
                    {
                        "asset": part.asset,
                        "track": part.track,
                        "kind": part.kind,
                        "name": part.name,
                        "place": part.place,
                        "bytes": part.bytes,
                        "encrypted": part.encrypted,
                        "packaged": part.packaged,
                        "vod": part.vod,
                    }
                    for part in each.parts
                ],
            }
            for each in found
        ],
    }
