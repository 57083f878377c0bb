"""Versions: which tracks an asset has now, had before, and can have again."""

import json

import pytest

from appliance.catalog import titles
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import Conflict, Forbidden, NotFound
from appliance.events import latest
from appliance.media import assets, jobs, leftovers, quality, tracks, versions
from appliance.media.assets import Asset
from appliance.media.jobs import JobKind
from appliance.media.tracks import Place
from appliance.permissions import SYSTEM, Role
from tests.builders import Builders


@pytest.fixture
def film(make: Builders) -> Asset:
    return make.asset(captions=("en",))


def test_what_is_added_is_served_beside_the_rest(
    db: Database, film: Asset, make: Builders
) -> None:
    before = _served(db, film)

    number = versions.change(db, SYSTEM, film.id, add=[_entry("a1")], reason="captions")

    assert number == 2
    assert _served(db, film) == [*before, "a1"]
    assert _now(db, film).version == 2
    assert _now(db, film).duration == film.duration


def test_what_is_removed_is_kept_and_can_be_put_back(
    db: Database, film: Asset, make: Builders
) -> None:
    before = _served(db, film)
    gone = before[0]
    versions.change(db, SYSTEM, film.id, remove=[gone], reason="captions")

    found = versions.listing(db, film)
    restored = versions.restore(db, make.settings, SYSTEM, film, 1)

    assert [(each.number, each.restorable) for each in found] == [(2, True), (1, True)]
    assert gone not in found[0].tracks
    assert restored.present
    assert _served(db, film) == before
    assert _now(db, film).version == 1
    assert [each.name for each in latest(db, 1)] == ["asset:restore"]


def test_a_number_is_never_given_twice(
    db: Database, film: Asset, make: Builders
) -> None:
    versions.change(db, SYSTEM, film.id, remove=_served(db, film)[:1], reason="one")
    versions.restore(db, make.settings, SYSTEM, film, 1)

    assert versions.change(db, SYSTEM, film.id, add=[_entry("a1")], reason="two") == 3


def test_a_version_goes_back_to_its_own_source(
    db: Database, film: Asset, make: Builders
) -> None:
    other = {
        "source_path": f"sources/{film.public_id}/other/source.mkv",
        "source_name": "other.mkv",
        "source_bytes": 99,
        "source_sha256": "ab",
        "source_removed_at": None,
        "facts": json.dumps({"sounds": []}),
        "analysis": None,
    }
    versions.change(
        db, SYSTEM, film.id, add=[_entry("a1")], reason="replace", source=other
    )
    replaced = _now(db, film)

    versions.restore(db, make.settings, SYSTEM, film, 1)
    first = _now(db, film)
    versions.restore(db, make.settings, SYSTEM, film, 2)

    assert (replaced.source_name, replaced.facts) == ("other.mkv", {"sounds": []})
    assert (first.source_name, first.facts) == (film.source_name, film.facts)
    assert _now(db, film) == replaced


def test_what_can_not_be_put_back_says_why(
    db: Database, film: Asset, make: Builders
) -> None:
    with pytest.raises(NotFound, match="There is no version 7"):
        versions.restore(db, make.settings, SYSTEM, film, 7)
    versions.change(db, SYSTEM, film.id, remove=_served(db, film)[:1], reason="one")
    with pytest.raises(Conflict, match="Version 2 is served already"):
        versions.restore(db, make.settings, SYSTEM, film, 2)
    with pytest.raises(Forbidden):
        versions.restore(db, make.settings, make.actor(Role.CONTRIBUTOR), film, 1)
    versions.let_go(db, [t for t in tracks.kept(db, film.id) if t.retired_at])
    with pytest.raises(Conflict, match="no longer there"):
        versions.restore(db, make.settings, SYSTEM, film, 1)


def test_a_version_that_failed_its_checks_is_not_shown_by_putting_it_back(
    db: Database, film: Asset, make: Builders
) -> None:
    _judge(db, film, 1, "failed")
    versions.change(db, SYSTEM, film.id, add=[_entry("a1")], reason="two")
    _judge(db, film, 2, "passed")

    versions.restore(db, make.settings, SYSTEM, film, 1)

    assert titles.by_id(db, film.title_id).state == "ready"


def test_another_film_is_not_approved_with_the_one_before(
    db: Database, film: Asset
) -> None:
    other = dict.fromkeys(assets.SOURCE) | {
        "source_path": "sources/other/source.mkv",
        "source_name": "other.mkv",
        "source_bytes": 9,
    }
    _judge(db, film, 1, "passed")

    added = versions.change(db, SYSTEM, film.id, add=[_entry("a1")], reason="added")
    replaced = versions.change(
        db, SYSTEM, film.id, add=[_entry("a2")], reason="replace", source=other
    )

    assert quality.of_version(db, film.id, added) is not None
    assert quality.of_version(db, film.id, replaced) is None


def test_nothing_is_put_back_while_a_job_changes_the_film(
    db: Database, film: Asset, make: Builders
) -> None:
    versions.change(db, SYSTEM, film.id, remove=_served(db, film)[:1], reason="one")
    job = jobs.create(db, SYSTEM, film.id, kind=JobKind.SUPPLEMENT)

    with pytest.raises(Conflict, match=f"Job {job.public_id} .supplement. is changing"):
        versions.restore(db, make.settings, SYSTEM, film, 1)


def test_older_tracks_go_when_their_days_are_over(
    db: Database, film: Asset, clock: FixedClock
) -> None:
    gone = tracks.of_asset(db, film.id)[0]
    versions.change(db, SYSTEM, film.id, remove=[gone.public_id], reason="one")
    clock.advance(days=6)
    early = versions.drop_expired(db, 7, {})
    clock.advance(days=1, seconds=1)

    late = versions.drop_expired(db, 7, {})

    assert (early, late) == (set(), {film.id})
    assert gone.public_id not in {each.public_id for each in tracks.kept(db, film.id)}
    assert leftovers.of_path(db, gone.path) == {Place.LOCAL}
    assert [each.restorable for each in versions.listing(db, film)] == [True, False]


def test_older_tracks_stay_as_long_as_somebody_watches_them(
    db: Database, film: Asset, clock: FixedClock
) -> None:
    began = db.now()
    clock.advance(minutes=1)
    gone = _served(db, film)[0]
    versions.change(db, SYSTEM, film.id, remove=[gone], reason="one")
    later = db.now(seconds=1)
    clock.advance(days=8)

    assert versions.drop_expired(db, 7, {film.id: began}) == set()
    assert versions.drop_expired(db, 7, {film.id: later}) == {film.id}


def _entry(public_id: str) -> dict[str, object]:
    return {
        "id": public_id,
        "kind": "text",
        "name": "text-9",
        "path": f"packages/x/tracks/{public_id}",
        "facts": {"file": "text.vtt"},
    }


def _judge(db: Database, film: Asset, version: int, verdict: str) -> None:
    report = {"verdict": verdict, "checks": [], "tracks": []}
    quality.record(db, film.id, version, report)


def _served(db: Database, film: Asset) -> list[str]:
    found = tracks.of_asset(db, film.id)
    return [track.public_id for track in sorted(found, key=lambda each: each.id)]


def _now(db: Database, film: Asset) -> Asset:
    return assets.by_id(db, film.id)
