"""Series: what belongs to what, in which order, and who sees it."""

from typing import Any

import pytest

from appliance.access import availability
from appliance.catalog import extras, series, states, titles
from appliance.catalog.kinds import Kind
from appliance.catalog.series import Place
from appliance.catalog.titles import Title, TitleState
from appliance.db import Database, write
from appliance.errors import Conflict, Forbidden, InvalidInput, NotFound
from appliance.media import uploads
from appliance.permissions import SYSTEM, Role
from appliance.settings import Settings
from appliance.storage import Storage
from tests.builders import Builders


def _episode(db: Database, whole: Title, name: str = "Pilot", **more: Any) -> Title:
    return titles.create(db, SYSTEM, name, kind="episode", parent=whole.slug, **more)


def _published(db: Database, title: Title) -> Title:
    with write(db):
        db.conn.execute(
            "update titles set state = 'published', published_at = ? where id = ?",
            (db.now(), title.id),
        )
    return titles.by_id(db, title.id)


def _series(db: Database, *numbers: tuple[int, int]) -> tuple[Title, list[Title]]:
    whole = _published(db, titles.create(db, SYSTEM, "Dark Water", kind="series"))
    parts = [
        _published(
            db,
            _episode(
                db, whole, f"S{season}E{n}", season_number=season, episode_number=n
            ),
        )
        for season, n in numbers
    ]
    return whole, parts


def test_an_episode_follows_the_last_one_and_is_named_after_its_series(
    db: Database,
) -> None:
    whole = titles.create(db, SYSTEM, "Dark Water", kind="series")

    first, second = _episode(db, whole), _episode(db, whole, "The Well")
    other = _episode(db, whole, "Later", season_number=2)

    assert (first.season_number, first.episode_number) == (1, 1)
    assert (second.season_number, second.episode_number) == (1, 2)
    assert (other.season_number, other.episode_number) == (2, 1)
    assert second.slug == "dark-water-s1e2-the-well"
    assert titles.children(db, SYSTEM, whole) == [first, second, other]


def test_a_series_is_ready_at_once_and_takes_no_film(
    db: Database, settings: Settings, storage: Storage
) -> None:
    whole = titles.create(db, SYSTEM, "Dark Water", kind="series")

    assert whole.state is TitleState.READY
    with pytest.raises(Conflict, match="upload its episodes"):
        uploads.start(db, settings, SYSTEM, "film.mp4", 100, title_id=whole.id)
    shown = states.publish(db, SYSTEM, whole.slug, passes=lambda *_: None)
    assert shown.state is TitleState.PUBLISHED
    states.archive(db, SYSTEM, whole.slug)
    assert states.restore(db, SYSTEM, whole.slug).state is TitleState.READY


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "episode"}, "parent"),
        ({"kind": "trailer"}, "parent"),
        ({"kind": "film", "parent": "the-series"}, "parent"),
        ({"kind": "series", "parent": "the-series"}, "parent"),
        ({"kind": "episode", "parent": "the-film"}, "parent"),
        ({"kind": "extra", "parent": "the-series-s1e1-pilot"}, "parent"),
        ({"kind": "episode", "parent": "nothing"}, "parent"),
        ({"kind": "film", "season_number": 1}, "season_number"),
        ({"kind": "trailer", "parent": "the-film", "episode_number": 1}, None),
        (
            {"kind": "episode", "parent": "the-series", "episode_number": 1},
            "episode_number",
        ),
        (
            {"kind": "episode", "parent": "the-series", "episode_number": -1},
            "episode_number",
        ),
        (
            {"kind": "episode", "parent": "the-series", "season_number": "9" * 5000},
            "season_number",
        ),
        ({"kind": "saga"}, "kind"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field(
    db: Database, fields: dict[str, Any], field: str | None
) -> None:
    titles.create(db, SYSTEM, "The Film")
    whole = titles.create(db, SYSTEM, "The Series", kind="series")
    _episode(db, whole)
    before = db.value("select count(*) from titles")

    with pytest.raises(InvalidInput) as refused:
        titles.create(db, SYSTEM, "Another", **fields)

    assert refused.value.details["field"] == (field or "episode_number")
    assert db.value("select count(*) from titles") == before


def test_a_series_cannot_become_a_part_of_its_own_episode(db: Database) -> None:
    whole = titles.create(db, SYSTEM, "The Series", kind="series")
    episode = _episode(db, whole)

    with pytest.raises(InvalidInput):
        titles.edit(db, SYSTEM, whole.slug, kind="extra", parent=episode.slug)
    with pytest.raises(InvalidInput):
        titles.edit(db, SYSTEM, whole.slug, kind="episode", parent=whole.slug)
    with pytest.raises(InvalidInput, match="has episodes"):
        titles.edit(db, SYSTEM, whole.slug, kind="film")
    with pytest.raises(InvalidInput):
        titles.edit(db, SYSTEM, episode.slug, kind="series")


def test_a_film_becomes_an_episode_and_back(db: Database, make: Builders) -> None:
    whole = titles.create(db, SYSTEM, "The Series", kind="series")
    film = titles.create(db, SYSTEM, "Pilot")

    moved = titles.edit(db, SYSTEM, film.slug, kind="episode", parent=whole.slug)
    assert (moved.parent_id, moved.episode_number) == (whole.id, 1)

    back = titles.edit(
        db,
        SYSTEM,
        film.slug,
        kind="film",
        parent="",
        season_number=None,
        episode_number=None,
    )
    assert (back.parent_id, back.season_number) == (None, None)

    owner = make.asset().title_id
    with pytest.raises(InvalidInput, match="film of its own"):
        titles.edit(db, SYSTEM, titles.by_id(db, owner).slug, kind="series")


def test_an_episode_has_the_age_of_its_series_also_when_that_changes(
    db: Database,
) -> None:
    whole = titles.create(db, SYSTEM, "The Series", kind="series", rating="16")
    unrated, own = _episode(db, whole), _episode(db, whole, "Own", rating="6")
    assert (unrated.age, own.age) == (16, 6)

    titles.edit(db, SYSTEM, whole.slug, rating="18")
    assert titles.by_id(db, unrated.id).age == 18
    assert titles.by_id(db, own.id).age == 6

    titles.edit(db, SYSTEM, own.slug, rating="")
    assert titles.by_id(db, own.id).age == 18

    other = titles.create(db, SYSTEM, "For Children", kind="series", rating="0")
    titles.edit(db, SYSTEM, own.slug, parent=other.slug)
    assert titles.by_id(db, own.id).age == 0

    titles.edit(db, SYSTEM, whole.slug, rating="unknown")
    assert titles.by_id(db, unrated.id).age is None


def test_seasons_come_in_their_order_and_specials_last(
    db: Database, make: Builders
) -> None:
    whole, parts = _series(db, (0, 1), (2, 1), (1, 2), (1, 1))
    special, third, second, first = parts

    found = series.seasons(db, make.actor(), whole)

    assert [each.number for each in found] == [1, 2, 0]
    assert [each.name for each in found[0].episodes] == ["S1E1", "S1E2"]
    viewer = make.actor()
    assert series.neighbours(db, viewer, first) == (None, second)
    assert series.neighbours(db, viewer, third) == (second, special)
    assert series.neighbours(db, viewer, special) == (third, None)
    assert series.neighbours(db, viewer, whole) == (None, None)


def test_viewers_see_what_is_published_of_a_series(
    db: Database, make: Builders
) -> None:
    viewer = make.actor()
    whole, (first,) = _series(db, (1, 1))
    _episode(db, whole, "Unfinished")
    trailer = titles.create(db, SYSTEM, "Teaser", kind="trailer", parent=whole.slug)
    series.describe_season(db, SYSTEM, whole.slug, 7, name="To come")

    assert [each.number for each in series.seasons(db, viewer, whole)] == [1]
    assert [each.number for each in series.seasons(db, SYSTEM, whole)] == [1, 7]
    assert titles.children(db, viewer, whole) == [first]
    assert extras.of_title(db, viewer, whole) == ()
    assert extras.of_title(db, SYSTEM, whole) == (trailer,)
    assert titles.listing(db, viewer, top=True) == [whole]

    states.unpublish(db, SYSTEM, whole.slug)
    with pytest.raises(NotFound):
        titles.by_slug(db, viewer, first.slug)


def test_windows_of_a_series_hold_for_its_episodes(
    db: Database, make: Builders
) -> None:
    viewer = make.actor()
    whole, (first,) = _series(db, (1, 1))
    availability.add(db, SYSTEM, whole.slug, starts_at="2099-01-01")

    with pytest.raises(NotFound):
        titles.by_slug(db, viewer, first.slug)


def test_seasons_are_described_and_removed(db: Database, make: Builders) -> None:
    whole, _parts = _series(db, (1, 1))

    made = series.describe_season(db, SYSTEM, whole.slug, 1, name="Winter", year=2024)
    assert (made.name, made.year, made.revision) == ("Winter", 2024, 1)
    changed = series.describe_season(
        db, SYSTEM, whole.slug, 1, revision=1, synopsis="It snows."
    )
    assert (changed.name, changed.synopsis) == ("Winter", "It snows.")
    with pytest.raises(Conflict):
        series.describe_season(db, SYSTEM, whole.slug, 1, revision=1, name="Spring")
    with pytest.raises(Conflict, match="has episodes"):
        series.remove_season(db, SYSTEM, whole.slug, 1)
    series.describe_season(db, SYSTEM, whole.slug, 2)
    series.remove_season(db, SYSTEM, whole.slug, 2)
    with pytest.raises(NotFound):
        series.season(db, SYSTEM, whole, 2)
    with pytest.raises(InvalidInput):
        series.describe_season(db, SYSTEM, whole.slug, -1)
    with pytest.raises(InvalidInput, match="no seasons"):
        film = titles.create(db, SYSTEM, "A Film")
        series.describe_season(db, SYSTEM, film.slug, 1)
    with pytest.raises(Forbidden):
        series.describe_season(db, make.actor(Role.VIEWER), whole.slug, 3)


def test_episodes_change_places_all_at_once_or_not_at_all(db: Database) -> None:
    whole, (first, second, third) = _series(db, (1, 1), (1, 2), (1, 3))

    found = series.arrange(
        db,
        SYSTEM,
        whole.slug,
        [Place(first.slug, 1, 2), Place(second.slug, 1, 1)],
        revision=whole.revision,
    )
    assert [each.name for each in found[0].episodes] == ["S1E2", "S1E1", "S1E3"]

    with pytest.raises(InvalidInput, match="Two episodes"):
        series.arrange(
            db,
            SYSTEM,
            whole.slug,
            [Place(first.slug, 9, 9), Place(third.slug, 1, 1)],
        )
    assert titles.by_id(db, first.id).season_number == 1
    with pytest.raises(Conflict):
        series.arrange(db, SYSTEM, whole.slug, [], revision=whole.revision)
    with pytest.raises(NotFound):
        series.arrange(db, SYSTEM, whole.slug, [Place("elsewhere", 1, 1)])


def test_removing_a_series_removes_its_episodes_with_their_files(
    db: Database, storage: Storage, make: Builders
) -> None:
    whole, (first,) = _series(db, (1, 1))
    asset = make.asset(first)
    assert storage.path(f"sources/{asset.public_id}").is_dir()

    titles.remove(db, storage, SYSTEM, whole.slug)

    assert db.value("select count(*) from titles") == 0
    assert not storage.path(f"sources/{asset.public_id}").exists()


def test_nobody_adds_episodes_to_somebody_elses_series(
    db: Database, make: Builders
) -> None:
    mine, other = make.actor(Role.CONTRIBUTOR), make.actor(Role.CONTRIBUTOR)
    whole = titles.create(db, mine, "Mine", kind="series")
    _published(db, whole)

    with pytest.raises(Forbidden):
        titles.create(db, other, "Pilot", kind="episode", parent=whole.slug)
    made = titles.create(db, mine, "Pilot", kind="episode", parent=whole.slug)
    assert made.kind is Kind.EPISODE
