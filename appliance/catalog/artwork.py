"""Artwork: posters, backdrops and the frames they may be chosen from.

A picture is kept as JPEG files of a few widths in a folder of its own, so that a page
asks for the width it shows; it is never made larger than it came.
"""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from appliance.catalog import pictures
from appliance.catalog.titles import Title, by_id
from appliance.db import Database, Row, write
from appliance.errors import NotFound
from appliance.events import Event, record
from appliance.permissions import Actor, check_title, visible
from appliance.storage import Storage


class ArtworkKind(StrEnum):
    """What a picture is for."""

    POSTER = "poster"
    BACKDROP = "backdrop"
    CANDIDATE = "candidate"


class ArtworkOrigin(StrEnum):
    """Where a picture came from."""

    FRAME = "frame"
    UPLOAD = "upload"


@dataclass(frozen=True, slots=True)
class Artwork:
    """One picture; ``width`` and ``height`` are those of its largest file.

    ``seconds`` says where in the film a frame stands.
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
) -> Artwork:
    """Cut and keep a picture; a poster or backdrop takes the place of the one before.

    A poster is cut to 2:3, a backdrop or candidate to 16:9, around the middle.
    Errors: ``InvalidInput`` when the file is no picture that can be used,
    ``Forbidden``, ``StorageFull``.
    """
    kind, origin = ArtworkKind(kind), ArtworkOrigin(origin)
    title = by_id(db, title_id)
    check_title(actor, title.created_by)
    public_id = secrets.token_hex(8)
    folder = f"artwork/{title.public_id}/{public_id}"
    try:
        sizes = [
            (storage.write(f"{folder}/{each.width}.jpg", each.jpeg), each)
            for each in pictures.cut(image, _SHAPES[kind])
        ]
        largest = sizes[-1][1]
        with write(db):
            replaced = _replaced(db, title, kind)
            row = {
                "public_id": public_id,
                "title_id": title_id,
                "kind": kind.value,
                "origin": origin.value,
                "path": folder,
                "width": largest.width,
                "height": largest.height,
                "seconds": seconds,
                "created_at": db.now(),
            }
            artwork_id = int(db.table("artwork").insert(row).last_pk or 0)
            _show(db, actor, title, kind, public_id, origin)
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
) -> Artwork:
    """Make a candidate, by its public id, the poster or backdrop of its title."""
    row = db.one(
        "select * from artwork where public_id = ? and kind = 'candidate'",
        (candidate_id,),
    )
    if row is None:
        raise _missing()
    candidate = _artwork(row)
    return add(
        db,
        storage,
        actor,
        candidate.title_id,
        kind,
        storage.existing(f"{candidate.path}/{candidate.width}.jpg"),
        origin=candidate.origin,
        seconds=candidate.seconds,
    )


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
    db: Database, storage: Storage, actor: Actor, public_id: str, width: int
) -> Path:
    """Return the smallest file that is at least ``width`` wide, else the largest.

    Errors: ``NotFound`` when the actor may not see the title.
    """
    predicate, params = visible(actor)
    path = db.value(
        f"""
        select artwork.path from artwork
        join titles on titles.id = artwork.title_id
        where artwork.public_id = :public_id and {predicate}
        """,
        {"public_id": public_id, **params},
    )
    if path is None:
        raise _missing()
    files = sorted(storage.path(path).glob("*.jpg"), key=lambda each: int(each.stem))
    if not files:
        raise _missing()
    return next((each for each in files if int(each.stem) >= width), files[-1])


_SHAPES = {
    ArtworkKind.POSTER: pictures.Shape(2, 3, (320, 640, 1280)),
    ArtworkKind.BACKDROP: pictures.Shape(16, 9, (320, 640, 1280, 1920)),
    ArtworkKind.CANDIDATE: pictures.Shape(16, 9, (320, 640, 1280, 1920)),
}


def _replaced(db: Database, title: Title, kind: ArtworkKind) -> list[str]:
    """Drop the rows that a new picture replaces; return their folders."""
    if kind is ArtworkKind.CANDIDATE:
        return []
    where, params = "title_id = ? and kind = ?", (title.id, kind.value)
    rows = db.rows(f"select path from artwork where {where}", params)
    db.conn.execute(f"delete from artwork where {where}", params)
    return [row["path"] for row in rows]


def _show(
    db: Database,
    actor: Actor,
    title: Title,
    kind: ArtworkKind,
    public_id: str,
    origin: ArtworkOrigin,
) -> None:
    if kind is ArtworkKind.CANDIDATE:
        return
    db.table("titles").update(title.id, {kind.value: public_id, "updated_at": db.now()})
    record(
        db,
        actor,
        Event.ARTWORK_CHANGE,
        f"title/{title.public_id}",
        kind=kind.value,
        origin=origin.value,
    )


def _by_id(db: Database, artwork_id: int) -> Artwork:
    row = db.one("select * from artwork where id = ?", (artwork_id,))
    if row is None:
        raise _missing()
    return _artwork(row)


def _missing() -> NotFound:
    return NotFound("artwork.missing", "There is no such picture.")


def _artwork(row: Row) -> Artwork:
    return Artwork(
        **row
        | {"kind": ArtworkKind(row["kind"]), "origin": ArtworkOrigin(row["origin"])}
    )
