"""What becomes of sources: they go when they are not wanted, and never too early."""

import json

import pytest

from appliance.catalog import libraries, titles
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import Conflict
from appliance.media import assets, keeping
from appliance.media.assets import Asset
from appliance.permissions import SYSTEM
from appliance.settings import Settings
from appliance.storage import Storage
from tests.builders import Builders


def _film(
    db: Database,
    make: Builders,
    settings: Settings,
    keep: str,
    *,
    verdict: str | None = "passed",
    review: str = "none",
    job: str = "done",
) -> Asset:
    """Make a film that is ready, in a library that keeps sources as ``keep`` says."""
    name = f"Library {len(libraries.listing(db)) + 1}"
    made = libraries.add(db, SYSTEM, settings.encode, name, {"keep_source": keep})
    title = make.title(f"Film of {name}")
    titles.edit(db, SYSTEM, title.slug, library_id=made.id)
    asset = make.asset(title)
    make.job(asset, state=job)
    if verdict is not None:
        _report(db, asset, verdict, review)
    return asset


def _report(db: Database, asset: Asset, verdict: str, review: str = "none") -> None:
    db.table("qc_reports").insert(
        {
            "public_id": f"report-{asset.id}",
            "asset_id": asset.id,
            "version": asset.version,
            "verdict": verdict,
            "report": json.dumps({}),
            "review": review,
            "created_at": db.now(),
        }
    )


def _sweep(db: Database, storage: Storage, settings: Settings, asset: Asset) -> bool:
    """Do the chore; return whether the source is gone, by row and by file."""
    keeping.remove_due(db, storage, settings)
    gone = assets.by_id(db, asset.id).source_removed_at is not None
    assert storage.path(asset.source_path).exists() is not gone
    return gone


def test_a_source_is_kept_unless_somebody_says_otherwise(
    db: Database,
    storage: Storage,
    settings: Settings,
    make: Builders,
    clock: FixedClock,
) -> None:
    asset = make.asset()
    _report(db, asset, "passed")
    clock.advance(days=4000)

    assert not _sweep(db, storage, settings, asset)


def test_a_verified_source_goes_as_soon_as_its_film_has_passed(
    db: Database, storage: Storage, settings: Settings, make: Builders
) -> None:
    asset = _film(db, make, settings, "verified")

    assert _sweep(db, storage, settings, asset)

    event = db.one("select * from events where name = 'source:remove'")
    assert event is not None
    assert "film.mp4" in event["data"]


def test_a_source_goes_after_its_days(
    db: Database,
    storage: Storage,
    settings: Settings,
    make: Builders,
    clock: FixedClock,
) -> None:
    asset = _film(db, make, settings, "30")
    clock.advance(days=29, hours=23)
    assert not _sweep(db, storage, settings, asset)

    clock.advance(hours=2)

    assert _sweep(db, storage, settings, asset)


@pytest.mark.parametrize("keep", ["verified", "1"])
@pytest.mark.parametrize(
    "film",
    [
        {"verdict": "failed"},
        {"verdict": "passed", "review": "rejected"},
        {"job": "failed"},
        {"job": "cancelled"},
        {"job": "running"},
        {"job": "queued"},
    ],
    ids=str,
)
def test_the_source_of_a_film_in_doubt_is_never_removed(
    db: Database,
    storage: Storage,
    settings: Settings,
    make: Builders,
    clock: FixedClock,
    keep: str,
    film: dict[str, str],
) -> None:
    asset = _film(db, make, settings, keep, **film)
    clock.advance(days=100)

    assert not _sweep(db, storage, settings, asset)


@pytest.mark.parametrize("verdict", ["warned", None])
def test_a_verified_film_is_one_that_passed_without_a_warning(
    db: Database,
    storage: Storage,
    settings: Settings,
    make: Builders,
    verdict: str | None,
) -> None:
    asset = _film(db, make, settings, "verified", verdict=verdict)

    assert not _sweep(db, storage, settings, asset)


@pytest.mark.parametrize("state", ["uploaded", "processing", "failed"])
def test_the_source_of_a_film_that_is_not_ready_is_never_removed(
    db: Database, storage: Storage, settings: Settings, make: Builders, state: str
) -> None:
    asset = _film(db, make, settings, "verified")
    db.table("assets").update(asset.id, {"state": state})

    assert not _sweep(db, storage, settings, asset)


def test_warnings_that_a_reviewer_accepted_are_no_doubt(
    db: Database, storage: Storage, settings: Settings, make: Builders
) -> None:
    asset = _film(db, make, settings, "verified", verdict="warned", review="approved")

    assert _sweep(db, storage, settings, asset)


def test_work_that_somebody_began_on_the_film_keeps_its_source(
    db: Database, storage: Storage, settings: Settings, make: Builders
) -> None:
    asset = _film(db, make, settings, "verified")
    make.job(asset, state="queued", kind="supplement")

    assert not _sweep(db, storage, settings, asset)


def test_captions_that_could_not_be_made_do_not_keep_a_source(
    db: Database, storage: Storage, settings: Settings, make: Builders
) -> None:
    asset = _film(db, make, settings, "verified")
    make.job(asset, state="failed", kind="captions")

    assert _sweep(db, storage, settings, asset)


def test_who_was_killed_before_the_file_went_is_followed_by_somebody_who_removes_it(
    db: Database, storage: Storage, settings: Settings, make: Builders
) -> None:
    asset = _film(db, make, settings, "verified")
    db.table("assets").update(asset.id, {"source_removed_at": db.now()})

    assert _sweep(db, storage, settings, asset)
    assert keeping.remove_due(db, storage, settings) == 0


def test_what_needs_the_source_later_says_that_it_is_gone_and_what_to_do(
    db: Database, storage: Storage, settings: Settings, make: Builders
) -> None:
    asset = _film(db, make, settings, "verified")
    _sweep(db, storage, settings, asset)

    with pytest.raises(Conflict, match="upload the film again"):
        assets.require_source(assets.by_id(db, asset.id))
