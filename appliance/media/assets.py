"""Assets: one processed video that can be played, with the source it came from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from appliance.db import Database, Row, write
from appliance.errors import Conflict, NotFound


class AssetState(StrEnum):
    UPLOADED = "uploaded"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Asset:
    """One row; ``facts`` are what inspecting the source found, ``duration`` seconds.

    ``source_path`` lies in the storage, unless it was removed; ``version`` is that of
    the tracks which are served. ``analysis`` is what samples of it taught, ``preview``
    the name of its preview, which changes with it.
    """

    id: int
    public_id: str
    title_id: int
    role: str
    state: AssetState
    source_path: str
    source_name: str
    source_bytes: int
    source_sha256: str | None
    facts: dict[str, Any] | None
    duration: float | None
    version: int
    analysis: dict[str, Any] | None = None
    source_removed_at: str | None = None
    preview: str | None = None


# The columns that speak of the source.
SOURCE = (
    "source_path",
    "source_name",
    "source_bytes",
    "source_sha256",
    "source_removed_at",
    "facts",
    "analysis",
)


def by_id(db: Database, asset_id: int) -> Asset:
    """Return the asset, else ``NotFound``."""
    return _found(db.one("select * from assets where id = ?", (asset_id,)))


def by_public_id(db: Database, public_id: str) -> Asset:
    """Return the asset, else ``NotFound``."""
    return _found(db.one("select * from assets where public_id = ?", (public_id,)))


def of_title(db: Database, title_id: int) -> list[Asset]:
    """Return every asset of a title, the newest first."""
    rows = db.rows(
        "select * from assets where title_id = ? order by id desc", (title_id,)
    )
    return [_asset(row) for row in rows]


def playable(db: Database, title_id: int) -> Asset | None:
    """Return what plays when somebody presses Play: the newest main asset ready."""
    row = db.one(
        """
        select * from assets
        where title_id = ? and role = 'main' and state = 'ready'
        order by id desc limit 1
        """,
        (title_id,),
    )
    return None if row is None else _asset(row)


def newest(db: Database) -> Asset | None:
    """Return the newest asset that can be played, whatever title it belongs to."""
    row = db.one("select * from assets where state = 'ready' order by id desc limit 1")
    return None if row is None else _asset(row)


def create(
    db: Database,
    title_id: int,
    public_id: str,
    *,
    source_path: str,
    source_name: str,
    source_bytes: int,
    source_sha256: str | None,
) -> Asset:
    """Write the row of a source that lies in the storage."""
    with write(db):
        cursor = db.conn.execute(
            """
            insert into assets (public_id, title_id, source_path, source_name,
                source_bytes, source_sha256, created_at)
            values (?, ?, ?, ?, ?, ?, ?)
            """,
            (
                public_id,
                title_id,
                source_path,
                source_name,
                source_bytes,
                source_sha256,
                db.now(),
            ),
        )
        return by_id(db, int(cursor.lastrowid or 0))


def processing(db: Database, asset_id: int) -> None:
    """Say that work on the asset has begun; a ready one stays ready meanwhile."""
    with write(db):
        db.conn.execute(
            """
            update assets set state = 'processing'
            where id = ? and state in ('uploaded', 'failed')
            """,
            (asset_id,),
        )


def failed(db: Database, asset_id: int) -> None:
    """Say that the work failed; a ready asset keeps the version it has."""
    with write(db):
        db.conn.execute(
            "update assets set state = 'failed' where id = ? and state != 'ready'",
            (asset_id,),
        )


def inspected(
    db: Database, asset_id: int, facts: dict[str, Any], sha256: str | None
) -> None:
    """Keep what inspecting the source found."""
    with write(db):
        db.conn.execute(
            """
            update assets
            set facts = ?, source_sha256 = coalesce(source_sha256, ?)
            where id = ?
            """,
            (json.dumps(facts), sha256, asset_id),
        )


def analysed(db: Database, asset_id: int, analysis: Mapping[str, Any]) -> None:
    """Keep what encoding samples of the source taught."""
    with write(db):
        db.conn.execute(
            "update assets set analysis = ? where id = ?",
            (json.dumps(analysis), asset_id),
        )


def preview_place(asset_public_id: str) -> str:
    """Return where in the storage the preview of a film lies, if it has one."""
    return f"packages/{asset_public_id}/preview.mp4"


def previewed(db: Database, asset_id: int, name: str) -> None:
    """Say that there is a new preview."""
    with write(db):
        db.conn.execute("update assets set preview = ? where id = ?", (name, asset_id))


def switched(db: Database, asset_id: int, version: int, duration: float) -> None:
    """Say that this version is in place and can be played."""
    with write(db):
        db.conn.execute(
            "update assets set state = 'ready', duration = ?, version = ? where id = ?",
            (duration, version, asset_id),
        )


def change_source(db: Database, asset_id: int, source: Mapping[str, Any]) -> None:
    """Let the asset come from another source; ``source`` has columns of its row."""
    with write(db):
        db.table("assets").update(asset_id, {key: source[key] for key in SOURCE})


def require_source(asset: Asset) -> None:
    """Refuse what needs the source when it was removed. Errors: ``Conflict``."""
    if asset.source_removed_at:
        raise Conflict(
            "source.removed",
            f"The source “{asset.source_name}” was removed on"
            f" {asset.source_removed_at[:10]}, as its library wants it: upload the film"
            " again to replace it.",
        )


def _found(row: Row | None) -> Asset:
    if row is None:
        raise NotFound("asset.missing", "There is no such asset.")
    return _asset(row)


def _asset(row: Row) -> Asset:
    return Asset(
        id=row["id"],
        public_id=row["public_id"],
        title_id=row["title_id"],
        role=row["role"],
        state=AssetState(row["state"]),
        source_path=row["source_path"],
        source_name=row["source_name"],
        source_bytes=row["source_bytes"],
        source_sha256=row["source_sha256"],
        facts=json.loads(row["facts"]) if row["facts"] else None,
        duration=row["duration"],
        version=row["version"],
        analysis=json.loads(row["analysis"]) if row["analysis"] else None,
        source_removed_at=row["source_removed_at"],
        preview=row["preview"],
    )
