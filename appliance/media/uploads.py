"""Uploads: sources on their way in, until each is an asset with a job.

The original stays where it is until the rows are written: whoever is killed in between
finds it there and takes it in again.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.catalog import titles
from appliance.catalog.kinds import CONTAINERS
from appliance.catalog.titles import Title
from appliance.db import Database, Row, write
from appliance.errors import Conflict, InvalidInput, MatineeError, NotFound
from appliance.events import Event, record
from appliance.media import assets, jobs, sources
from appliance.media.assets import Asset
from appliance.media.jobs import Job, JobKind
from appliance.permissions import Action, Actor, check, check_title
from appliance.settings import Settings
from appliance.storage import Storage


@dataclass(frozen=True, slots=True)
class Arrival:
    """A source that was taken in: the slug of its title, the ids of asset and job."""

    title_slug: str
    asset: str
    job: str


@dataclass(frozen=True, slots=True)
class Upload:
    """One row; ``state`` is receiving, finished or failed (then with a message).

    ``publish`` wishes that the title is published by itself when it is ready.
    ``identity`` tells a file in the watch folder from a later one of the same name.
    """

    id: int
    public_id: str
    account_id: int | None
    title_id: int | None
    asset_id: int | None
    origin: str
    filename: str
    identity: str
    bytes: int
    publish: bool
    state: str
    message: str
    created_at: str
    updated_at: str


def take_in(
    db: Database,
    storage: Storage,
    settings: Settings,
    actor: Actor,
    source: Path,
    filename: str,
    *,
    title_id: int | None = None,
    keep_source: bool,
    publish: bool = False,
    upload: str | None = None,
    replaces: Asset | None = None,
) -> Arrival:
    """Bring a film into the storage and write its asset and job.

    Without ``title_id`` a title is made, named after the file. With ``keep_source``
    the original is copied and left alone, else it is gone afterwards. ``upload`` is
    the public id of the upload that this ends. An asset that it ``replaces`` plays
    until the new film is ready. The caller wakes the control worker.
    Errors: ``InvalidInput``, ``StorageFull``, ``Forbidden``, ``Conflict`` while a job
    changes the asset; none of them touches the original.
    """
    filename = sources.clean_filename(filename)
    _permit(db, actor, title_id, publish)
    try:
        if replaces is not None:
            jobs.refuse_second(db, replaces.id)
        place = _place(replaces, filename)
        brought = _bring_in(storage, settings, source, filename, place, keep_source)
    except MatineeError as error:
        _refuse(db, actor, filename, error)
        raise
    try:
        with write(db):
            title = _title(db, settings, actor, title_id, filename)
            if replaces is None:
                asset = assets.create(db, title.id, place.split("/")[1], **brought)
                job = jobs.create(db, actor, asset.id, publish=publish)
            else:
                asset, job = replaces, _replace(db, actor, replaces, brought, publish)
            if upload is not None:
                _received(db, upload, title.id, asset.id)
            _finish(db, actor, asset, brought)
    except BaseException:
        storage.remove(Path(brought["source_path"]).parent)
        raise
    if not keep_source:
        source.unlink(missing_ok=True)
    return Arrival(title.slug, asset.public_id, job.public_id)


def start(
    db: Database,
    settings: Settings,
    actor: Actor,
    filename: str,
    size: int,
    *,
    title_id: int | None = None,
) -> Upload:
    """Note that a browser begins to send a film; refuse at once what can't be taken.

    Errors: ``InvalidInput``, ``Forbidden``.
    """
    filename = sources.clean_filename(filename)
    _permit(db, actor, title_id, publish=False)
    sources.check_size(size, filename, settings)
    with write(db):
        return _insert(db, actor.account_id, title_id, "browser", filename, "", size)


def start_watched(db: Database, filename: str, identity: str, size: int) -> Upload:
    """Note that a file of the watch folder is being taken in."""
    filename = sources.clean_filename(filename)
    with write(db):
        return _insert(db, None, None, "watch", filename, identity, size)


def by_public_id(db: Database, public_id: str) -> Upload:
    """Return the upload, else ``NotFound``."""
    row = db.one("select * from uploads where public_id = ?", (public_id,))
    if row is None:
        raise NotFound(
            "upload.missing", "This upload is unknown or was removed: start it again."
        )
    return _upload(row)


def of_account(db: Database, account_id: int) -> list[Upload]:
    """Return what an account is still sending, the newest first."""
    rows = db.rows(
        """
        select * from uploads
        where account_id = ? and state = 'receiving' and origin = 'browser'
        order by id desc
        """,
        (account_id,),
    )
    return [_upload(row) for row in rows]


def watched(db: Database, filename: str, identity: str) -> Upload | None:
    """Return the upload that took in this very file of the watch folder, if any."""
    row = db.one(
        """
        select * from uploads
        where origin = 'watch' and filename = ? and identity = ?
            and state = 'finished'
        order by id desc limit 1
        """,
        (sources.clean_filename(filename), identity),
    )
    return None if row is None else _upload(row)


def put_away(db: Database, public_id: str) -> None:
    """Note that a file left the watch folder: put there again, it is taken again."""
    with write(db):
        db.conn.execute(
            "update uploads set identity = '' where public_id = ?", (public_id,)
        )


def publish_when_ready(
    db: Database, actor: Actor, public_id: str, wanted: bool
) -> None:
    """Note whether the title of an upload is to be published by itself when ready.

    Errors: ``Forbidden``, ``NotFound``.
    """
    check(actor, Action.TITLE_PUBLISH)
    with write(db):
        upload = by_public_id(db, public_id)
        db.conn.execute(
            "update uploads set publish = ? where id = ?", (wanted, upload.id)
        )
        if upload.asset_id is not None:
            jobs.publish_when_done(db, upload.asset_id, wanted)


def touch(db: Database, public_id: str) -> None:
    """Note that more of the film came in, so that it does not count as abandoned."""
    with write(db):
        db.conn.execute(
            "update uploads set updated_at = ? where public_id = ?",
            (db.now(), public_id),
        )


def failed(db: Database, public_id: str, message: str) -> None:
    """Note that the upload ended without a film, and why."""
    with write(db):
        db.conn.execute(
            """
            update uploads set state = 'failed', message = ?, updated_at = ?
            where public_id = ? and state = 'receiving'
            """,
            (message, db.now(), public_id),
        )


def abandoned(db: Database, settings: Settings) -> list[Upload]:
    """Return uploads that nobody went on with for ``uploads.abandon_days``."""
    rows = db.rows(
        "select * from uploads where state = 'receiving' and updated_at < ?",
        (db.now(days=-settings.uploads.abandon_days),),
    )
    return [_upload(row) for row in rows]


def _place(replaces: Asset | None, filename: str) -> str:
    """Return where a source is to lie; beside the one that it replaces."""
    own = secrets.token_hex(8)
    folder = own if replaces is None else f"{replaces.public_id}/{own}"
    return sources.path_for(folder, filename)


def _replace(
    db: Database,
    actor: Actor,
    replaced: Asset,
    brought: dict[str, Any],
    publish: bool,
) -> Job:
    job = jobs.create(
        *(db, actor, replaced.id),
        kind=JobKind.REPLACE,
        request=brought,
        publish=publish,
    )
    record(
        db,
        actor,
        Event.ASSET_REPLACE,
        f"asset/{replaced.public_id}",
        job=job.public_id,
        filename=brought["source_name"],
        bytes=brought["source_bytes"],
    )
    return job


def _bring_in(
    storage: Storage,
    settings: Settings,
    source: Path,
    filename: str,
    path: str,
    keep: bool,
) -> dict[str, Any]:
    """Bring the file into the storage; return the columns that speak of it."""
    if not source.is_file():
        raise InvalidInput("upload.no-file", f"“{filename}” is not a file.")
    size = source.stat().st_size
    sources.check_size(size, filename, settings)
    return {
        "source_path": path,
        "source_name": filename,
        "source_bytes": size,
        "source_sha256": sources.bring_in(
            *(storage, settings.disk, source, path), keep=keep
        ),
    }


def _permit(db: Database, actor: Actor, title_id: int | None, publish: bool) -> None:
    if title_id is None:
        check(actor, Action.TITLE_CREATE)
    else:
        title = titles.by_id(db, title_id)
        check_title(actor, title.created_by)
        if title.kind in CONTAINERS:
            raise Conflict(
                "title.container",
                f"“{title.name}” has no film of its own: upload its episodes.",
            )
    if publish:
        check(actor, Action.TITLE_PUBLISH)


def _title(
    db: Database,
    settings: Settings,
    actor: Actor,
    title_id: int | None,
    filename: str,
) -> Title:
    if title_id is not None:
        return titles.by_id(db, title_id)
    protect = settings.protection.protect_new
    return titles.create(db, actor, sources.name_of(filename), protected=protect)


def _insert(
    db: Database,
    account_id: int | None,
    title_id: int | None,
    origin: str,
    filename: str,
    identity: str,
    size: int,
) -> Upload:
    public_id = secrets.token_hex(8)
    db.conn.execute(
        """
        insert into uploads (public_id, account_id, title_id, origin, filename,
            identity, bytes, created_at, updated_at)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            public_id,
            account_id,
            title_id,
            origin,
            filename,
            identity,
            size,
            db.now(),
            db.now(),
        ),
    )
    return by_public_id(db, public_id)


def _received(db: Database, public_id: str, title_id: int, asset_id: int) -> None:
    # A film of the watch folder is not forgotten with its title, or it would be taken
    # in once more.
    db.conn.execute(
        """
        update uploads
        set state = 'finished', asset_id = ?, updated_at = ?,
            title_id = case when origin = 'browser' then ? end
        where public_id = ?
        """,
        (asset_id, db.now(), title_id, public_id),
    )


def _upload(row: Row) -> Upload:
    return Upload(**row | {"publish": bool(row["publish"])})


def _finish(db: Database, actor: Actor, asset: Asset, brought: dict[str, Any]) -> None:
    record(
        db,
        actor,
        Event.UPLOAD_FINISH,
        f"asset/{asset.public_id}",
        filename=brought["source_name"],
        bytes=brought["source_bytes"],
    )


def _refuse(db: Database, actor: Actor, filename: str, error: MatineeError) -> None:
    with write(db):
        record(
            db,
            actor,
            Event.UPLOAD_REFUSE,
            "upload",
            filename=filename,
            code=error.code,
            message=error.message,
        )
