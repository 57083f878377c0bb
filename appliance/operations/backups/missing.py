"""Films that came back from a backup without their files.

A backup holds of the films what ``backup.media`` says. What a restore did not find is
marked: such a film does not play and says why, until it is made again from its source,
or its files are copied back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from appliance.db import Database, write
from appliance.media import assets, contents, jobs, tracks
from appliance.media.assets import Asset
from appliance.media.jobs import Job
from appliance.media.tracks import Place, Track
from appliance.permissions import Action, Actor, check
from appliance.storage import Storage


@dataclass(frozen=True, slots=True)
class MissingFilm:
    """A film without files: ``title`` is a slug, ``tracks`` how many are missing.

    With its source it can be made again here.
    """

    asset_id: int
    asset: str
    title: str
    name: str
    source: bool
    tracks: int

    @property
    def can_be_made(self) -> bool:
        return not self.source


def note(db: Database, storage: Storage) -> list[MissingFilm]:
    """Look for the files of all films, and mark those that lack some."""
    folders = _folders(db)
    now = db.now()
    without_source, marked = [], []
    for row in db.rows(
        "select id, state, source_path, source_removed_at from assets order by id"
    ):
        no_source = not storage.path(row["source_path"]).is_file()
        lost = _count_lost(db, storage, row["id"], folders.get(row["id"], ()))
        if no_source and row["source_removed_at"] is None:
            without_source.append((now, row["id"]))
        if lost or (no_source and row["state"] != "ready"):
            marked.append((row["id"], now, int(no_source), lost))
    with write(db):
        db.conn.executemany(
            "update assets set source_removed_at = ? where id = ?", without_source
        )
        db.conn.executemany(
            "update assets set state = 'failed' where id = ?",
            [each[:1] for each in marked],
        )
        db.conn.executemany(
            "insert or replace into missing_media values (?, ?, ?, ?)", marked
        )
    return listing(db)


def listing(db: Database) -> list[MissingFilm]:
    """Return the films that still lack files, by the names of their titles."""
    rows = db.rows(
        """
        select a.id, a.public_id, t.slug, t.name, m.source, m.tracks
        from missing_media m
        join assets a on a.id = m.asset_id
        join titles t on t.id = a.title_id
        where a.state != 'ready'
        order by t.name collate nocase, a.id
        """
    )
    return [
        MissingFilm(
            asset_id=row["id"],
            asset=row["public_id"],
            title=row["slug"],
            name=row["name"],
            source=bool(row["source"]),
            tracks=row["tracks"],
        )
        for row in rows
    ]


def told(db: Database, title_id: int) -> str:
    """Say what the film of a title lacks since a restore; empty when nothing."""
    row = db.one(
        """
        select m.source from missing_media m
        join assets a on a.id = m.asset_id
        where a.title_id = ? and a.state != 'ready'
        """,
        (title_id,),
    )
    if row is None:
        return ""
    remedy = (
        "copy them back and say matinee backup films --look-again"
        if row["source"]
        else "its source is here: matinee backup films --make-again"
    )
    return f"Its files did not come back from the backup: {remedy}"


def look_again(db: Database, storage: Storage, actor: Actor) -> list[MissingFilm]:
    """Put films back whose files have been copied back; return those films."""
    check(actor, Action.SYSTEM_MANAGE)
    storage.require_mounted()
    back = []
    with write(db):
        for each in listing(db):
            asset = assets.by_id(db, each.asset_id)
            if each.source and storage.path(asset.source_path).is_file():
                _source_is_back(db, asset)
            if each.tracks and not any(_lost(db, storage, asset)):
                db.table("assets").update(asset.id, {"state": "ready"})
                _forget(db, asset.id)
                back.append(each)
    return back


def make_again(db: Database, storage: Storage, actor: Actor) -> list[Job]:
    """Make those films again whose sources are here; return the jobs."""
    check(actor, Action.SYSTEM_MANAGE)
    look_again(db, storage, actor)
    made = []
    for each in listing(db):
        waits = jobs.making(db, each.asset_id) is not None
        if each.can_be_made and not waits:
            made.append(jobs.create(db, actor, each.asset_id))
    return made


def _folders(db: Database) -> dict[int, list[str]]:
    """Return the folders of tracks that are served from here, by asset."""
    found: dict[int, list[str]] = {}
    for row in db.rows(
        "select asset_id, path from tracks where place = 'local' and retired_at is null"
    ):
        found.setdefault(row["asset_id"], []).append(row["path"])
    return found


def _count_lost(
    db: Database, storage: Storage, asset_id: int, folders: Sequence[str]
) -> int:
    """Return how many tracks are not here whole; rows are read where folders are."""
    if not any(storage.path(each).is_dir() for each in folders):
        return len(folders)
    return sum(1 for _ in _lost(db, storage, assets.by_id(db, asset_id)))


def _lost(db: Database, storage: Storage, asset: Asset) -> Iterator[Track]:
    """Yield the tracks that are served from here, and are not here whole."""
    for track in tracks.of_asset(db, asset.id):
        if track.place is Place.LOCAL:
            folder = storage.path(track.path)
            found = {path.name for path in folder.iterdir()} if folder.is_dir() else {}
            if contents.expected(track).keys() - found:
                yield track


def _source_is_back(db: Database, asset: Asset) -> None:
    db.table("assets").update(asset.id, {"source_removed_at": None})
    db.table("missing_media").update(asset.id, {"source": 0})


def _forget(db: Database, asset_id: int) -> None:
    db.conn.execute("delete from missing_media where asset_id = ?", (asset_id,))
