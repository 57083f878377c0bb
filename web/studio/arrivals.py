"""The end of an upload: its film becomes an asset with a job, exactly once.

A server that dies anywhere in here leaves an upload that can be settled again: the
film is linked into the storage, the rows are written in one transaction, and the part
goes last.
"""

from appliance.db import Database
from appliance.errors import NotFound
from appliance.media import assets, uploads
from appliance.media.uploads import Upload
from appliance.permissions import Actor
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import queue
from web.studio.parts import WAIT_SECONDS, Parts


def settle(
    db: Database,
    settings: Settings,
    storage: Storage,
    parts: Parts,
    actor: Actor,
    upload: str,
) -> Upload:
    """Take in a film that is whole; one that is not, or is taken in, stays as it is.

    One for a title that has a film replaces that, once it is ready.

    Errors: those of ``uploads.take_in``; the film is then still there to try again.
    """
    with parts.locks.holding(upload, WAIT_SECONDS):
        row = uploads.by_public_id(db, upload)
        job = None
        if row.state == "receiving" and parts.whole(upload):
            job = uploads.take_in(
                db,
                storage,
                settings,
                actor,
                parts.path(upload),
                row.filename,
                title_id=row.title_id,
                keep_source=False,
                publish=row.publish,
                upload=upload,
                replaces=assets.playable(db, row.title_id) if row.title_id else None,
            ).job
        row = uploads.by_public_id(db, upload)
        if row.state != "receiving":
            parts.forget(upload)
    if job is not None:
        queue.wake(settings, job)
    return row


def tidy(db: Database, settings: Settings, parts: Parts) -> None:
    """Remove what belongs to no upload that is still on its way."""
    for row in uploads.abandoned(db, settings):
        if row.origin == "browser":
            uploads.failed(db, row.public_id, "Nobody went on with this upload.")
    for upload in parts.all():
        if not _on_its_way(db, upload):
            parts.forget(upload)


def _on_its_way(db: Database, upload: str) -> bool:
    try:
        return uploads.by_public_id(db, upload).state == "receiving"
    except NotFound:
        return False
