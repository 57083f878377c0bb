"""What stands around every page: brand, announcements, maintenance."""

import io
import json
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from appliance.db import Database
from appliance.operations import announcements, maintenance
from appliance.permissions import SYSTEM, Role
from tests.conftest import SignIn

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def admin(client: FlaskClient, sign_in: SignIn) -> FlaskClient:
    sign_in(client, Role.ADMINISTRATOR, "root")
    return client


@pytest.fixture
def anonymous(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def viewer(app: Flask, sign_in: SignIn) -> FlaskClient:
    client = app.test_client()
    sign_in(client, Role.VIEWER, "ada")
    return client


def shown(client: FlaskClient, path: str) -> str:
    return client.get(path).get_data(as_text=True)


def test_a_brand_reaches_every_page_also_before_signing_in(
    admin: FlaskClient, anonymous: FlaskClient
) -> None:
    saved = admin.post(
        "/studio/brand",
        data={
            "name": "Acme Academy",
            "colour": "#0b63b6",
            "welcome": f"Learn something. {HOSTILE}",
            "imprint": "# Who we are\n\nAcme Ltd\nhttps://acme.example",
            "revision": "0",
        },
    )

    assert saved.status_code == 302
    door = shown(anonymous, "/login")
    assert "Acme Academy</title>" in door
    assert "Learn something." in door
    assert HOSTILE not in door
    style = anonymous.get("/brand.css?v=1")
    assert "--accent-solid: #0b63b6" in style.get_data(as_text=True)
    assert style.mimetype == "text/css"
    imprint = shown(anonymous, "/imprint")
    assert "<h2>Who we are</h2>" in imprint
    assert 'href="https://acme.example"' in imprint
    assert 'href="/imprint"' in door
    assert anonymous.get("/privacy").status_code == 404


def test_a_refused_brand_keeps_what_was_typed(admin: FlaskClient) -> None:
    refused = admin.post(
        "/studio/brand",
        data={"name": "Sunny", "colour": "#ffcc00", "imprint": "Acme", "revision": "0"},
    )
    page = refused.get_data(as_text=True)

    assert refused.status_code == 400
    assert "White text can" in page
    assert 'value="Sunny"' in page
    assert "Acme</textarea>" in page


def test_two_editors_of_the_brand_lose_nothing(admin: FlaskClient) -> None:
    admin.post("/studio/brand", data={"name": "First", "revision": "0"})

    refused = admin.post("/studio/brand", data={"name": "Second", "revision": "0"})

    assert refused.status_code == 409
    assert 'value="Second"' in refused.get_data(as_text=True)


def test_a_logo_stands_in_place_of_the_name(
    admin: FlaskClient, anonymous: FlaskClient
) -> None:
    picture = io.BytesIO()
    Image.new("RGBA", (300, 80), (10, 120, 200, 255)).save(picture, "PNG")
    picture.seek(0)

    admin.post("/studio/brand/logo", data={"image": (picture, "logo.png")})

    door = shown(anonymous, "/login")
    address = door.split('class="logo" src="')[1].split('"')[0]
    with anonymous.get(address) as sent:
        assert sent.mimetype == "image/png"
        with Image.open(io.BytesIO(sent.data)) as kept:
            assert kept.size == (300, 80)
    assert 'alt="Matinee"' in door


def test_an_announcement_is_shown_until_it_is_put_away(
    admin: FlaskClient, db: Database
) -> None:
    admin.post(
        "/studio/announcements",
        data={
            "text": f"Closed on Friday {HOSTILE}",
            "level": "warning",
            "dismissible": 1,
        },
    )
    told = announcements.shown(db)[0]

    page = shown(admin, "/account")
    admin.set_cookie("matinee_dismissed", f"0.{told.id}")

    assert "Closed on Friday" in page
    assert HOSTILE not in page
    assert "Closed on Friday" not in shown(admin, "/account")


def test_the_home_page_tells_of_an_announcement_at_once(
    admin: FlaskClient, db: Database
) -> None:
    shown(admin, "/")

    told = announcements.add(db, SYSTEM, "New films every Friday")
    page = shown(admin, "/")
    announcements.remove(db, SYSTEM, told.id)

    assert "New films every Friday" in page
    assert "New films every Friday" not in shown(admin, "/")


def test_what_has_not_begun_or_is_over_is_not_announced(db: Database) -> None:
    announcements.add(db, SYSTEM, "Past", starts_at="2000-01-01", ends_at="2001-01-01")
    announcements.add(db, SYSTEM, "To come", starts_at="2999-01-01")

    assert announcements.shown(db) == []
    assert len(announcements.listing(db, SYSTEM)) == 2


@pytest.mark.parametrize(
    "form",
    [
        {"text": "", "level": "info"},
        {"text": "x" * 301, "level": "info"},
        {"text": "Hello", "level": "alarm"},
        {"text": "Hello", "level": "info", "starts_at": "soon"},
        {
            "text": "Hello",
            "level": "info",
            "starts_at": "2030-01-02",
            "ends_at": "2030-01-01",
        },
    ],
)
def test_what_cannot_be_announced_is_refused_and_kept(
    admin: FlaskClient, db: Database, form: dict[str, str]
) -> None:
    refused = admin.post("/studio/announcements", data=form)

    assert refused.status_code == 400
    assert form["text"] in refused.get_data(as_text=True)
    assert announcements.listing(db, SYSTEM) == []


def test_a_closed_portal_says_when_it_opens_and_lets_the_studio_in(
    admin: FlaskClient, viewer: FlaskClient, db: Database
) -> None:
    closed = admin.post(
        "/studio/maintenance",
        data={"message": "New disks.", "opens_at": "2999-01-01 08:00"},
    )

    refused = viewer.get("/")
    assert closed.status_code == 302
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    page = refused.get_data(as_text=True)
    assert "New disks." in page
    assert "2999" in page
    assert admin.get("/").status_code == 200
    assert viewer.get("/login").status_code in (200, 302)

    admin.post("/studio/maintenance/end")

    assert viewer.get("/").status_code == 200
    assert not maintenance.read(db).planned


def test_maintenance_begins_and_ends_by_itself(db: Database) -> None:
    planned = maintenance.close(
        db, SYSTEM, starts_at="2030-01-01 22:00", ends_at="2030-01-01 23:00"
    )

    assert [
        planned.closed(f"2030-01-01T{hour}:30:00.000000Z")
        for hour in ("21", "22", "23")
    ] == [False, True, False]


def test_the_api_and_the_command_say_the_same(admin: FlaskClient, matinee: Any) -> None:
    admin.patch("/api/v1/brand", json={"name": "Acme", "colour": "#0b63b6"})
    told: Result = matinee("brand", "show", "--json")

    assert json.loads(told.stdout)["name"] == "Acme"
    assert admin.get("/api/v1/brand").json == json.loads(told.stdout)
    made = admin.post("/api/v1/announcements", json={"text": "Hello"})
    assert made.status_code == 201
    listed = json.loads(matinee("announce", "list", "--json").stdout)
    assert [each["id"] for each in listed] == [made.json["id"]]  # type: ignore[index]
    assert admin.put("/api/v1/maintenance", json={}).json["closed"]  # type: ignore[index]
    assert "closed" in matinee("maintenance", "status").stdout
    assert matinee("maintenance", "off").exit_code == 0
    assert admin.get("/api/v1/maintenance").json["closed"] is False  # type: ignore[index]
