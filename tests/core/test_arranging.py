"""Rows and collections: arranged by hand, for whom, when, and never lost."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from appliance.catalog import collections
from appliance.clock import FixedClock
from appliance.db import Database, write
from appliance.discovery import arranging, home_rows, shelves
from appliance.discovery.audience import Audience
from appliance.discovery.cards import Row
from appliance.discovery.home import home
from appliance.errors import Conflict, Forbidden, InvalidInput, NotFound
from appliance.permissions import SYSTEM, Actor, Role
from appliance.settings import Settings
from tests.builders import Builders

Matinee = Callable[..., Result]


@pytest.fixture
def viewer(make: Builders) -> Actor:
    return make.actor(Role.VIEWER)


def _headings(
    db: Database, settings: Settings, viewer: Actor, **more: Any
) -> list[str]:
    return [row.heading for row in home(db, settings, viewer, **more).rows]


def test_a_row_by_a_rule_shows_what_it_finds_and_where_the_rest_is(
    db: Database, settings: Settings, make: Builders, viewer: Actor
) -> None:
    for number in range(14):
        make.title(f"Drill {number}", genres=("Safety",), year=2000 + number)
    arranging.add(
        *(db, SYSTEM, "rule", "Safety first"),
        rule={"genre": "safety", "year_from": "2001", "sort": "oldest"},
    )

    row = home(db, settings, viewer).rows[0]

    assert row.heading == "Safety first"
    assert len(row.cards) == 12
    assert row.more_url == "/browse?genre=safety&year_from=2001&sort=oldest"


def test_chosen_titles_stand_in_their_order_and_only_what_may_be_seen(
    db: Database, settings: Settings, make: Builders, viewer: Actor
) -> None:
    one, two = make.title("One"), make.title("Two")
    draft = make.title("Draft", state="draft")
    arranging.add(
        *(db, SYSTEM, "chosen", "Picked"), titles=[two.slug, draft.slug, one.slug]
    )

    row = home(db, settings, viewer).rows[0]

    assert [card.name for card in row.cards] == ["Two", "One"]


def test_what_stands_in_large_can_be_chosen(
    db: Database, settings: Settings, make: Builders, viewer: Actor
) -> None:
    old = make.title("Old", backdrop="a" * 16)
    make.title("New", backdrop="b" * 16)
    before = home(db, settings, viewer).hero
    arranging.change(db, SYSTEM, "hero", titles=[old.slug])
    chosen = home(db, settings, viewer).hero
    arranging.change(db, SYSTEM, "hero", enabled=False)

    assert before is not None
    assert chosen is not None
    assert (before.name, chosen.name) == ("New", "Old")
    assert home(db, settings, viewer).hero is None


def test_a_schedule_begins_and_ends_by_itself(
    db: Database,
    settings: Settings,
    make: Builders,
    viewer: Actor,
    clock: FixedClock,
) -> None:
    title = make.title()
    arranging.add(
        *(db, SYSTEM, "chosen", "At noon"),
        titles=[title.slug],
        starts_at="2026-01-02T12:30",
        ends_at="2026-01-02T13:00",
    )
    found = shelves.shelves(db, settings, viewer, Audience())
    assert found.until == "2026-01-02T12:30:00.000000Z"

    seen = []
    for _ in range(3):
        seen.append("At noon" in _headings(db, settings, viewer))
        clock.advance(minutes=30)

    assert seen == [False, True, False]


def test_a_heading_is_said_in_the_language_of_the_viewer(
    db: Database, settings: Settings, make: Builders, viewer: Actor
) -> None:
    title = make.title()
    arranging.add(
        *(db, SYSTEM, "chosen", "Watch first"),
        titles=[title.slug],
        translations={"de": "Zuerst ansehen"},
    )

    assert _headings(db, settings, viewer, language="de")[0] == "Zuerst ansehen"
    assert _headings(db, settings, viewer, language="fr")[0] == "Watch first"


def test_rows_move_are_switched_off_and_stay_below_what_is_in_large(
    db: Database, make: Builders
) -> None:
    def order() -> list[str]:
        return [row.kind.value for row in home_rows.listing(db)]

    assert order()[0] == "hero"
    arranging.move(db, SYSTEM, "genres", -100)
    assert order()[:3] == ["hero", "genres", "continue"]
    arranging.move(db, SYSTEM, "hero", 3)
    arranging.move(db, SYSTEM, "genres", 1)
    assert order()[:3] == ["hero", "continue", "genres"]
    arranging.move(db, SYSTEM, "continue", 100)
    assert order()[-1] == "continue"
    with pytest.raises(Conflict, match="switch it off"):
        arranging.remove(db, SYSTEM, "new")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"rule": {"genre": "No Slug"}}, "genre"),
        ({"rule": {"nothing": "x"}}, "nothing"),
        ({"rule": "genre=x"}, "rule"),
        ({"audience": "dogs"}, "audience"),
        ({"group": "nobody"}, "group"),
        ({"heading": "x" * 81}, "heading"),
        ({"heading": ""}, "heading"),
        ({"heading": "a\x00b"}, "heading"),
        ({"titles": []}, "titles"),
        ({"collection": "x"}, "collection"),
        ({"translations": {"no language": "x"}}, "language"),
        ({"starts_at": "soon"}, "starts_at"),
        ({"starts_at": "2026-02-02", "ends_at": "2026-01-01"}, "ends_at"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field_and_nothing_is_stored(
    db: Database, fields: dict[str, Any], field: str
) -> None:
    row = arranging.add(db, SYSTEM, "rule", "A rule", rule={"kind": "film"})

    with pytest.raises(InvalidInput) as refused:
        arranging.change(db, SYSTEM, row.public_id, **fields)

    assert refused.value.details["field"] == field
    assert home_rows.by_public_id(db, row.public_id) == row


def test_two_who_change_a_row_or_a_collection_lose_nothing(
    db: Database, clock: FixedClock
) -> None:
    row = arranging.add(db, SYSTEM, "rule", "A rule")
    made = collections.add(db, SYSTEM, "Both")
    clock.advance(seconds=1)
    arranging.change(db, SYSTEM, row.public_id, revision=1, heading="First")
    collections.change(db, SYSTEM, "both", seen=made.updated_at, name="First")

    with pytest.raises(Conflict):
        arranging.change(db, SYSTEM, row.public_id, revision=1, heading="Second")
    with pytest.raises(Conflict):
        collections.change(db, SYSTEM, "both", seen=made.updated_at, name="Second")

    assert home_rows.by_public_id(db, row.public_id).heading == "First"
    assert collections.by_slug(db, "both").name == "First"


def test_a_collection_takes_its_rows_and_rights_along(
    db: Database, settings: Settings, make: Builders, viewer: Actor
) -> None:
    title = make.title()
    made = collections.add(db, SYSTEM, "Both", members=[title.slug])
    arranging.add(db, SYSTEM, "collection", "Both of them", collection="both")
    with write(db):
        db.conn.execute(
            """
            insert into entitlements (subject, object, object_id, source, created_at)
            values ('everyone', 'collection', ?, 'plan:x', '')
            """,
            (made.id,),
        )
    assert _headings(db, settings, viewer)[0] == "Both of them"

    collections.remove(db, SYSTEM, "both")

    assert "Both of them" not in _headings(db, settings, viewer)
    left = "select count(*) from entitlements where object = 'collection'"
    assert db.value(left) == 0


def test_only_those_who_may_arrange_arrange(db: Database, make: Builders) -> None:
    editor = make.actor(Role.CONTRIBUTOR)

    for act in (
        lambda: arranging.add(db, editor, "rule", "Mine"),
        lambda: arranging.change(db, editor, "new", enabled=False),
        lambda: arranging.move(db, editor, "new", 1),
        lambda: arranging.remove(db, editor, "new"),
        lambda: collections.add(db, editor, "Mine"),
        lambda: collections.remove(db, editor, "mine"),
    ):
        with pytest.raises(Forbidden):
            act()
    with pytest.raises(NotFound):
        arranging.move(db, SYSTEM, "nothing", 1)


def test_shelves_hold_what_everybody_of_an_audience_sees_alike(
    db: Database, settings: Settings, make: Builders, viewer: Actor
) -> None:
    make.title()

    found = shelves.shelves(db, settings, viewer, Audience())

    kinds = [type(row) is Row for row in found.rows]
    assert kinds.count(True) == 1
    assert kinds.count(False) == 3


def test_rows_and_collections_by_command(matinee: Matinee, make: Builders) -> None:
    title = make.title("Fire drill", slug="fire-drill", genres=("Safety",))
    made = _json(
        matinee("collection", "add", "Safety", "--title", title.slug, "--json")
    )
    assert made["titles"] == ["fire-drill"]
    row = _json(
        matinee(
            *("row", "add", "rule", "First", "--rule", "genre=safety"),
            *("--heading-in", "de=Zuerst", "--until", "2030-01-01", "--json"),
        )
    )
    assert row["rule"] == {"genre": "safety"}
    assert row["translations"] == {"de": "Zuerst"}

    moved = _json(matinee("row", "move", row["row"], "2", "--json"))
    assert moved["rows"].index(row["row"]) == 6
    off = _json(matinee("row", "set", row["row"], "--off", "--json"))
    assert (off["enabled"], off["ends_at"][:4]) == (False, "2030")
    assert "Safety" in matinee("collection", "list").stdout
    assert matinee("row", "set", row["row"]).exit_code == 2
    assert matinee("row", "remove", row["row"]).exit_code == 2
    assert matinee("row", "remove", row["row"], "--yes").exit_code == 0
    emptied = _json(matinee("collection", "set", "safety", "--empty", "--json"))
    assert emptied["titles"] == []
    assert matinee("collection", "remove", "safety", "--yes").exit_code == 0
    assert matinee("collection", "show", "safety").exit_code == 4


def test_searching_and_building_the_index_anew_by_command(
    matinee: Matinee, make: Builders
) -> None:
    make.title("The Glass Orchard", slug="glass")

    assert _json(matinee("search", "rebuild", "--json")) == {"indexed": 1}
    found = _json(matinee("search", "for", "glas orchrad", "--json"))

    assert found["guess"] == "glass orchard"
    assert [each["page"] for each in found["found"]] == ["/title/glass"]


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)
