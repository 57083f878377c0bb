"""Tracks: the immutable parts of a package; manifests are rendered from these rows."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from appliance.cenc import Scheme
from appliance.db import Database, Row, write
from appliance.digests import Files


class TrackKind(StrEnum):
    VIDEO = "video"
    AUDIO = "audio"
    TEXT = "text"
    THUMBNAILS = "thumbnails"


class Place(StrEnum):
    """Where the files of a track lie: in the storage here, or in the object storage."""

    LOCAL = "local"
    OBJECTS = "objects"


@dataclass(frozen=True, slots=True)
class Track:
    """One rendition, language, subtitle or storyboard of an asset.

    ``path`` is the folder in the storage of its ``place``, ``codec`` as in RFC 6381,
    ``frame_rate`` a fraction, ``bandwidth`` the peak in bits per second. ``facts``
    holds the times and sizes of the segments; its shape depends on the kind. An
    encrypted track says its ``scheme``, and in hexadecimal its ``kid`` and, where it is
    constant, its ``iv``. Since ``retired_at`` no manifest names it.
    """

    id: int
    public_id: str
    asset_id: int
    kind: TrackKind
    name: str
    path: str
    codec: str
    language: str
    label: str
    role: str
    width: int | None
    height: int | None
    frame_rate: str | None
    channels: int | None
    bandwidth: int
    average_bandwidth: int
    bytes: int
    facts: dict[str, Any]
    scheme: Scheme | None = None
    kid: str | None = None
    iv: str | None = None
    place: Place = Place.LOCAL
    retired_at: str | None = None


def of_asset(db: Database, asset_id: int) -> list[Track]:
    """Return the tracks that are served, in the order in which manifests name them.

    Video comes first, by height.
    """
    rows = db.rows(
        f"""
        select * from tracks where asset_id = ? and retired_at is null
        order by {_ORDER}
        """,
        (asset_id,),
    )
    return [_track(row) for row in rows]


def kept(db: Database, asset_id: int) -> list[Track]:
    """Return every track whose files are there: also those of older versions."""
    rows = db.rows(
        f"select * from tracks where asset_id = ? order by {_ORDER}", (asset_id,)
    )
    return [_track(row) for row in rows]


_ORDER = """
case kind when 'video' then 0 when 'audio' then 1 when 'text' then 2 else 3 end,
height, id
"""


def add(db: Database, asset_id: int, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write tracks; :mod:`appliance.media.versions` is who decides which there are.

    An entry is what packaging reported, with ``path`` set to the installed folder.
    """
    with write(db):
        for entry in entries:
            track_id = _insert(db, asset_id, entry)
            if "files" in entry:
                remember_files(db, track_id, entry["files"])


def serve(db: Database, asset_id: int, public_ids: Collection[str]) -> None:
    """Let these of the asset's tracks be served, and retire all others."""
    with write(db):
        db.conn.execute(
            """
            update tracks set retired_at = case
                when public_id in (select value from json_each(:ids)) then null
                else coalesce(retired_at, :now)
            end
            where asset_id = :asset
            """,
            {
                "ids": json.dumps(sorted(public_ids)),
                "now": db.now(),
                "asset": asset_id,
            },
        )


def forget(db: Database, found: Sequence[Track]) -> None:
    """Remove the rows of tracks; somebody must have noted that their files go."""
    with write(db):
        db.conn.executemany(
            "delete from tracks where id = ?", [(each.id,) for each in found]
        )


def retired(db: Database, before: str) -> list[Track]:
    """Return what was retired before that moment, whatever asset it belongs to."""
    rows = db.rows("select * from tracks where retired_at < ? order by id", (before,))
    return [_track(row) for row in rows]


def films(db: Database) -> int:
    """Return how many assets are packaged just in time, from one file a track."""
    found: int = db.value(
        """
        select count(distinct asset_id) from tracks
        where facts ->> 'film' is not null
        """
    )
    return found


def place_of(db: Database, asset: str, track: str) -> Place | None:
    """Return where a track lies, by public ids; None when there is none."""
    found = db.value(
        """
        select tracks.place from tracks
        join assets on assets.id = tracks.asset_id
        where assets.public_id = ? and tracks.public_id = ?
        """,
        (asset, track),
    )
    return None if found is None else Place(found)


def files(db: Database, track_id: int) -> Files | None:
    """Return what the files of a track are, by name; None when nobody looked yet."""
    found = db.value("select files from track_files where track_id = ?", (track_id,))
    if found is None:
        return None
    return {name: (size, sha256) for name, (size, sha256) in json.loads(found).items()}


def remember_files(db: Database, track_id: int, files: Files) -> None:
    """Write down what the files of a track are; they never change."""
    with write(db):
        db.conn.execute(
            "insert or replace into track_files (track_id, files) values (?, ?)",
            (track_id, json.dumps(files, separators=(",", ":"))),
        )


def moved(db: Database, track: Track, place: Place) -> bool:
    """Say that a track lies at ``place`` from now on; False when it is gone."""
    with write(db):
        cursor = db.conn.execute(
            "update tracks set place = ? where id = ? and place = ?",
            (place.value, track.id, track.place.value),
        )
        return cursor.rowcount == 1


def _insert(db: Database, asset_id: int, entry: Mapping[str, Any]) -> int:
    cursor = db.conn.execute(
        """
        insert into tracks (public_id, asset_id, kind, name, path, codec, language,
            label, role, width, height, frame_rate, channels, bandwidth,
            average_bandwidth, bytes, facts, scheme, kid, iv, created_at)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            entry["id"],
            asset_id,
            TrackKind(entry["kind"]).value,
            entry["name"],
            entry["path"],
            entry.get("codec", ""),
            entry.get("language", "und"),
            entry.get("label", ""),
            entry.get("role", "main"),
            entry.get("width"),
            entry.get("height"),
            entry.get("frame_rate"),
            entry.get("channels"),
            entry.get("bandwidth", 0),
            entry.get("average_bandwidth", 0),
            entry.get("bytes", 0),
            json.dumps(entry.get("facts", {}), separators=(",", ":")),
            entry.get("scheme") or "",
            entry.get("kid"),
            entry.get("iv"),
            db.now(),
        ),
    )
    return int(cursor.lastrowid or 0)


def _track(row: Row) -> Track:
    return Track(
        id=row["id"],
        public_id=row["public_id"],
        asset_id=row["asset_id"],
        kind=TrackKind(row["kind"]),
        name=row["name"],
        path=row["path"],
        codec=row["codec"],
        language=row["language"],
        label=row["label"],
        role=row["role"],
        width=row["width"],
        height=row["height"],
        frame_rate=row["frame_rate"],
        channels=row["channels"],
        bandwidth=row["bandwidth"],
        average_bandwidth=row["average_bandwidth"],
        bytes=row["bytes"],
        facts=json.loads(row["facts"]),
        scheme=Scheme(row["scheme"]) if row["scheme"] else None,
        kid=row["kid"],
        iv=row["iv"],
        place=Place(row["place"]),
        retired_at=row["retired_at"],
    )
