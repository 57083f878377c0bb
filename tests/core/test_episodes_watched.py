"""Episodes: which comes next, which lie around one, and when one counts as watched."""

import pytest

from appliance.catalog.titles import Title
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import NotFound
from appliance.media import assets, markers
from appliance.media.markers import MarkerKind, Stretch
from appliance.permissions import SYSTEM, Actor, Role
from appliance.playback import around, progress
from appliance.settings import Settings
from tests.builders import Builders


@pytest.fixture
def series(make: Builders) -> Title:
    return make.title("Harbour Lights", kind="series")


@pytest.fixture
def viewer(make: Builders) -> Actor:
    return make.actor(Role.VIEWER)


def _episode(
    make: Builders, series: Title, season: int, number: int, *, film: bool = True
) -> Title:
    episode = make.title(
        f"S{season} E{number}",
        kind="episode",
        parent_id=series.id,
        season_number=season,
        episode_number=number,
    )
    if film:
        make.asset(episode, heights=(234,), duration=1000.0)
    return episode


def _watch(
    db: Database,
    settings: Settings,
    clock: FixedClock,
    viewer: Actor,
    episode: Title,
    seconds: float,
) -> None:
    clock.advance(seconds=60)
    film = assets.playable(db, episode.id)
    assert film is not None
    progress.save(db, settings, viewer, film, seconds)


def test_a_series_is_begun_with_its_first_episode_and_specials_come_last(
    db: Database, make: Builders, viewer: Actor, series: Title
) -> None:
    _episode(make, series, 0, 1)
    _episode(make, series, 2, 1)
    first = _episode(make, series, 1, 1)

    assert progress.next_up(db, viewer, series) == first


def test_what_was_begun_is_gone_on_with(
    db: Database,
    settings: Settings,
    clock: FixedClock,
    make: Builders,
    viewer: Actor,
    series: Title,
) -> None:
    first, second = _episode(make, series, 1, 1), _episode(make, series, 1, 2)
    _watch(db, settings, clock, viewer, first, 990)
    _watch(db, settings, clock, viewer, second, 300)

    assert progress.next_up(db, viewer, series) == second


def test_after_a_watched_episode_the_next_one_follows_into_the_next_season(
    db: Database,
    settings: Settings,
    clock: FixedClock,
    make: Builders,
    viewer: Actor,
    series: Title,
) -> None:
    last = _episode(make, series, 1, 2)
    _episode(make, series, 1, 1)
    _episode(make, series, 2, 1, film=False)
    following = _episode(make, series, 2, 2)
    _watch(db, settings, clock, viewer, last, 990)

    assert progress.next_up(db, viewer, series) == following


def test_when_nothing_follows_what_was_left_out_comes_and_then_nothing(
    db: Database,
    settings: Settings,
    clock: FixedClock,
    make: Builders,
    viewer: Actor,
    series: Title,
) -> None:
    first, second = _episode(make, series, 1, 1), _episode(make, series, 1, 2)
    _watch(db, settings, clock, viewer, second, 990)
    assert progress.next_up(db, viewer, series) == first

    _watch(db, settings, clock, viewer, first, 990)
    _watch(db, settings, clock, viewer, second, 995)
    assert progress.next_up(db, viewer, series) is None


def test_an_episode_that_may_not_be_seen_is_not_next(
    db: Database, make: Builders, viewer: Actor, series: Title
) -> None:
    draft = _episode(make, series, 1, 1)
    second = _episode(make, series, 1, 2)
    db.conn.execute("update titles set state = 'draft' where id = ?", (draft.id,))

    assert progress.next_up(db, viewer, series) == second


def test_around_an_episode_lie_its_series_and_the_nearest_that_can_be_played(
    db: Database, make: Builders, viewer: Actor, series: Title
) -> None:
    first = _episode(make, series, 1, 1)
    middle = _episode(make, series, 1, 2)
    _episode(make, series, 1, 3, film=False)
    last = _episode(make, series, 2, 1)

    found = around.of_title(db, viewer, middle.slug)

    assert found.whole is not None
    assert found.whole.slug == series.slug
    assert (found.previous, found.next) == (first, last)
    assert around.of_title(db, viewer, last.slug).next is None


def test_around_a_trailer_lies_what_it_is_of(
    db: Database, make: Builders, viewer: Actor
) -> None:
    film = make.title("Solaris")
    trailer = make.title("A first look", kind="trailer", parent_id=film.id)

    found = around.of_title(db, viewer, trailer.slug)

    assert found.whole is not None
    assert found.whole.slug == film.slug
    assert (found.previous, found.next) == (None, None)


def test_nothing_is_told_around_what_may_not_be_seen(
    db: Database, make: Builders, viewer: Actor, series: Title
) -> None:
    hidden = _episode(make, series, 1, 1)
    db.conn.execute("update titles set state = 'draft' where id = ?", (series.id,))

    with pytest.raises(NotFound):
        around.of_title(db, viewer, hidden.slug)


@pytest.mark.parametrize(
    ("kind", "start", "end", "finished"),
    [
        (MarkerKind.CREDITS, 800.0, 1000.0, True),
        # A scene follows them: who leaves there has not seen it.
        (MarkerKind.CREDITS, 800.0, 900.0, False),
        # These are the opening credits of an odd film.
        (MarkerKind.CREDITS, 400.0, 1000.0, False),
        (MarkerKind.INTRO, 800.0, 1000.0, False),
    ],
)
def test_a_film_is_watched_when_nothing_but_its_credits_is_left(
    db: Database,
    settings: Settings,
    make: Builders,
    viewer: Actor,
    kind: MarkerKind,
    start: float,
    end: float,
    finished: bool,
) -> None:
    film = make.asset(heights=(234,), duration=1000.0)
    markers.add(db, SYSTEM, film.id, Stretch(kind, start, end))

    assert not progress.save(db, settings, viewer, film, 799.0).finished
    assert progress.save(db, settings, viewer, film, 801.0).finished is finished
