"""Windows: when, where, to whom and how sharp a title is shown."""

from typing import Any

import pytest

from appliance.access import availability
from appliance.db import Database
from appliance.errors import Forbidden, InvalidInput, NotFound
from appliance.events import Event, since
from appliance.permissions import SYSTEM, Role
from tests.builders import Builders


def test_a_window_keeps_what_was_said(db: Database, make: Builders) -> None:
    title = make.title()
    ada, ben = make.actor(), make.actor()
    assert ada.account_id is not None
    assert ben.account_id is not None
    db.conn.execute("insert into groups values (1, 'g1', 'Training')")
    db.conn.execute("insert into group_members values (1, ?)", (ada.account_id,))

    added = availability.add(
        db,
        SYSTEM,
        title.slug,
        starts_at="2026-02-01",
        ends_at="2026-03-01",
        group="Training",
        territories=["de", " AT ", ""],
        max_height=1080,
    )

    assert added.title == title.slug
    assert added.territories == ("AT", "DE")
    (of_ada,) = availability.of_title(db, title.id, ada.account_id)
    (of_ben,) = availability.of_title(db, title.id, ben.account_id)
    assert of_ada == availability.Window(
        public_id=added.id,
        starts_at="2026-02-01T00:00:00.000000Z",
        ends_at="2026-03-01T00:00:00.000000Z",
        group="Training",
        for_viewer=True,
        territories=frozenset({"AT", "DE"}),
        max_height=1080,
    )
    assert (of_ben.group, of_ben.for_viewer) == ("Training", False)
    assert since(db)[-1].name == Event.AVAILABILITY_CHANGE
    assert since(db)[-1].subject == f"title/{title.public_id}"
    assert since(db)[-1].data["territories"] == ["AT", "DE"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "give one of these at least"),
        ({"territories": ["", " "]}, "give one of these at least"),
        ({"territories": ["DE", "UK"]}, "“UK” is no country code"),
        ({"territories": ["EU"]}, "“EU” is no country code"),
        ({"territories": ["Germany"]}, "“Germany” is no country code"),
        ({"group": "Nowhere"}, "There are: Sales, Training."),
        ({"max_height": 0}, "from 1 to 10,000"),
        ({"starts_at": "soon"}, "“soon” is no time"),
        (
            {"starts_at": "2026-02-02", "ends_at": "2026-02-01"},
            "end before it begins",
        ),
    ],
)
def test_nonsense_is_refused_with_what_would_do(
    db: Database, make: Builders, fields: dict[str, Any], says: str
) -> None:
    db.conn.execute("insert into groups values (1, 'g1', 'Training')")
    db.conn.execute("insert into groups values (2, 'g2', 'Sales')")

    with pytest.raises(InvalidInput) as refused:
        availability.add(db, SYSTEM, make.title().slug, **fields)

    assert says in refused.value.message
    assert availability.listing(db) == []


def test_only_those_who_edit_every_title_open_and_close_windows(
    db: Database, make: Builders
) -> None:
    owner = make.actor(Role.CONTRIBUTOR)
    title = make.title(actor=owner)
    publisher = make.actor(Role.PUBLISHER)

    window = availability.add(db, publisher, title.slug, max_height=720)
    with pytest.raises(Forbidden):
        availability.add(db, owner, title.slug, max_height=1080)
    with pytest.raises(Forbidden):
        availability.remove(db, owner, window.id)

    assert availability.listing(db, title.slug) == [window]
    assert availability.remove(db, publisher, window.id) == window
    assert availability.listing(db) == []
    assert since(db)[-1].data["change"] == "remove"


def test_what_is_not_there_is_not_found(db: Database) -> None:
    with pytest.raises(NotFound, match="no title “nothing”"):
        availability.add(db, SYSTEM, "nothing", max_height=720)
    with pytest.raises(NotFound, match="no window “ffff”"):
        availability.remove(db, SYSTEM, "ffff")


def test_titles_for_some_countries_are_counted_once(
    db: Database, make: Builders
) -> None:
    title, other = make.title(), make.title()
    availability.add(db, SYSTEM, title.slug, territories=["DE"])
    availability.add(db, SYSTEM, title.slug, territories=["AT"])
    availability.add(db, SYSTEM, other.slug, max_height=720)

    assert availability.titles_by_country(db) == 1
