"""The home page: which rows, in which order, with what on the cards."""

import pytest

from appliance.catalog import states
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.discovery.home import Home, Row, home
from appliance.errors import Unauthenticated
from appliance.media import assets, publishing
from appliance.media.assets import Asset
from appliance.permissions import ANONYMOUS, SYSTEM, Actor, Role
from appliance.playback import progress
from appliance.settings import Portal, Settings
from tests.builders import Builders


@pytest.fixture
def viewer(make: Builders) -> Actor:
    return make.actor(Role.VIEWER)


def _row(page: Home, key: str) -> Row:
    return next(row for row in page.rows if row.key == key)


def _film(make: Builders, name: str, **fields: object) -> Asset:
    """Make a published film that is said to last an hour and forty minutes."""
    title = make.title(name, **fields)  # type: ignore[arg-type]
    film = make.asset(title, heights=(234,))
    make.db.conn.execute("update assets set duration = 6000 where id = ?", (film.id,))
    return assets.by_id(make.db, film.id)


def test_rows_stand_in_their_order_and_empty_ones_are_left_out(
    db: Database, settings: Settings, make: Builders, viewer: Actor
) -> None:
    for name in ("One", "Two"):
        make.title(name, genres=("Drama", "Comedy"))
    make.title("Three", genres=("Alone",))
    empty = home(db, settings, viewer)
    progress.save(db, settings, viewer, _film(make, "Four"), 1200.0)

    page = home(db, settings, viewer)

    assert [row.key for row in empty.rows] == ["new", "genre-comedy", "genre-drama"]
    assert [row.key for row in page.rows] == [
        *("continue", "new", "genre-comedy", "genre-drama")
    ]
    assert [row.heading for row in page.rows][:2] == [
        *("Continue watching", "New in the library")
    ]


def test_an_empty_library_has_an_empty_home(
    db: Database, settings: Settings, viewer: Actor
) -> None:
    assert home(db, settings, viewer) == Home(hero=None, rows=())


def test_the_newest_come_first_and_the_hero_is_the_newest_with_a_picture(
    db: Database,
    settings: Settings,
    make: Builders,
    viewer: Actor,
    clock: FixedClock,
) -> None:
    make.title("Old", backdrop="a" * 16)
    clock.advance(days=20)
    make.title("Pictured", backdrop="b" * 16)
    clock.advance(days=1)
    make.title("Plain")

    page = home(db, settings, viewer)

    new = _row(page, "new").cards
    assert [card.name for card in new] == ["Plain", "Pictured", "Old"]
    assert [card.new for card in new] == [True, True, False]
    assert page.hero is not None
    assert page.hero.name == "Pictured"


def test_a_card_says_what_there_is_to_know(
    db: Database, settings: Settings, make: Builders, viewer: Actor
) -> None:
    make.title(
        "Solaris",
        genres=("Sci-Fi", "Drama"),
        synopsis="A planet.",
        year=1972,
        rating="12",
        runtime_seconds=9960.0,
        poster="c" * 16,
        backdrop="d" * 16,
    )

    card = _row(home(db, settings, viewer), "new").cards[0]

    assert (card.name, card.year, card.rating) == ("Solaris", 1972, "12")
    assert (card.minutes, card.genres) == (166, ("Sci-Fi", "Drama"))
    assert (card.art, card.poster) == ("d" * 16, "c" * 16)
    assert (card.progress, card.minutes_left) == (None, None)


def test_what_was_begun_is_there_until_it_is_watched_or_hidden(
    db: Database,
    settings: Settings,
    make: Builders,
    viewer: Actor,
    clock: FixedClock,
) -> None:
    films = {name: _film(make, name) for name in ("Begun", "Hardly", "Seen", "Hidden")}
    for name, position in (
        *(("Begun", 1500.0), ("Hardly", 100.0)),
        *(("Seen", 5900.0), ("Hidden", 3000.0)),
    ):
        clock.advance(minutes=1)
        progress.save(db, settings, viewer, films[name], position)
    progress.hide(db, viewer, films["Hidden"].id)

    begun = _row(home(db, settings, viewer), "continue").cards

    assert [(card.name, card.progress, card.minutes_left) for card in begun] == [
        ("Begun", 0.25, 75)
    ]
    progress.show(db, viewer, films["Hidden"].id)
    again = _row(home(db, settings, viewer), "continue").cards
    assert [card.name for card in again] == ["Hidden", "Begun"]


def test_watching_on_brings_a_hidden_film_back(
    db: Database, settings: Settings, make: Builders, viewer: Actor
) -> None:
    film = _film(make, "Begun")
    progress.save(db, settings, viewer, film, 1500.0)
    progress.hide(db, viewer, film.id)
    assert [row.key for row in home(db, settings, viewer).rows] == ["new"]

    progress.save(db, settings, viewer, film, 1510.0)

    assert home(db, settings, viewer).rows[0].key == "continue"


def test_what_others_watch_and_what_is_not_published_is_not_shown(
    db: Database, settings: Settings, make: Builders, viewer: Actor
) -> None:
    film = _film(make, "Begun")
    progress.save(db, settings, make.actor(Role.VIEWER), film, 1500.0)
    make.title("Hidden", state="ready", genres=("Drama",))
    make.title("Shown", genres=("Drama",))
    administrator = make.actor(Role.ADMINISTRATOR)

    for actor in (viewer, administrator):
        page = home(db, settings, actor)
        assert [row.key for row in page.rows] == ["new"]
        assert {card.name for card in page.rows[0].cards} == {"Begun", "Shown"}


def test_a_title_that_was_replaced_is_there_once(
    db: Database, settings: Settings, make: Builders, viewer: Actor, clock: FixedClock
) -> None:
    title = make.title("Twice")
    for position in (4.0, 2.0):
        clock.advance(minutes=1)
        progress.save(db, settings, viewer, make.asset(title), position)

    cards = _row(home(db, settings, viewer), "continue").cards

    assert [card.progress for card in cards] == [0.2]


def test_genres_follow_what_is_published(
    db: Database, settings: Settings, make: Builders, viewer: Actor
) -> None:
    first, second = (make.title(name, genres=("Drama",)) for name in ("One", "Two"))
    assert len(_row(home(db, settings, viewer), "genre-drama").cards) == 2

    states.unpublish(db, SYSTEM, first.slug)
    alone = home(db, settings, viewer)
    publishing.publish(db, settings, SYSTEM, first.slug)

    assert [row.key for row in alone.rows] == ["new"]
    names = [
        card.name for card in _row(home(db, settings, viewer), "genre-drama").cards
    ]
    assert sorted(names) == ["One", "Two"]
    assert second.name in names


def test_a_row_says_where_the_rest_is_only_when_there_is_more(
    db: Database, settings: Settings, make: Builders, viewer: Actor
) -> None:
    few = Settings(home=settings.home, portal=Portal(home_cards=2, home_genres=1))
    for name in ("One", "Two"):
        make.title(name, genres=("Drama", "War"))

    assert [row.more_url for row in home(db, few, viewer).rows] == [None, None]
    make.title("Three", genres=("Drama",))
    page = home(db, few, viewer)

    assert [(row.key, len(row.cards), row.more_url) for row in page.rows] == [
        ("new", 2, "/new"),
        ("genre-drama", 2, "/genre/drama"),
    ]


def test_nobody_who_is_not_signed_in_sees_the_home_page(
    db: Database, settings: Settings
) -> None:
    with pytest.raises(Unauthenticated):
        home(db, settings, ANONYMOUS)


def test_no_read_of_the_home_page_goes_through_a_whole_table(
    db: Database, settings: Settings, make: Builders, viewer: Actor
) -> None:
    for number in range(300):
        make.title(f"Film {number}", genres=("Drama", f"Genre {number % 5}"))
    for film in (_film(make, "Begun"), _film(make, "Seen")):
        progress.save(db, settings, viewer, film, 3000.0)
    db.conn.execute(
        """
        insert into assets (public_id, title_id, source_path, source_name,
            source_bytes, created_at)
        select public_id, id, '', '', 0, '' from titles
        """
    )
    db.conn.execute("analyze")
    asked: list[str] = []

    db.conn.set_trace_callback(asked.append)
    home(db, settings, viewer)
    db.conn.set_trace_callback(None)

    assert len(asked) > 8
    for sql in asked:
        for step in db.rows(f"explain query plan {sql}"):
            # Rows and genres are few; what a query made itself is no table.
            short = (
                "home_rows",
                "genres",
                "json_each",
                "seen",
                "(subquery",
                "CONSTANT",
            )
            scans = step["detail"].startswith("SCAN")
            assert not scans or step["detail"][5:].startswith(short), (step, sql)
