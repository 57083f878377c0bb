"""``matinee edge``: the edges of this installation, what they need, what they have."""

import dataclasses
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import click

from appliance import keyring, outbound
from appliance.catalog import titles
from appliance.checks import through_cdn
from appliance.cli import doctor
from appliance.cli.installation import Installation, pass_installation
from appliance.clock import SystemClock
from appliance.db import Database, write
from appliance.delivery import edge_secret, routes, tokens, warming
from appliance.delivery.cdn.visitor import Visitor, from_cache
from appliance.delivery.routes import Edge, Route
from appliance.delivery.tokens import Algorithm
from appliance.errors import (
    ConfigError,
    Conflict,
    MatineeError,
    NotFound,
    PreconditionFailed,
)
from appliance.events import Event, record
from appliance.media import assets, tracks
from appliance.operations.findings import Finding
from appliance.permissions import Action, check

_TOGETHER = 4
# An edge says itself whether it lives.
_PAGES = tuple(each for each in through_cdn.PAGES if each != "/-/live")
_TOKEN_LIFE = timedelta(hours=1)


@dataclasses.dataclass(frozen=True, slots=True)
class Warmed:
    """What came of asking one edge for one film; ``failed`` are files."""

    edge: str
    title: str
    fetched: int
    had: int
    failed: int
    trouble: str = ""


@click.group()
def edge() -> None:
    """Look after the caching servers of branch offices and clusters (edge.sites).

    \b
    matinee edge keys --to /root/for-berlin
    matinee edge warm the-first-film --edge berlin
    matinee edge check
    """


@edge.command("list")
@pass_installation
def list_edges(installation: Installation) -> None:
    """List the edges and the networks that they serve."""
    found = routes.edges(installation.settings)
    installation.out.table(
        ("EDGE", "ADDRESS", "SERVES"),
        [(each.name, each.base, _serves(each)) for each in found],
        [
            {
                "name": each.name,
                "address": each.base,
                "networks": [str(network) for network in each.networks],
            }
            for each in found
        ],
        empty="There are no edges: see the setting edge.sites.",
    )


@edge.command("check")
@click.option("--edge", "name", default="", help="Only the edge of that NAME.")
@click.option("--title", "slug", default="", help="Ask for the film of the title SLUG.")
@click.pass_context
@pass_installation
def examine(
    installation: Installation, context: click.Context, name: str, slug: str
) -> None:
    """Prove through each edge's address that it works.

    It is asked as viewers ask: does the second request come from what it keeps, are
    tokens that have run out or belong to another film refused, are keys never kept,
    are ranges and CORS right? Ends with 1 when a check failed.
    """
    settings = installation.settings
    portal = settings.portal.public_url.rstrip("/")
    if not portal:
        raise ConfigError("edge.portal", "Set portal.public_url first.")
    with installation.db() as db:
        asset = _asset(db, installation, slug)
    now = int(SystemClock().now().timestamp())
    findings = [
        _of_edge(found, each)
        for each in _named(installation, name)
        for found in through_cdn.examine(
            _visitor(installation, each, asset), portal, now, _PAGES
        )
    ]
    context.exit(doctor.show(installation, findings))


@edge.command()
@click.argument("slugs", metavar="TITLE...", nargs=-1, required=True)
@click.option("--edge", "name", default="", help="Only the edge of that NAME.")
@click.option(
    "--segments",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    help="How many of each rendition, from the beginning; 0: all.",
)
@pass_installation
def warm(
    installation: Installation, slugs: tuple[str, ...], name: str, segments: int
) -> int:
    """Have edges fetch films before the first viewer comes.

    TITLE... are slugs. An edge is asked for manifests, playlists and the first segments
    of each rendition and language, with a token of its own; what it has already costs
    the origin nothing. Ends with 1 when something could not be had.
    """
    check(installation.actor, Action.STORAGE_MANAGE)
    chosen = list(_named(installation, name))
    with installation.db() as db:
        films = {slug: _files(db, installation, slug, segments) for slug in slugs}
    done = []
    for each in chosen:
        for slug, (asset, names) in films.items():
            installation.out.say(f"{each.name}: {len(names)} files of {slug} …")
            visitor = _visitor(installation, each, asset)
            done.append(_warmed(visitor, slug, names))
    installation.out.table(
        ("EDGE", "TITLE", "FETCHED", "HAD", "FAILED", ""),
        [dataclasses.astuple(each) for each in done],
        [dataclasses.asdict(each) for each in done],
    )
    return 1 if any(each.failed for each in done) else 0


@edge.command()
@click.option(
    "--rotate", is_flag=True, help="Make a new secret; the last still counts."
)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Copy the files into this folder, which must be empty or new.",
)
@pass_installation
def keys(installation: Installation, rotate: bool, folder: Path | None) -> None:
    """Name the keys that an edge needs, or copy them.

    An edge in another house gets these and no others: with them it can tell who may
    have which file, and it shows the origin that it is one of ours. It needs neither a
    database nor content keys. Carry them as you carry passwords, into its folder of
    keys, and run `matinee nginx install` there.

    The key that the next `matinee key rotate media` puts into use is among them: carry
    them before each rotation. An edge that missed one refuses everybody, and players
    pass it by.

    The first call makes the secret. After that, and after --rotate, run
    `matinee nginx install` here too.
    """
    check(installation.actor, Action.KEY_MANAGE)
    settings = installation.settings
    tokens.announce(settings.keys)
    if rotate or not edge_secret.files(settings.keys):
        with installation.db() as db, write(db):
            # Last in the transaction: without the file there is nothing to tell of.
            newest = edge_secret.rotate(settings.keys)[0].stem.rpartition("-")[2]
            record(db, installation.actor, Event.KEY_ROTATE, f"edge-secret/{newest}")
    needed = list(_needed(settings.keys))
    if folder is not None:
        _copy(needed, folder)
    names = [path.name for path in needed]
    where = f"{folder} holds" if folder else f"An edge needs, of {settings.keys}:"
    installation.out.result(
        {"files": names, "folder": str(folder or settings.keys)},
        f"{where} {', '.join(names)}",
    )


def _needed(keys: Path) -> Iterator[Path]:
    """Yield the files of the keys that tokens are checked with, and the secret."""
    for number in tokens.to_check(keys).secrets:
        found = (keys / f"media-{number}.key", keys / f"next-media-{number}.key")
        yield next(path for path in found if path.exists())
    yield edge_secret.files(keys)[0]


def _copy(files: list[Path], folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()):
        raise Conflict(
            "command.file-exists", f"{folder} is not empty: give another folder."
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in files:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(folder / path.name, flags, 0o600), "w") as file:
            file.write(f"{keyring.read(path).hex()}\n")


def _warmed(visitor: Visitor, title: str, names: list[str]) -> Warmed:
    """Ask an edge for files, several at a time; leave it when it cannot be reached."""
    now = SystemClock().now()
    signed = visitor.signed(int((now + _TOKEN_LIFE).timestamp()))
    fetched = had = 0
    trouble = ""
    with ThreadPoolExecutor(_TOGETHER) as pool:
        waiting = [pool.submit(visitor.get, signed, name) for name in names]
        try:
            for each in waiting:
                answer = each.result()
                if answer.status != 200:
                    trouble = f"answered with {answer.status}"
                elif from_cache(answer):
                    had += 1
                else:
                    fetched += 1
        except MatineeError as error:
            trouble = error.message
            pool.shutdown(cancel_futures=True)
    failed = len(names) - fetched - had
    return Warmed(visitor.route.name, title, fetched, had, failed, trouble)


def _files(
    db: Database, installation: Installation, slug: str, segments: int
) -> tuple[str, list[str]]:
    title = titles.by_slug(db, installation.actor, slug)
    film = assets.playable(db, title.id)
    if film is None:
        raise PreconditionFailed("edge.no-film", f"{slug} has no film that plays yet.")
    return film.public_id, list(warming.files(tracks.of_asset(db, film.id), segments))


def _asset(db: Database, installation: Installation, slug: str) -> str:
    """Return the public id of a film that plays: of a title, or the newest."""
    if slug:
        return _files(db, installation, slug, 1)[0]
    found = assets.newest(db)
    if found is None:
        raise PreconditionFailed("edge.no-film", "There is no film to ask for.")
    return found.public_id


def _named(installation: Installation, name: str) -> Iterator[Edge]:
    known = routes.edges(installation.settings)
    if not known:
        raise PreconditionFailed(
            "edge.none", "There are no edges: name them in the setting edge.sites."
        )
    chosen = [each for each in known if not name or each.name == name]
    if not chosen:
        names = ", ".join(each.name for each in known)
        raise NotFound("edge.missing", f"There is no edge “{name}”, but {names}.")
    yield from chosen


def _visitor(installation: Installation, edge: Edge, asset: str) -> Visitor:
    settings = installation.settings
    return Visitor(
        route=Route(edge.name, edge.base),
        asset=asset,
        keys=tokens.load(settings.keys),
        algorithm=Algorithm(settings.origin.token),
        ways=outbound.of(settings),
        service=f"The edge {edge.name}",
    )


def _of_edge(finding: Finding, edge: Edge) -> Finding:
    fix = "on the edge: matinee nginx install --role edge" if finding.fix else ""
    return dataclasses.replace(finding, id=f"{edge.name}.{finding.id}", fix=fix)


def _serves(edge: Edge) -> str:
    return " ".join(str(each) for each in edge.networks) or "everybody"
