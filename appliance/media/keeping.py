"""Sources that are not to be kept: when they go is said by the settings or a library.

A source goes only when its film is ready, nobody found fault with that, and nobody is
at work on it: whoever has to make a film again needs it. What needs it later is
refused with a sentence, see :func:`appliance.media.assets.require_source`.
"""

import logging
from collections.abc import Iterator

from appliance import media_checks
from appliance.catalog import libraries, library_policy
from appliance.db import Database, write
from appliance.events import Event, record
from appliance.media import assets, jobs, quality
from appliance.media.assets import Asset, AssetState
from appliance.media.jobs import JobState
from appliance.media.quality import Review, Verdict
from appliance.permissions import SYSTEM
from appliance.settings import Settings
from appliance.storage import Storage

_VERIFIED = "verified"

logger = logging.getLogger(__name__)


def remove_due(db: Database, storage: Storage, settings: Settings) -> int:
    """Remove every source that is not to be kept any longer; return how many went.

    The row says so first: whoever is killed in between is followed by somebody who
    finds the file still there, and removes it.
    """
    for asset in _half_removed(db, storage):
        storage.remove(asset.source_path)
    gone = 0
    for number in _candidates(db):
        with write(db):
            asset = assets.by_id(db, number)
            if not _due(db, settings, asset):
                continue
            _note(db, asset)
        logger.info("removing the source %s", asset.source_path)
        storage.remove(asset.source_path)
        gone += 1
    return gone


def _candidates(db: Database) -> list[int]:
    rows = db.rows(
        """
        select id from assets
        where state = 'ready' and version > 0 and source_removed_at is null
        order by id
        """
    )
    return [row["id"] for row in rows]


def _half_removed(db: Database, storage: Storage) -> Iterator[Asset]:
    for row in db.rows("select id from assets where source_removed_at is not null"):
        asset = assets.by_id(db, row["id"])
        if storage.path(asset.source_path).exists():
            yield asset


def _due(db: Database, settings: Settings, asset: Asset) -> bool:
    own = libraries.policy_of_title(db, asset.title_id)
    wish = library_policy.applied(settings.encode, own).keep_source
    days = media_checks.source_days(wish)
    if wish != _VERIFIED and days is None:
        return False
    if asset.state is not AssetState.READY or asset.source_removed_at:
        return False
    if not _at_rest(db, asset):
        return False
    if days is None:
        return _passed(db, settings, asset)
    return _faultless(db, asset) and _made_at(db, asset) <= db.now(days=-days)


def _at_rest(db: Database, asset: Asset) -> bool:
    """Say whether nobody is at work on the film, nor has reason to begin again."""
    open_now = db.value(
        """
        select 1 from jobs
        where asset_id = ? and state in ('queued', 'running')
        """,
        (asset.id,),
    )
    if open_now:
        return False
    kinds = [kind.value for kind in jobs.MAKING]
    last = db.value(
        f"""
        select state from jobs
        where asset_id = ? and kind in ({", ".join("?" * len(kinds))})
        order by id desc limit 1
        """,
        (asset.id, *kinds),
    )
    return last is None or last == JobState.DONE


def _passed(db: Database, settings: Settings, asset: Asset) -> bool:
    """Say whether the film that is served was checked, and nobody has a doubt."""
    report = quality.latest(db, asset)
    if report is None or report.review is Review.REJECTED:
        return False
    if report.review is Review.APPROVED:
        return True
    return report.verdict is Verdict.PASSED and not settings.quality.review


def _faultless(db: Database, asset: Asset) -> bool:
    """Say whether nobody has to make the film again: no check and no reviewer."""
    report = quality.latest(db, asset)
    if report is None or report.review is Review.APPROVED:
        return True
    return report.verdict is not Verdict.FAILED and report.review is Review.NONE


def _made_at(db: Database, asset: Asset) -> str:
    """Return when the first film was made of this source."""
    found = db.value(
        """
        select min(created_at) from asset_versions
        where asset_id = ? and source_path = ?
        """,
        (asset.id, asset.source_path),
    )
    if found is None:
        found = db.value("select created_at from assets where id = ?", (asset.id,))
    return str(found)


def _note(db: Database, asset: Asset) -> None:
    db.table("assets").update(asset.id, {"source_removed_at": db.now()})
    record(
        db,
        SYSTEM,
        Event.SOURCE_REMOVE,
        f"asset/{asset.public_id}",
        source=asset.source_name,
        bytes=asset.source_bytes,
    )
