"""Fields of the installation's own: defined, filled in, removed with their values."""

import pytest

from appliance.catalog import custom_fields, titles
from appliance.db import Database
from appliance.errors import Conflict, Forbidden, InvalidInput
from appliance.permissions import SYSTEM, Role
from tests.builders import Builders


@pytest.fixture
def defined(db: Database) -> None:
    custom_fields.define(db, SYSTEM, "Order number", "text")
    custom_fields.define(db, SYSTEM, "Cost", "number")
    custom_fields.define(db, SYSTEM, "Recorded", "date")
    custom_fields.define(
        db, SYSTEM, "Department", "choice", choices=["Sales", " sales", "Lab", ""]
    )
    custom_fields.define(db, SYSTEM, "Cleared", "yes-no")


@pytest.mark.usefixtures("defined")
def test_values_are_taken_as_people_type_them(db: Database, make: Builders) -> None:
    title = make.title()
    typed = {
        "order_number": "  A 12 ",
        "cost": "12,50",
        "recorded": "2026-02-01",
        "department": "sales",
        "cleared": "Yes",
    }

    filled = custom_fields.fill(db, SYSTEM, title.slug, typed)

    assert filled.custom == {
        "order_number": "A 12",
        "cost": 12.5,
        "recorded": "2026-02-01",
        "department": "Sales",
        "cleared": True,
    }
    assert filled.revision == title.revision + 1
    again = custom_fields.fill(db, SYSTEM, title.slug, typed)
    assert again.revision == filled.revision
    emptied = custom_fields.fill(db, SYSTEM, title.slug, {"cost": ""})
    assert "cost" not in emptied.custom


@pytest.mark.usefixtures("defined")
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cost", "twelve"),
        ("cost", "1e9"),
        ("cost", True),
        ("recorded", "1 February"),
        ("department", "Space"),
        ("cleared", "perhaps"),
        ("order_number", "x" * 2001),
        ("order_number", 12),
        ("nowhere", "x"),
    ],
)
def test_what_does_not_fit_is_refused_at_its_field(
    db: Database, make: Builders, key: str, value: object
) -> None:
    title = make.title()

    with pytest.raises(InvalidInput) as refused:
        custom_fields.fill(db, SYSTEM, title.slug, {key: value})

    assert refused.value.details["field"] == f"custom.{key}"
    assert titles.by_id(db, title.id).custom == {}


@pytest.mark.usefixtures("defined")
def test_a_field_goes_with_its_values(db: Database, make: Builders) -> None:
    title = make.title()
    custom_fields.fill(db, SYSTEM, title.slug, {"cost": 3, "cleared": "no"})
    assert custom_fields.by_key(db, "cost").used == 1

    custom_fields.remove(db, SYSTEM, "cost")

    assert titles.by_id(db, title.id).custom == {"cleared": False}
    assert "cost" not in [each.key for each in custom_fields.listing(db)]


@pytest.mark.usefixtures("defined")
def test_fields_are_named_once_and_changed_by_who_may(
    db: Database, make: Builders
) -> None:
    with pytest.raises(Conflict):
        custom_fields.define(db, SYSTEM, "Cost", "text")
    with pytest.raises(InvalidInput):
        custom_fields.define(db, SYSTEM, "Colour", "choice")
    with pytest.raises(InvalidInput):
        custom_fields.define(db, SYSTEM, "Colour", "rainbow")
    with pytest.raises(InvalidInput):
        custom_fields.define(db, SYSTEM, "x" * 61, "text")
    with pytest.raises(Forbidden):
        custom_fields.define(db, make.actor(Role.CONTRIBUTOR), "Colour", "text")

    changed = custom_fields.change(
        db, SYSTEM, "department", label="Unit", choices=["Lab"], position=0
    )

    assert (changed.label, changed.choices, changed.key) == (
        *("Unit", ("Lab",)),
        "department",
    )
    assert custom_fields.listing(db)[0].key == "department"
