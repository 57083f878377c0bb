"""Artwork: posters, backdrops, logos and the frames they may be chosen from.

A picture has a folder of its own. In it lie what it is cut from, and a JPEG for every
width it fills (PNG where it shows through); a page asks for the width it shows, and
other formats are made when the first page asks for them. It is never made larger than
it came.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from appliance.catalog import picture_files, series
from appliance.catalog.pictures import Format, Shape
from appliance.catalog.titles import Title, by_id
from appliance.db import Database, Row, write
from appliance.errors import InvalidInput
from appliance.events import Event, record
from appliance.permissions import Actor, check_title, visible
from appliance.storage import Storage

MIDDLE = (0.5, 0.5)
"""The focus of a picture of which nobody said what must be seen."""


class ArtworkKind(StrEnum):
    """What a picture is for."""

    POSTER = "poster"
    BACKDROP = "backdrop"
    LOGO = "logo"
    SEASON = "season"
    CANDIDATE = "candidate"


class ArtworkOrigin(StrEnum):
    """Where a picture came from."""

    FRAME = "frame"
    UPLOAD = "upload"


@dataclass(frozen=True, slots=True)
class Artwork:
    """One picture; ``width`` and ``height`` are those of its largest file.

    ``seconds`` says where in the film a frame stands, ``focal_x`` and ``focal_y`` what
    of it must be seen, as fractions from the left and the top.
    """

    id: int
    public_id: str
    title_id: int
    kind: ArtworkKind
    origin: ArtworkOrigin
    path: str
    width: int
    height: int
    seconds: float | None
    focal_x: float
    focal_y: float
    created_at: str


def add(
    db: Database,
    storage: Storage,
    actor: Actor,
    title_id: int,
    kind: ArtworkKind | str,
    image: Path,
    *,
    origin: ArtworkOrigin | str,
    seconds: float | None = None,
    focus: tuple[float, float] = MIDDLE,
    season: int | None = None,
) -> Artwork:
    """Cut and keep a picture; it takes the place of the one before of its kind.

    A poster, also one of a ``season``, is cut to 2:3, a backdrop or candidate to 16:9,
    around the ``focus``; a logo keeps its sides and what shows through.
    Errors: ``InvalidInput`` when the file is no picture that can be used,
    ``Forbidden``, ``StorageFull``.
    """
    kind, origin = ArtworkKind(kind), ArtworkOrigin(origin)
    title = by_id(db, title_id)
    check_title(actor, title.created_by)
    _require_inside(focus)
    public_id = secrets.token_hex(8)
    folder = f"artwork/{title.public_id}/{public_id}"
    try:
        width, height = _keep(storage, folder, image, kind, focus)
        with write(db):
            replaced = _replaced(db, title, kind, season)
            row = {
                "public_id": public_id,
                "title_id": title_id,
                "kind": kind.value,
                "origin": origin.value,
                "path": folder,
                "width": width,
                "height": height,
                "seconds": seconds,
                "focal_x": focus[0],
                "focal_y": focus[1],
                "created_at": db.now(),
            }
            artwork_id = int(db.table("artwork").insert(row).last_pk or 0)
            _show(db, actor, title, kind, public_id, season)
            _record(db, actor, title, kind, origin)
    except BaseException:
        storage.remove(folder)
        raise
    for each in replaced:
        storage.remove(each)
    return _by_id(db, artwork_id)


def choose(
    db: Database,
    storage: Storage,
    actor: Actor,
    kind: ArtworkKind | str,
    candidate_id: str,
    *,
    season: int | None = None,
) -> Artwork:
    """Make a candidate, by its public id, the poster or backdrop of its title."""
    candidate = _by_public_id(db, candidate_id)
    if candidate.kind is not ArtworkKind.CANDIDATE:
        raise picture_files.missing()
    return add(
        db,
        storage,
        actor,
        candidate.title_id,
        kind,
        source(storage, candidate),
        origin=candidate.origin,
        seconds=candidate.seconds,
        season=season,
    )


def refocus(
    db: Database,
    storage: Storage,
    actor: Actor,
    public_id: str,
    focus: tuple[float, float],
) -> Artwork:
    """Cut a picture anew around another focus; as it is another one, so is its id.

    Errors: ``InvalidInput``, ``NotFound``, ``Forbidden``.
    """
    found = _by_public_id(db, public_id)
    return add(
        db,
        storage,
        actor,
        found.title_id,
        found.kind,
        source(storage, found),
        origin=found.origin,
        seconds=found.seconds,
        focus=focus,
        season=_season_of(db, found),
    )


def remove(db: Database, storage: Storage, actor: Actor, public_id: str) -> None:
    """Take a picture away from its title. Errors: ``NotFound``, ``Forbidden``."""
    with write(db):
        found = _by_public_id(db, public_id)
        title = by_id(db, found.title_id)
        check_title(actor, title.created_by)
        _show(db, actor, title, found.kind, None, _season_of(db, found))
        db.conn.execute("delete from artwork where id = ?", (found.id,))
        _record(db, actor, title, found.kind, "removed")
    storage.remove(found.path)


def candidates(db: Database, title_id: int) -> list[Artwork]:
    """Return the frames of a title that a poster may be chosen from, in film order."""
    rows = db.rows(
        """
        select * from artwork
        where title_id = ? and kind = 'candidate'
        order by seconds, id
        """,
        (title_id,),
    )
    return [_artwork(row) for row in rows]


def shown(db: Database, title_id: int, kind: ArtworkKind) -> Artwork | None:
    """Return the poster, backdrop or logo of a title."""
    row = db.one(
        "select * from artwork where title_id = ? and kind = ?", (title_id, kind.value)
    )
    return None if row is None else _artwork(row)


def source(storage: Storage, found: Artwork) -> Path:
    """Return what a picture is cut from. Errors: ``NotFound``."""
    return picture_files.source(storage, found.path)


def drop_candidates(
    db: Database, storage: Storage, actor: Actor, title_id: int
) -> None:
    """Remove the candidates of a title, as when a new film brings new ones."""
    with write(db):
        check_title(actor, by_id(db, title_id).created_by)
        gone = candidates(db, title_id)
        db.conn.execute(
            "delete from artwork where title_id = ? and kind = 'candidate'", (title_id,)
        )
    for each in gone:
        storage.remove(each.path)


def file(
    db: Database,
    storage: Storage,
    actor: Actor,
    public_id: str,
    width: int,
    format_: Format | None = None,
) -> Path:
    """Return the smallest file that is at least ``width`` wide, else the largest.

    It is made when nobody has asked for that format before; None means as it is kept.
    Errors: ``NotFound`` when the actor may not see the title.
    """
    predicate, params = visible(actor, db.now())
    row = db.one(
        f"""
        select artwork.* from artwork
        join titles on titles.id = artwork.title_id
        where artwork.public_id = :public_id and {predicate}
        """,
        {"public_id": public_id, **params},
    )
    if row is None:
        raise picture_files.missing()
    found = _artwork(row)
    return picture_files.sized(
        storage,
        found.path,
        SHAPES[found.kind],
        (found.focal_x, found.focal_y),
        width,
        format_,
    )


SHAPES: Mapping[ArtworkKind, Shape] = {
    ArtworkKind.POSTER: Shape(2, 3, (320, 640, 1280)),
    ArtworkKind.SEASON: Shape(2, 3, (320, 640, 1280)),
    ArtworkKind.BACKDROP: Shape(16, 9, (320, 640, 1280, 1920)),
    ArtworkKind.CANDIDATE: Shape(16, 9, (320, 640, 1280, 1920)),
    ArtworkKind.LOGO: Shape(0, 0, (320, 640, 1280)),
}


def _keep(
    storage: Storage,
    folder: str,
    image: Path,
    kind: ArtworkKind,
    focus: tuple[float, float],
) -> tuple[int, int]:
    # Of the many frames to choose from the largest file will do to cut from.
    chosen = kind is not ArtworkKind.CANDIDATE
    return picture_files.keep(
        storage, folder, image, SHAPES[kind], focus, original=chosen
    )


def _require_inside(focus: tuple[float, float]) -> None:
    if not all(0 <= each <= 1 for each in focus):
        raise InvalidInput(
            "artwork.focus",
            "The focus is given as two numbers from 0 to 1.",
            {"field": "focus"},
        )


def _replaced(
    db: Database, title: Title, kind: ArtworkKind, season: int | None
) -> list[str]:
    """Drop the rows that a new picture replaces; return their folders."""
    if kind is ArtworkKind.CANDIDATE:
        return []
    where = "title_id = ? and kind = ?"
    params: tuple[object, ...] = (title.id, kind.value)
    if kind is ArtworkKind.SEASON:
        where += """ and public_id = (
            select poster from seasons where title_id = ? and number = ?
        )"""
        params += (title.id, season)
    rows = db.rows(f"select path from artwork where {where}", params)
    db.conn.execute(f"delete from artwork where {where}", params)
    return [row["path"] for row in rows]


def _show(
    db: Database,
    actor: Actor,
    title: Title,
    kind: ArtworkKind,
    public_id: str | None,
    season: int | None,
) -> None:
    if kind is ArtworkKind.CANDIDATE:
        return
    if kind is ArtworkKind.SEASON:
        if season is not None:
            series.show_poster(db, actor, title.slug, season, public_id)
        return
    db.table("titles").update(title.id, {kind.value: public_id, "updated_at": db.now()})


def _season_of(db: Database, found: Artwork) -> int | None:
    if found.kind is not ArtworkKind.SEASON:
        return None
    number = db.value(
        "select number from seasons where title_id = ? and poster = ?",
        (found.title_id, found.public_id),
    )
    return None if number is None else int(number)


def _record(
    db: Database, actor: Actor, title: Title, kind: ArtworkKind, origin: str
) -> None:
    if kind is not ArtworkKind.CANDIDATE:
        record(
            db,
            actor,
            Event.ARTWORK_CHANGE,
            f"title/{title.public_id}",
            kind=kind.value,
            origin=str(origin),
        )


def _by_public_id(db: Database, public_id: str) -> Artwork:
    row = db.one("select * from artwork where public_id = ?", (public_id,))
    if row is None:
        raise picture_files.missing()
    return _artwork(row)


def _by_id(db: Database, artwork_id: int) -> Artwork:
    row = db.one("select * from artwork where id = ?", (artwork_id,))
    if row is None:
        raise picture_files.missing()
    return _artwork(row)


def _artwork(row: Row) -> Artwork:
    return Artwork(
        **row
        | {"kind": ArtworkKind(row["kind"]), "origin": ArtworkOrigin(row["origin"])}
    )
