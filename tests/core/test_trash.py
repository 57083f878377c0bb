"""The trash: what goes in is seen by nobody, comes back whole, or goes for good."""

from dataclasses import replace
from typing import Any

import pytest

from appliance.catalog import titles, trash
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import Conflict, Forbidden, NotFound
from appliance.permissions import SYSTEM, Role
from appliance.settings import Settings
from appliance.storage import Storage
from tests.builders import Builders


def test_a_title_in_the_trash_is_seen_by_nobody_and_comes_back(
    db: Database, settings: Settings, make: Builders
) -> None:
    title = make.title("Orchard")
    make.asset(title)

    trash.discard(db, SYSTEM, title.slug)

    with pytest.raises(NotFound):
        titles.by_slug(db, SYSTEM, title.slug)
    (found,) = trash.listing(db, SYSTEM, settings)
    assert (found.name, found.state, found.until[:10]) == (
        *("Orchard", "published"),
        "2026-02-01",
    )
    assert found.bytes == trash.freed(db) > 20

    back = trash.restore(db, SYSTEM, title.slug)

    assert back.state == "ready"
    assert trash.count(db) == 0


def test_a_series_takes_its_episodes_along_and_brings_them_back(
    db: Database, settings: Settings, make: Builders
) -> None:
    series = make.title("Harbour", kind="series")
    part: dict[str, Any] = {
        "kind": "episode",
        "parent_id": series.id,
        "season_number": 1,
    }
    first = make.title("One", episode_number=1, **part)
    second = make.title("Two", episode_number=2, state="draft", **part)
    trash.discard(db, SYSTEM, second.slug)
    # Not the same moment: what was there before does not come back with the series.
    db.conn.execute(
        "update titles set removed_at = '2026-01-01T00:00:00.000000Z' where id = ?",
        (second.id,),
    )

    trash.discard(db, SYSTEM, series.slug)

    assert [
        (each.name, each.parts) for each in trash.listing(db, SYSTEM, settings)
    ] == [
        ("Harbour", 1),
        ("Two", 0),
    ]
    with pytest.raises(Conflict, match="take it back first"):
        trash.restore(db, SYSTEM, second.slug)
    trash.restore(db, SYSTEM, series.slug)
    assert titles.by_slug(db, SYSTEM, first.slug).state == "ready"
    assert trash.restore(db, SYSTEM, second.slug).state == "draft"


def test_what_is_being_processed_stays(db: Database, make: Builders) -> None:
    title = make.title("Orchard", state="processing")
    make.job(make.asset(title), state="running")

    with pytest.raises(Conflict, match="being processed"):
        trash.discard(db, SYSTEM, title.slug)


def test_the_trash_is_emptied_after_its_days_with_all_files(
    db: Database,
    settings: Settings,
    storage: Storage,
    make: Builders,
    clock: FixedClock,
) -> None:
    series = make.title("Harbour", kind="series")
    episode = make.title(
        "One",
        kind="episode",
        parent_id=series.id,
        season_number=1,
        episode_number=1,
    )
    asset = make.asset(episode)
    trash.discard(db, SYSTEM, series.slug)
    kept = storage.path(asset.source_path)

    clock.advance(days=29)
    assert trash.purge_due(db, storage, settings) == []
    assert kept.exists()

    clock.advance(days=2)
    assert trash.purge_due(db, storage, settings) == [series.slug]
    assert not kept.exists()
    assert db.value("select count(*) from titles") == 0


def test_the_days_are_a_setting(
    db: Database, settings: Settings, make: Builders
) -> None:
    trash.discard(db, SYSTEM, make.title().slug)
    shorter = replace(settings, studio=replace(settings.studio, trash_days=2))

    assert trash.listing(db, SYSTEM, shorter)[0].until[:10] == "2026-01-04"


def test_only_who_may_remove_titles_sees_the_trash(
    db: Database, settings: Settings, make: Builders
) -> None:
    ida = make.actor(Role.CONTRIBUTOR)
    title = make.title(actor=ida)

    for act in (
        lambda: trash.discard(db, ida, title.slug),
        lambda: trash.restore(db, ida, title.slug),
        lambda: trash.listing(db, ida, settings),
    ):
        with pytest.raises(Forbidden):
            act()
