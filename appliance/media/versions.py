"""Versions of an asset: the sets of tracks that it has had, and the one it has.

Tracks never change and are never renamed, so a version is a list of them. Those that
the present one no longer names are retired: they stay for a while, for who watches them
and for going back, and then go with their rows.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.catalog import states, titles
from appliance.db import Database, Row, write
from appliance.errors import Conflict, NotFound
from appliance.events import Event, record
from appliance.media import assets, jobs, leftovers, quality, reviews, tracks
from appliance.media.assets import SOURCE, Asset
from appliance.media.tracks import Track
from appliance.permissions import Actor, check_title
from appliance.settings import Settings


@dataclass(frozen=True, slots=True)
class Version:
    """One row; ``tracks`` are public ids, ``reason`` is why it was made.

    ``job`` made it, where one did. ``restorable`` says that all of it is still there.
    """

    number: int
    reason: str
    job: str
    duration: float
    tracks: tuple[str, ...]
    source_path: str
    source_name: str
    created_at: str
    retired_at: str | None
    present: bool
    restorable: bool


def change(
    db: Database,
    actor: Actor,
    asset_id: int,
    *,
    add: Sequence[Mapping[str, Any]] = (),
    remove: Collection[str] = (),
    reason: str,
    job: str = "",
    duration: float | None = None,
    source: Mapping[str, Any] | None = None,
) -> int:
    """Change which tracks are served, and return the number of the new version.

    ``add`` has entries as packaging reports them, whose files are in place; ``remove``
    public ids of tracks that are served now. ``source`` has the columns
    ``assets.SOURCE`` when the film comes from another one.
    Errors: ``NotFound``, ``Forbidden``.
    """
    with write(db):
        asset = assets.by_id(db, asset_id)
        check_title(actor, titles.by_id(db, asset.title_id).created_by)
        _remember_present(db, asset)
        tracks.add(db, asset_id, add)
        served = [track.public_id for track in tracks.of_asset(db, asset_id)]
        ids = [each for each in served if each not in remove]
        number = _next(db, asset)
        length = asset.duration if duration is None else duration
        _switch(db, asset, number, ids, length or 0.0, source)
        _insert(db, assets.by_id(db, asset_id), reason, job, ids)
        # What was decided about a film says nothing of another one.
        if source is None:
            quality.inherit(db, asset_id, asset.version, number)
        return number


def restore(
    db: Database, settings: Settings, actor: Actor, asset: Asset, number: int
) -> Version:
    """Serve an older version again, with the source that it was made from.

    What is served now can be put back in the same way, as long as it is kept. A title
    leaves the portal when that version must not be shown there.
    Errors: ``NotFound``; ``Forbidden``; ``Conflict`` when it is served already, when
    parts of it are gone, or while a job changes the film.
    """
    with write(db):
        asset = assets.by_id(db, asset.id)
        check_title(actor, titles.by_id(db, asset.title_id).created_by)
        _refuse_while_made(db, asset)
        _remember_present(db, asset)
        version = _restorable(db, asset, number)
        row = db.one(f"{_SELECT} and number = ?", (asset.id, number)) or {}
        source = json.loads(row["source"]) if row["source"] else None
        _switch(db, asset, number, version.tracks, version.duration, source)
        states.processed(db, actor, asset.title_id, version.duration)
        reviews.withhold(db, settings, asset.id)
        record(
            db,
            actor,
            Event.ASSET_RESTORE,
            f"asset/{asset.public_id}",
            version=number,
            before=asset.version,
        )
        return by_number(db, assets.by_id(db, asset.id), number)


def listing(db: Database, asset: Asset) -> list[Version]:
    """Return the versions that are known of an asset, the newest first."""
    kept = {track.public_id for track in tracks.kept(db, asset.id)}
    rows = db.rows(f"{_SELECT} order by number desc", (asset.id,))
    return [_version(row, asset, kept) for row in rows]


def by_number(db: Database, asset: Asset, number: int) -> Version:
    """Return one version, else ``NotFound``."""
    found = [each for each in listing(db, asset) if each.number == number]
    if not found:
        raise NotFound("version.missing", f"There is no version {number} of this film.")
    return found[0]


def let_go(db: Database, found: Sequence[Track]) -> None:
    """Forget retired tracks; a chore removes their files, wherever they lie."""
    with write(db):
        for track in found:
            leftovers.note(db, track.place, track.path)
        tracks.forget(db, found)


def drop_expired(db: Database, days: int, watched: Mapping[int, str]) -> set[int]:
    """Forget tracks that were retired ``days`` ago; return of which assets.

    ``watched`` says of assets since when somebody watches them: who began before a
    track was retired may still be watching it, so it stays.
    """
    with write(db):
        found = [
            track
            for track in tracks.retired(db, db.now(days=-days))
            if watched.get(track.asset_id, "~") >= (track.retired_at or "")
        ]
        let_go(db, found)
    return {track.asset_id for track in found}


_SELECT = "select * from asset_versions where asset_id = ?"


def _remember_present(db: Database, asset: Asset) -> None:
    """Write down the version that is served, where an older Matinee has not."""
    known = db.value(
        "select 1 from asset_versions where asset_id = ? and number = ?",
        (asset.id, asset.version),
    )
    if known is None and asset.version:
        ids = [track.public_id for track in tracks.of_asset(db, asset.id)]
        _insert(db, asset, "ingest", "", ids)


def _switch(
    db: Database,
    asset: Asset,
    number: int,
    ids: Collection[str],
    duration: float,
    source: Mapping[str, Any] | None,
) -> None:
    """Let the tracks of a version be served, and keep what going back would need."""
    tracks.serve(db, asset.id, ids)
    if source is not None and source["source_path"] != asset.source_path:
        row = db.one("select * from assets where id = ?", (asset.id,)) or {}
        db.conn.execute(
            """
            update asset_versions set source = ?
            where asset_id = ? and source_path = ?
            """,
            (json.dumps({key: row[key] for key in SOURCE}), asset.id, row[SOURCE[0]]),
        )
        assets.change_source(db, asset.id, source)
    db.conn.execute(
        """
        update asset_versions
        set retired_at = case when number = :number then null
            else coalesce(retired_at, :now) end
        where asset_id = :asset
        """,
        {"number": number, "now": db.now(), "asset": asset.id},
    )
    assets.switched(db, asset.id, number, duration)


def _insert(
    db: Database, asset: Asset, reason: str, job: str, ids: Sequence[str]
) -> None:
    row = {
        "asset_id": asset.id,
        "number": asset.version,
        "reason": reason,
        "job": job,
        "duration": asset.duration or 0.0,
        "tracks": json.dumps(ids),
        "source_path": asset.source_path,
        "source_name": asset.source_name,
        "created_at": db.now(),
    }
    db.table("asset_versions").insert(row)


def _next(db: Database, asset: Asset) -> int:
    """Return a number that no version has had: reports and caches go by it."""
    highest = db.value(
        "select max(number) from asset_versions where asset_id = ?", (asset.id,)
    )
    return max(highest or 0, asset.version) + 1


def _refuse_while_made(db: Database, asset: Asset) -> None:
    job = jobs.making(db, asset.id)
    if job is not None:
        raise Conflict(
            "version.busy",
            f"Job {job.public_id} ({job.kind}) is changing this film: wait until it has"
            " ended, or cancel it.",
        )


def _restorable(db: Database, asset: Asset, number: int) -> Version:
    version = by_number(db, asset, number)
    if version.present:
        raise Conflict("version.present", f"Version {number} is served already.")
    if not version.restorable:
        raise Conflict(
            "version.gone",
            f"Version {number} is no longer there: what is replaced is kept for"
            " encode.keep_versions_days, and nothing that was encrypted otherwise.",
        )
    return version


def _version(row: Row, asset: Asset, kept: Collection[str]) -> Version:
    ids = tuple(json.loads(row["tracks"]))
    return Version(
        number=row["number"],
        reason=row["reason"],
        job=row["job"],
        duration=row["duration"],
        tracks=ids,
        source_path=row["source_path"],
        source_name=row["source_name"],
        created_at=row["created_at"],
        retired_at=row["retired_at"],
        present=row["number"] == asset.version,
        restorable=all(each in kept for each in ids),
    )
