"""“Who’s watching?”, profiles, history and preferences: the pages and the API."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.accounts import pins, profiles, sessions, tastes
from appliance.accounts.profiles import Profile
from appliance.db import Database
from appliance.permissions import SYSTEM, Actor, Role
from appliance.settings import Settings
from tests.builders import PASSWORD, Builders
from web import guard
from web.profiles.words import CHOICES, PARTS

SignIn = Callable[..., Actor]
Add = Callable[..., Profile]


@pytest.fixture
def ada(client: FlaskClient, db: Database, settings: Settings, make: Builders) -> Actor:
    """Ada, who is signed in on ``client`` and has a password."""
    account = make.account("ada")
    token, signed_in = sessions.start(
        db, settings, account.id, address="192.0.2.1", user_agent="test"
    )
    client.set_cookie(guard.COOKIE, token)
    return signed_in.actor("127.0.0.1")


@pytest.fixture
def add(db: Database, settings: Settings, ada: Actor) -> Add:
    def add(name: str, **fields: object) -> Profile:
        assert ada.account_id is not None
        return profiles.add(db, settings, SYSTEM, ada.account_id, name, **fields)  # type: ignore[arg-type]

    return add


def _sign_in(client: FlaskClient, next_page: str = "") -> str:
    client.delete_cookie(guard.COOKIE)
    answer = client.post(
        "/login", data={"username": "ada", "password": PASSWORD, "next": next_page}
    )
    return str(answer.location)


def test_with_one_profile_nobody_is_asked(client: FlaskClient, ada: Actor) -> None:
    assert _sign_in(client) == "/"
    assert client.get("/").status_code == 200


def test_with_several_who_watches_is_asked_and_the_way_is_kept(
    client: FlaskClient, make: Builders, add: Add
) -> None:
    title, other = make.title(), add("Bo")
    there = f"/title/{title.slug}"
    assert _sign_in(client, there) == there

    asked = client.get(there)
    assert asked.status_code == 303
    page = client.get(asked.location)
    assert "Who’s watching?" in page.text
    assert f'value="{there}"' in page.text

    token = re.search('name="csrf_token" value="([^"]+)"', page.text)
    assert token
    form = {"next": there, "csrf_token": token[1]}
    chosen = client.post(
        f"/profiles/{other.public_id}/open", data=form, headers={"X-CSRFToken": ""}
    )
    assert (chosen.status_code, chosen.location) == (303, there)
    assert client.get(there).status_code == 200


def test_until_somebody_has_chosen_nothing_else_opens(
    app: Flask, client: FlaskClient, make: Builders, add: Add
) -> None:
    title = make.title()
    make.asset(title)
    add("Bo")
    _sign_in(client)

    for path in ("/", "/search?q=x", "/account", "/preferences", "/history"):
        assert client.get(path).location.startswith("/profiles?next=")
    for path in ("/api/v1/titles", f"/api/v1/titles/{title.slug}"):
        answer = client.get(path)
        assert (answer.status_code, answer.get_json()["code"]) == (
            403,
            "profile.choose",
        )
    opened = client.post("/api/v1/playback", json={"title": title.slug})
    assert opened.status_code == 403
    listed = client.get("/api/v1/profiles").get_json()
    assert listed["current"] is None
    assert [each["name"] for each in listed["profiles"]] == ["ada", "Bo"]


def test_choosing_leads_nowhere_but_inside(client: FlaskClient, add: Add) -> None:
    other = add("Bo")

    for evil in ("//example.org", "https://example.org", "/profiles", "/\\x", "x"):
        answer = client.post(f"/profiles/{other.public_id}/open", data={"next": evil})
        assert answer.location == "/"


def test_a_pin_is_asked_for_and_a_wrong_one_refused_at_its_field(
    client: FlaskClient, db: Database, settings: Settings, ada: Actor, add: Add
) -> None:
    other = add("Bo")
    pins.set_of_profile(db, settings, ada, other.public_id, "1234", PASSWORD)
    address = f"/profiles/{other.public_id}/open"

    assert f'href="{address}' in client.get("/profiles").text
    page = client.get(address)
    assert 'name="pin"' in page.text
    assert 'aria-invalid="true"' not in page.text

    wrong = client.post(address, data={"pin": "9999"})
    assert wrong.status_code == 400
    assert "That is not the PIN." in wrong.text
    assert "9999" not in wrong.text
    for _ in range(4):
        client.post(address, data={"pin": "9999"})
    waits = client.post(address, data={"pin": "1234"})
    assert waits.status_code == 429
    assert "wait 60 seconds" in waits.text


def test_a_profile_is_added_changed_and_removed(
    client: FlaskClient, db: Database, ada: Actor
) -> None:
    added = client.post(
        "/profiles/new",
        data={"name": "<i>Bo</i>", "avatar": "fox", "language": "de", "kids": "1",
              "rating_limit": "6"},
    )  # fmt: skip
    assert added.location == "/profiles"
    page = client.get("/profiles").text
    assert "&lt;i&gt;Bo" in page
    assert "<i>Bo" not in page
    made = profiles.named(db, "ada", "<i>Bo</i>")
    assert (made.kids, made.rating_limit, made.avatar) == (True, 6, "fox")

    form = client.get(f"/profiles/{made.public_id}").text
    assert re.search(r'value="fox" checked', form)
    client.post(
        f"/profiles/{made.public_id}",
        data={"name": "Bo", "avatar": "owl", "language": "de", "rating_limit": ""},
    )
    changed = profiles.by_public_id(db, made.public_id)
    assert (changed.name, changed.kids, changed.rating_limit) == ("Bo", False, None)

    assert client.get(f"/profiles/{made.public_id}/remove").status_code == 200
    client.post(f"/profiles/{made.public_id}/remove")
    assert len(profiles.of_user(db, "ada")) == 1
    # A page that was open meanwhile.
    assert client.get(f"/profiles/{made.public_id}").status_code == 404
    stale = client.post(f"/profiles/{made.public_id}/open")
    assert stale.location == "/profiles"
    assert "has been removed" in client.get("/profiles").text


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": ""}, "1 to 80 characters"),
        ({"name": "x" * 5000}, "1 to 80 characters"),
        ({"name": "Bo", "avatar": "../x"}, "Choose one of the pictures"),
        ({"name": "Bo", "rating_limit": "99"}, "from 0 to 21"),
        ({"name": "Bo", "rating_limit": "٩٩"}, "from 0 to 21"),
        ({"name": "Bo", "rating_limit": "1; drop table profiles"}, "from 0 to 21"),
        ({"name": "Bo", "kids": "1"}, "needs an age limit"),
        ({"name": "ADA"}, "There is a profile"),
        ({"name": "Bo", "language": "<script>"}, "The language is a code"),
    ],
)
def test_a_form_that_is_refused_keeps_what_was_typed(
    client: FlaskClient, db: Database, ada: Actor, fields: dict[str, str], says: str
) -> None:
    answer = client.post("/profiles/new", data=fields)

    assert answer.status_code in (400, 409)
    assert says in answer.text
    assert 'aria-invalid="true"' in answer.text or "avatar-error" in answer.text
    if 0 < len(fields["name"]) < 100:
        assert f'value="{fields["name"]}"' in answer.text
    assert len(profiles.of_user(db, "ada")) == 1


def test_a_double_submit_adds_one_profile(
    app: Flask, client: FlaskClient, db: Database, ada: Actor
) -> None:
    cookie = client.get_cookie(guard.COOKIE)
    assert cookie is not None
    token = client.environ_base["HTTP_X_CSRFTOKEN"]
    with client.session_transaction() as session:
        kept = dict(session)

    def submit(_number: int) -> int:
        own = app.test_client()
        own.set_cookie(guard.COOKIE, cookie.value)
        with own.session_transaction() as session:
            session.update(kept)
        own.environ_base["HTTP_X_CSRFTOKEN"] = token
        return own.post("/profiles/new", data={"name": "Bo"}).status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(submit, range(2))) == [303, 409]
    assert len(profiles.of_user(db, "ada")) == 2


def test_an_account_that_has_as_many_as_it_may_is_offered_no_more(
    client: FlaskClient, add: Add
) -> None:
    for name in ("Bo", "Cy", "Di", "Ed"):
        add(name)

    assert "Add profile" not in client.get("/profiles").text
    refused = client.post("/profiles/new", data={"name": "Flo"})
    assert refused.status_code == 409
    assert "5 profiles at most" in refused.text


def test_nothing_is_taken_from_another_site(
    client: FlaskClient, db: Database, add: Add
) -> None:
    other = add("Bo")
    client.environ_base["HTTP_X_CSRFTOKEN"] = "made-up"

    for path in (
        f"/profiles/{other.public_id}/open",
        "/profiles/new",
        f"/profiles/{other.public_id}/remove",
        "/history/clear",
        "/preferences",
        "/account/pin",
    ):
        assert client.post(path, data={"name": "Evil"}).status_code == 403
    put = client.put("/api/v1/profile", json={"profile": other.public_id})
    assert put.status_code == 403
    assert len(profiles.of_user(db, "ada")) == 2


def test_the_pin_of_a_profile_is_set_on_its_page(
    client: FlaskClient, db: Database, add: Add
) -> None:
    other = add("Bo")
    address = f"/profiles/{other.public_id}/pin"

    bad = client.post(address, data={"new_pin": "12", "password": PASSWORD})
    assert bad.status_code == 400
    assert "4 to 8 digits." in bad.text
    wrong = client.post(address, data={"new_pin": "1234", "password": "wrong"})
    assert "not your password" in wrong.text
    client.post(address, data={"new_pin": "1234", "password": PASSWORD})
    assert profiles.by_public_id(db, other.public_id).locked
    client.post(address, data={"clear": "1", "password": PASSWORD})
    assert not profiles.by_public_id(db, other.public_id).locked


def test_the_pin_of_the_account_is_set_on_its_page(
    client: FlaskClient, db: Database, ada: Actor
) -> None:
    assert ada.account_id is not None
    bad = client.post("/account/pin", data={"new_pin": "x", "password": PASSWORD})
    assert bad.status_code == 400
    wrong = client.post("/account/pin", data={"new_pin": "1234", "password": "no"})
    assert "not your password" in wrong.text
    client.post("/account/pin", data={"new_pin": "1234", "password": PASSWORD})
    assert pins.guards(db, ada.account_id)

    asked = client.post("/profiles/new", data={"name": "Bo"})
    assert "Type the PIN." in asked.text
    added = client.post("/profiles/new", data={"name": "Bo", "pin": "1234"})
    assert added.status_code == 303


def test_the_studio_shows_profiles_and_takes_pins_away(
    app: Flask, client: FlaskClient, db: Database, settings: Settings,
    sign_in: SignIn, make: Builders,
) -> None:  # fmt: skip
    account = make.account("bea")
    bo = profiles.add(db, settings, SYSTEM, account.id, "Bo", kids=True, rating_limit=6)
    _token, signed_in = sessions.start(
        db, settings, account.id, address="", user_agent="", kind="api"
    )
    own = signed_in.actor("127.0.0.1")
    pins.set_of_profile(db, settings, own, bo.public_id, "1234", PASSWORD)
    sign_in(client, Role.ADMINISTRATOR, "root")

    page = client.get("/studio/accounts/bea").text
    assert "Bo" in page
    assert "Up to age 6" in page
    client.post("/studio/accounts/bea/pins")
    assert not profiles.by_public_id(db, bo.public_id).locked
    cleared = client.delete("/api/v1/accounts/bea/pins")
    assert cleared.get_json() == {"cleared": 0}


def test_the_history_is_listed_and_deleted(
    client: FlaskClient, db: Database, make: Builders, ada: Actor
) -> None:
    for slug, name in (("first", "<b>First</b>"), ("second", "Second")):
        film = make.asset(make.title(name, slug=slug))
        client.put(
            f"/api/v1/titles/{_slug(db, film.title_id)}/progress", json={"position": 5}
        )
    page = client.get("/history").text
    assert "&lt;b&gt;First" in page
    assert "50 % watched" in page

    slug = _slug(db, film.title_id)
    client.post(f"/history/{slug}/remove")
    assert "Second" not in client.get("/history").text.partition("</main>")[0].replace(
        "Taken out", ""
    )
    assert client.post(f"/history/{slug}/remove").status_code == 303
    assert client.get("/history/clear").status_code == 200
    client.post("/history/clear")
    assert "Nothing watched yet" in client.get("/history").text
    assert client.get("/history?page=-5").status_code == 200
    assert client.get("/history?page=99999999999999").status_code == 200


def _slug(db: Database, title_id: int) -> str:
    return str(db.value("select slug from titles where id = ?", (title_id,)))


def test_preferences_are_kept_by_the_page_as_by_the_player(
    client: FlaskClient, ada: Actor
) -> None:
    saved = client.post(
        "/preferences",
        data={
            "previews": "1",
            "speed": "1.25",
            "audio": "de",
            "captions": "off",
            "caption_colour": "yellow",
        },
    )

    assert saved.status_code == 303
    kept = client.get("/api/v1/profile/preferences").get_json()
    assert kept == {
        "autoplay_next": False,
        "previews": True,
        "audio": "de",
        "captions": "off",
        "caption_style": {"colour": "yellow"},
        "speed": 1.25,
        "data_saver": False,
        "keys": False,
    }
    page = client.get("/preferences").text
    assert 'data-colour="yellow"' in page
    for wrong in ({"speed": "9"}, {"audio": "<x>"}, {"caption_size": "x"}):
        refused = client.post("/preferences", data=wrong)
        assert refused.status_code == 400
    assert client.get("/api/v1/profile/preferences").get_json() == kept


def test_every_choice_of_captions_has_a_name() -> None:
    assert {part: set(CHOICES[part]) for part in PARTS} == {
        part: set(offered) for part, offered in tastes.CAPTION_STYLES.items()
    }


def test_the_api_manages_profiles(client: FlaskClient, ada: Actor) -> None:
    made = client.post(
        "/api/v1/profiles", json={"name": "Bo", "kids": True, "rating_limit": 6}
    )
    assert made.status_code == 201
    address = f"/api/v1/profiles/{made.get_json()['id']}"
    changed = client.patch(address, json={"rating_limit": 12, "avatar": "cat"})
    assert changed.get_json()["rating_limit"] == 12
    nonsense: tuple[object, ...] = (
        *({"rating_limit": "6"}, {"kids": None}, {"name": ""}, {"x": 1}, []),
    )
    for wrong in nonsense:
        assert client.patch(address, json=wrong).status_code == 400
    pin = {"pin": "1234", "password": PASSWORD}
    assert client.put(f"{address}/pin", json=pin).status_code == 204
    assert client.put("/api/v1/account/pin", json=pin).status_code == 204

    wanted = {"profile": made.get_json()["id"]}
    assert client.put("/api/v1/profile", json=wanted).status_code == 400
    refused = client.delete(address)
    assert (refused.status_code, refused.get_json()["code"]) == (400, "pin.needed")
    gone = client.delete(address, headers={"X-Matinee-PIN": "1234"})
    assert gone.status_code == 204
    assert len(client.get("/api/v1/profiles").get_json()["profiles"]) == 1
    assert client.get("/api/v1/profile/history").get_json() == {"history": []}
    assert client.delete("/api/v1/profile/history").status_code == 204
    assert client.delete("/api/v1/profile/history/x").status_code == 404


def test_a_program_watches_as_the_profile_it_names(
    client: FlaskClient, make: Builders, add: Add
) -> None:
    make.title("Mole", rating="FSK 0")
    make.title("Deed", rating="FSK 18")
    add("Bo", rating_limit=6)
    given = {"username": "ada", "password": PASSWORD, "profile": "Bo"}
    token = client.post("/api/v1/auth/token", json=given).get_json()["token"]

    client.delete_cookie(guard.COOKIE)
    bearer = {"Authorization": f"Bearer {token}"}
    seen = client.get("/api/v1/titles", headers=bearer).get_json()["titles"]
    assert [each["name"] for each in seen] == ["Mole"]
    given["profile"] = "Nobody"
    assert client.post("/api/v1/auth/token", json=given).status_code == 404


def test_after_signing_out_an_open_page_does_nothing(
    client: FlaskClient, db: Database, add: Add
) -> None:
    other = add("Bo")
    client.post("/logout")

    answer = client.post(f"/profiles/{other.public_id}/open")

    assert answer.location.startswith("/login")
    assert client.post("/profiles/new", data={"name": "Cy"}).status_code in (302, 403)
    assert len(profiles.of_user(db, "ada")) == 2
