"""Many titles at once: the effect shown first, then made, then undone."""

from dataclasses import replace

import pytest

from appliance.catalog import bulk, reviewing, titles
from appliance.catalog.bulk_words import Wish
from appliance.catalog.sieve import Sieve
from appliance.catalog.titles import Title
from appliance.catalog.topics import tags
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import Conflict, Gone, InvalidInput
from appliance.media import publishing
from appliance.permissions import SYSTEM, Role
from appliance.settings import Settings
from tests.builders import Builders


@pytest.fixture
def some(make: Builders) -> list[Title]:
    made = [make.title(name, state="ready") for name in ("One", "Two", "Three")]
    for title in made:
        make.asset(title)
    return made


def ids(some: list[Title]) -> list[int]:
    return [each.id for each in some]


def test_the_effect_is_shown_and_nothing_is_kept(
    db: Database, settings: Settings, some: list[Title]
) -> None:
    wish = Wish.read({"add_genres": "Drama, Sea", "move": "publish"})
    before = list(db.conn.iterdump())

    shown = bulk.preview(db, settings, SYSTEM, ids(some), wish, publishing.publish)

    assert (shown.total, shown.changed, shown.same, shown.refused) == (3, 3, 0, 0)
    assert [
        (each.field, each.before, each.after) for each in shown.effects[0].changes
    ] == [("Genres", "", "Drama, Sea"), ("State", "ready", "published")]
    assert list(db.conn.iterdump()) == before


def test_a_change_is_made_and_undone(
    db: Database, settings: Settings, some: list[Title]
) -> None:
    titles.edit(db, SYSTEM, some[0].slug, genres=["Sea"], tags=["Old"])
    wish = Wish.read(
        {
            "add_genres": "Drama",
            "drop_genres": "sea",
            "add_tags": ["new"],
            "rating": "12",
            "move": "publish",
        }
    )

    made = bulk.apply(db, settings, SYSTEM, ids(some), wish, publishing.publish)

    now = titles.by_id(db, some[0].id)
    assert (now.genres, now.rating, now.state) == (("Drama",), "12", "published")
    assert [each.name for each in tags.of_title(db, now.id)] == ["Old", "new"]

    undone = bulk.undo(db, settings, SYSTEM, made.bulk, publishing.publish)

    assert (undone.changed, undone.refused) == (3, 0)
    back = titles.by_id(db, some[0].id)
    assert (back.genres, back.rating, back.state) == (("Sea",), "", "ready")
    assert [each.name for each in tags.of_title(db, back.id)] == ["Old"]
    with pytest.raises(Conflict, match="undone already"):
        bulk.undo(db, settings, SYSTEM, made.bulk, publishing.publish)


@pytest.mark.parametrize("move", ["archive", "trash", "review"])
def test_every_move_can_be_undone(
    db: Database, settings: Settings, some: list[Title], move: str
) -> None:
    wish = Wish.read({"move": move})
    made = bulk.apply(db, settings, SYSTEM, ids(some), wish, publishing.publish)
    assert made.changed == 3

    bulk.undo(db, settings, SYSTEM, made.bulk, publishing.publish)

    for title in some:
        now = titles.by_id(db, title.id)
        assert (now.state, now.review, now.removed_at) == ("ready", "", None)


def test_undoing_leaves_what_was_changed_since_and_tells_which(
    db: Database, settings: Settings, some: list[Title]
) -> None:
    wish = Wish.read({"rating": "16"})
    made = bulk.apply(db, settings, SYSTEM, ids(some), wish, publishing.publish)
    titles.edit(db, SYSTEM, some[1].slug, synopsis="Written since.")

    undone = bulk.undo(db, settings, SYSTEM, made.bulk, publishing.publish)

    assert undone.changed == 2
    assert [(each.name, each.problem) for each in undone.problems] == [
        ("Two", "It was changed since, so it stays as it is.")
    ]
    assert titles.by_id(db, some[1].id).rating == "16"


def test_a_change_can_be_undone_for_a_day(
    db: Database, settings: Settings, some: list[Title], clock: FixedClock
) -> None:
    wish = Wish.read({"rating": "16"})
    made = bulk.apply(db, settings, SYSTEM, ids(some), wish, publishing.publish)
    assert bulk.listing(db, settings)[0].left

    clock.advance(hours=25)

    assert not bulk.listing(db, settings)[0].left
    with pytest.raises(Gone):
        bulk.undo(db, settings, SYSTEM, made.bulk, publishing.publish)


def test_what_cannot_be_changed_stays_and_says_why(
    db: Database, settings: Settings, make: Builders, some: list[Title]
) -> None:
    draft = make.title("No film", state="draft")
    wish = Wish.read({"add_tags": "new", "move": "publish"})
    chosen = [*ids(some), draft.id]

    made = bulk.apply(db, settings, SYSTEM, chosen, wish, publishing.publish)

    assert (made.changed, made.refused) == (3, 1)
    assert "upload one first" in made.problems[0].problem
    assert tags.of_title(db, draft.id) == ()


def test_sent_twice_it_is_made_once(
    db: Database, settings: Settings, some: list[Title]
) -> None:
    wish = Wish.read({"rating": "16"})
    bulk.apply(db, settings, SYSTEM, ids(some), wish, publishing.publish)

    again = bulk.apply(db, settings, SYSTEM, ids(some), wish, publishing.publish)

    assert (again.changed, again.same, again.bulk) == (0, 3, "")
    assert len(bulk.listing(db, settings)) == 1


def test_a_list_that_changed_since_the_preview_is_shown_again(
    db: Database, settings: Settings, make: Builders, some: list[Title]
) -> None:
    wish, by = Wish.read({"rating": "16"}), Sieve(stage="ready")
    chosen = bulk.chosen(db, SYSTEM, by=by)
    shown = bulk.preview(db, settings, SYSTEM, chosen, wish, publishing.publish)
    make.title("A fourth", state="ready")

    with pytest.raises(Conflict, match="look at it again"):
        bulk.apply(
            db,
            settings,
            SYSTEM,
            bulk.chosen(db, SYSTEM, by=by),
            wish,
            publishing.publish,
            mark=shown.mark,
        )
    assert titles.by_id(db, some[0].id).rating == ""


def test_contributors_change_what_is_theirs(
    db: Database, settings: Settings, make: Builders
) -> None:
    ida = make.actor(Role.CONTRIBUTOR)
    hers, other = make.title("Hers", actor=ida), make.title("Another's")
    wish = Wish.read({"rating": "16"})

    made = bulk.apply(db, settings, ida, [hers.id, other.id], wish, publishing.publish)

    assert (made.changed, made.refused) == (1, 1)


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"move": "explode"},
        {"rating": "x" * 21},
        {"language": "<script>"},
        {"add_genres": ["x" * 41]},
        {"add_tags": 12},
        {"rating": 12},
    ],
)
def test_nonsense_is_refused(wish: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        Wish.read(wish)


def test_an_unknown_library_is_a_problem_of_each_title(
    db: Database, settings: Settings, some: list[Title]
) -> None:
    wish = Wish.read({"library": "nowhere"})

    shown = bulk.preview(db, settings, SYSTEM, ids(some), wish, publishing.publish)

    assert shown.refused == 3


def test_four_eyes_hold_for_many_as_for_one(
    db: Database, settings: Settings, make: Builders, some: list[Title]
) -> None:
    strict = replace(settings, studio=replace(settings.studio, four_eyes=True))
    reviewing.ask(
        db, make.actor(Role.CONTRIBUTOR, roles=(Role.PUBLISHER,)), some[0].slug
    )
    reviewing.approve(db, strict, SYSTEM, some[0].slug)
    wish = Wish.read({"move": "publish"})

    made = bulk.apply(db, strict, SYSTEM, ids(some), wish, publishing.publish)

    assert (made.changed, made.refused) == (1, 2)
