"""Searching: what is found, by whom, in which order, and however it is spelt."""

import pytest

from appliance.access import entitlements
from appliance.catalog import titles
from appliance.db import Database, write
from appliance.discovery import indexing
from appliance.discovery.search import Found, search
from appliance.errors import Unauthenticated
from appliance.objects import Stores
from appliance.permissions import ANONYMOUS, SYSTEM, Actor, Role
from appliance.settings import Settings
from appliance.storage import Storage
from tests.builders import Builders


@pytest.fixture
def viewer(make: Builders) -> Actor:
    return make.actor(Role.VIEWER)


@pytest.fixture
def stores(storage: Storage, settings: Settings) -> Stores:
    return Stores(storage, settings)


def _names(found: Found) -> list[str]:
    return [card.name for card in found.titles]


@pytest.mark.parametrize(
    "typed",
    [
        *("strasse", "STRAẞE", "lodz strasse", "łódź", "Straße nach Łó"),
    ],
)
def test_letters_that_look_alike_are_alike(
    db: Database,
    settings: Settings,
    make: Builders,
    viewer: Actor,
    stores: Stores,
    typed: str,
) -> None:
    make.title("Die Straße nach Łódź")
    make.title("Solaris")
    indexing.catch_up(db, stores)

    assert _names(search(db, settings, viewer, typed)) == ["Die Straße nach Łódź"]


@pytest.mark.parametrize(
    ("typed", "guess"),
    [
        ("incredable jorney", "incredible journey"),
        ("incredibel", "incredible"),
        ("the incredible jurney", "the incredible journey"),
    ],
)
def test_misspelt_words_are_understood_and_put_right(
    db: Database,
    settings: Settings,
    make: Builders,
    viewer: Actor,
    stores: Stores,
    typed: str,
    guess: str,
) -> None:
    make.title("The Incredible Journey")
    make.title("Another thing")
    indexing.catch_up(db, stores)

    found = search(db, settings, viewer, typed)

    assert _names(found) == ["The Incredible Journey"]
    assert found.guess == guess


def test_a_title_is_found_before_it_is_indexed_and_not_by_what_it_was_called(
    db: Database, settings: Settings, viewer: Actor, make: Builders, stores: Stores
) -> None:
    title = make.title("Old name")
    assert _names(search(db, settings, viewer, "old")) == ["Old name"]
    indexing.catch_up(db, stores)

    titles.edit(db, SYSTEM, title.slug, name="Fresh name")

    assert _names(search(db, settings, viewer, "old")) == []
    assert _names(search(db, settings, viewer, "fresh")) == ["Fresh name"]
    indexing.catch_up(db, stores)
    assert _names(search(db, settings, viewer, "fresh")) == ["Fresh name"]
    assert indexing.waiting(db) == 0


def test_what_begins_with_the_words_comes_first_then_names_then_the_rest(
    db: Database, settings: Settings, viewer: Actor, make: Builders, stores: Stores
) -> None:
    make.title("Told elsewhere", synopsis="All about an orchard.")
    make.title("In the orchard at night")
    make.title("Orchard of glass")
    make.title("Orchard")
    indexing.catch_up(db, stores)

    assert _names(search(db, settings, viewer, "orchard")) == [
        *("Orchard", "Orchard of glass", "In the orchard at night", "Told elsewhere")
    ]


@pytest.mark.parametrize("endings", [1, 40])
def test_a_word_is_found_from_its_beginning_however_it_ends(
    db: Database,
    settings: Settings,
    make: Builders,
    viewer: Actor,
    stores: Stores,
    endings: int,
) -> None:
    long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk"
    told = make.title("Von Flüssen", synopsis="Auf einem Donaudampfer.")
    for number in range(endings):
        make.title(f"Alte Donaudampf{'abcdefgh'[number % 8] * (number // 8 + 1)}")
    make.title(f"Alte {long}")
    indexing.catch_up(db, stores)

    found = _names(search(db, settings, viewer, "alte donaudampf", limit=50))
    longest = _names(search(db, settings, viewer, f"alte {long[:45]}"))

    assert len(found) == endings + 1
    assert f"Alte {long}" in found
    assert longest == [f"Alte {long}"]
    in_text = search(db, settings, viewer, "einem donaudampf").titles
    assert [card.slug for card in in_text] == [told.slug]


def test_spoken_words_lead_to_the_second_they_are_said(
    db: Database,
    settings: Settings,
    viewer: Actor,
    make: Builders,
    stores: Stores,
    storage: Storage,
) -> None:
    title = make.title("Safety first")
    make.asset(title, captions=("en",))
    path = db.value("select path from tracks where kind = 'text'")
    storage.write(
        f"{path}/text.vtt",
        b"WEBVTT\n\n00:01:05.500 --> 00:01:08.000\nPull the <i>handbrake</i> now.\n",
    )
    indexing.catch_up(db, stores)

    (line,) = search(db, settings, viewer, "handbr").lines

    assert (line.slug, line.seconds) == (title.slug, 65)
    assert line.text == "Pull the handbrake now."


def test_what_is_said_is_quoted_to_those_only_who_may_watch(
    db: Database, settings: Settings, viewer: Actor, make: Builders, stores: Stores
) -> None:
    title = make.title("Hello to subscribers")
    make.asset(title, captions=("en",))
    indexing.catch_up(db, stores)
    for each in entitlements.listing(db):
        entitlements.withdraw(db, SYSTEM, each.id)

    found = search(db, settings, viewer, "hello")
    assert _names(found) == ["Hello to subscribers"]
    assert found.lines == ()

    entitlements.grant(db, SYSTEM, f"account:{viewer.username}", title.slug)
    (line,) = search(db, settings, viewer, "hello").lines
    assert line.slug == title.slug


def test_captions_that_are_taken_away_are_not_found_any_more(
    db: Database, settings: Settings, viewer: Actor, make: Builders, stores: Stores
) -> None:
    make.asset(make.title("Greeting"), captions=("en", "de"))
    indexing.catch_up(db, stores)
    assert len(search(db, settings, viewer, "hello").lines) == 2

    with write(db):
        db.conn.execute(
            "update tracks set retired_at = ? where language = 'de'", (db.now(),)
        )
    indexing.catch_up(db, stores)

    assert [each.language for each in search(db, settings, viewer, "hello").lines] == [
        "en"
    ]


def test_nobody_finds_what_is_not_for_them(
    db: Database, settings: Settings, viewer: Actor, make: Builders, stores: Stores
) -> None:
    hidden = make.title("Orchard draft", state="draft", genres=("Orchards",))
    grown = make.title("Orchard at night", rating="18", age=18)
    make.asset(grown, captions=("en",))
    for title in (hidden, grown):
        with write(db):
            person = db.conn.execute(
                "insert into people (public_id, slug, name, created_at, updated_at)"
                " values (?, ?, 'Orla Orchard', '', '')",
                (title.slug, title.slug),
            ).lastrowid
            db.conn.execute(
                "insert into credits (title_id, person_id, job) values (?, ?, 'actor')",
                (title.id, person),
            )
    indexing.catch_up(db, stores)
    child = Actor(
        viewer.username,
        viewer.account_id,
        viewer.profile_id,
        viewer.roles,
        rating_limit=12,
    )

    for typed in ("orchard", "orchrd", "orla", "hello", "orchards"):
        assert search(db, settings, child, typed).count == 0, typed
        assert search(db, settings, child, typed).guess == ""
    found = search(db, settings, viewer, "orchard")
    assert _names(found) == ["Orchard at night"]
    assert [each.slug for each in found.people] == [grown.slug]
    assert found.places == ()


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "",
            "   ",
            '"',
            '"" ""',
            "*",
            "sol* OR x",
            "names:solaris",
            "NEAR(solaris x)",
        ),
        *("-solaris x", "solaris\0x", "^", "'; drop table titles; --", "solaris AND"),
        *("\ud800", "x\ud800", "x " * 500, "{names} : solaris y", "%", "_", "𝔵" * 300),
    ],
)
def test_syntax_is_never_obeyed_and_never_an_error(
    db: Database,
    settings: Settings,
    viewer: Actor,
    make: Builders,
    stores: Stores,
    typed: str,
) -> None:
    make.title("Solaris")
    indexing.catch_up(db, stores)

    assert _names(search(db, settings, viewer, typed)) == []


def test_nobody_who_is_not_signed_in_searches(db: Database, settings: Settings) -> None:
    with pytest.raises(Unauthenticated):
        search(db, settings, ANONYMOUS, "x")


def test_a_language_without_blanks_is_searched_by_parts(
    db: Database, settings: Settings, viewer: Actor, make: Builders, stores: Stores
) -> None:
    make.title("東京物語")
    indexing.catch_up(db, stores)

    assert _names(search(db, settings, viewer, "物語")) == ["東京物語"]


def test_an_index_that_is_built_anew_finds_the_same(
    db: Database, settings: Settings, viewer: Actor, make: Builders, stores: Stores
) -> None:
    make.asset(make.title("Orchard"), captions=("en",))
    indexing.catch_up(db, stores)

    indexing.rebuild(db)
    indexing.catch_up(db, stores)

    assert _names(search(db, settings, viewer, "orchard")) == ["Orchard"]
    assert len(search(db, settings, viewer, "hello").lines) == 1
    for index in ("search_fts", "search_names_fts"):
        db.conn.execute(f"insert into {index} ({index}) values ('integrity-check')")
    db.conn.execute("insert into spoken_fts (spoken_fts) values ('integrity-check')")


def test_a_title_that_is_removed_leaves_nothing_in_the_index(
    db: Database, settings: Settings, viewer: Actor, make: Builders, stores: Stores
) -> None:
    title = make.title("Orchard")
    make.asset(title, captions=("en",))
    indexing.catch_up(db, stores)

    with write(db):
        db.conn.execute("delete from titles where id = ?", (title.id,))
    indexing.catch_up(db, stores)

    assert search(db, settings, viewer, "orchard").count == 0
    for table in ("search_documents", "search_names", "spoken", "search_due"):
        assert db.value(f"select count(*) from {table}") == 0
    for index in ("search_fts", "search_names_fts"):
        db.conn.execute(f"insert into {index} ({index}) values ('integrity-check')")


@pytest.mark.parametrize("typed", ["orch", "orchard 3", "orchrad", "hello"])
def test_no_search_goes_through_a_whole_table(
    db: Database,
    settings: Settings,
    viewer: Actor,
    make: Builders,
    stores: Stores,
    typed: str,
) -> None:
    for number in range(60):
        make.title(f"Orchard {number}", genres=("Drama",))
    make.asset(make.title("Said"), captions=("en",))
    indexing.catch_up(db, stores)
    asked: list[str] = []

    db.conn.set_trace_callback(asked.append)
    search(db, settings, viewer, typed)
    db.conn.set_trace_callback(None)

    # FTS5 asks its own tables in capitals, or in comments.
    for sql in (each for each in asked if not each.startswith(("--", "SELECT"))):
        for step in db.rows(f"explain query plan {sql}"):
            # FTS5 looks words up; what a query made itself is no table.
            short = (
                *("VIRTUAL", "json_each", "(subquery", "CONSTANT", "search_due"),
                *("genres", "tags", "collections", "subjects", "objects"),
            )
            detail = step["detail"]
            by_words = "_fts VIRTUAL TABLE INDEX" in detail and ":M" in detail
            scans = detail.startswith("SCAN") and not by_words
            assert not scans or detail[5:].startswith(short), (step, sql)
