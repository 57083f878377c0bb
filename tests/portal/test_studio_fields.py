"""Fields of the house in the Studio: defined, and in the form of a title."""

import pytest
from flask.testing import FlaskClient

from appliance.catalog import custom_fields, titles
from appliance.db import Database
from appliance.permissions import SYSTEM, Role
from tests.builders import Builders
from tests.conftest import SignIn


def test_a_field_is_defined_filled_in_and_removed(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", synopsis="Bees.")
    made = client.post(
        "/studio/fields",
        data={"label": "Department", "kind": "choice", "choices": "Sales\nLab"},
        follow_redirects=True,
    )
    assert "Department" in made.get_data(as_text=True)

    form = client.get(f"/studio/titles/{title.slug}").get_data(as_text=True)
    assert 'name="custom-department"' in form
    client.post(
        f"/studio/titles/{title.slug}",
        data={"name": "Orchard", "custom-department": "Lab"},
    )
    assert titles.by_id(db, title.id).custom == {"department": "Lab"}
    form = client.get(f"/studio/titles/{title.slug}").get_data(as_text=True)
    assert '<option value="Lab" selected>' in form

    page = client.get("/studio/fields/department/remove").get_data(as_text=True)
    assert "in 1 title goes with it" in page
    client.post("/studio/fields/department/remove")
    assert titles.by_id(db, title.id).custom == {}


def test_a_value_that_does_not_fit_is_told_at_its_field_and_nothing_is_stored(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard")
    custom_fields.define(db, SYSTEM, "Cost", "number")

    answer = client.post(
        f"/studio/titles/{title.slug}",
        data={"name": "Renamed", "custom-cost": "<b>much</b>"},
    )

    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert 'id="title-custom-cost-error"' in page
    assert 'value="&lt;b&gt;much&lt;/b&gt;"' in page
    assert titles.by_id(db, title.id).name == "Orchard"


@pytest.mark.parametrize(
    "typed",
    [
        {"label": "", "kind": "text"},
        {"label": "x" * 61, "kind": "text"},
        {"label": "<script>", "kind": "rainbow"},
        {"label": "Choice", "kind": "choice", "choices": ""},
        {"label": "Cost", "kind": "number"},
        {},
    ],
)
def test_a_field_that_cannot_be_is_refused_and_what_was_typed_is_kept(
    client: FlaskClient, sign_in: SignIn, db: Database, typed: dict[str, str]
) -> None:
    sign_in(client, Role.PUBLISHER)
    custom_fields.define(db, SYSTEM, "Cost", "number")

    answer = client.post("/studio/fields", data=typed)

    page = answer.get_data(as_text=True)
    assert answer.status_code in (400, 409)
    assert "aria-invalid" in page
    assert "<script>alert" not in page
    assert len(custom_fields.listing(db)) == 1


def test_a_field_is_renamed_and_moved(
    client: FlaskClient, sign_in: SignIn, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    custom_fields.define(db, SYSTEM, "Cost", "number")

    client.post("/studio/fields/cost", data={"label": "Price", "position": "7"})
    wrong = client.post("/studio/fields/cost", data={"label": " ", "position": "x"})

    (field,) = custom_fields.listing(db)
    assert (field.label, field.position) == ("Price", 7)
    assert wrong.status_code == 400
    assert client.get("/studio/fields/nowhere/remove").status_code == 404


def test_contributors_fill_in_but_do_not_define(
    client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(client, Role.CONTRIBUTOR)

    assert client.get("/studio/fields").status_code == 403
    assert client.post("/studio/fields", data={"label": "x"}).status_code == 403
