"""Signing in and out through the pages."""

import re

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance import events
from appliance.accounts import people, sessions, totp
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.permissions import SYSTEM, Actor
from appliance.settings import Settings, Web
from tests.builders import PASSWORD, Builders
from web import create_app, guard


def _sign_in(
    client: FlaskClient, username: str = "ada", password: str = PASSWORD, **more: str
) -> TestResponse:
    form = {"username": username, "password": password, **more}
    return client.post("/login", data=form)


def _token(client: FlaskClient) -> str:
    cookie = client.get_cookie(guard.COOKIE)
    return cookie.value if cookie else ""


def _with_totp(
    db: Database, settings: Settings, clock: FixedClock, make: Builders
) -> str:
    """Make ada, who has a second factor; return its secret."""
    actor = Actor("ada", make.account("ada").id)
    secret = totp.begin(db, settings, actor).secret.replace(" ", "")
    totp.confirm(db, settings, actor, pyotp.TOTP(secret).at(clock.now()))
    clock.advance(seconds=30)
    return secret


def test_whoever_is_not_signed_in_is_sent_to_sign_in_and_back(
    client: FlaskClient, make: Builders
) -> None:
    make.account("ada")
    sent = client.get("/account")
    page = client.get(sent.location)

    assert sent.location == "/login?next=%2Faccount"
    assert 'name="next" value="/account"' in page.text
    assert _sign_in(client, next="/account").location == "/account"
    assert client.get("/account").status_code == 200


def test_a_wrong_password_is_told_beside_the_field_and_the_name_is_kept(
    client: FlaskClient, make: Builders
) -> None:
    make.account("ada")

    answer = _sign_in(client, password="a guess")

    assert answer.status_code == 401
    assert "That user name and password don’t match." in answer.text
    assert 'value="ada"' in answer.text
    assert "a guess" not in answer.text
    (focused,) = re.findall(r"<input[^>]*autofocus[^>]*>", answer.text)
    assert 'name="password"' in focused
    assert not _token(client)


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    client: FlaskClient, make: Builders
) -> None:
    make.account("ada")

    cookies = _sign_in(client).headers.getlist("Set-Cookie")

    (cookie,) = [each for each in cookies if each.startswith(f"{guard.COOKIE}=")]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


def test_behind_tls_every_cookie_is_sent_over_tls_only(
    settings: Settings, clock: FixedClock, make: Builders
) -> None:
    make.account("ada")
    secure = Settings(home=settings.home, web=Web(secure_cookies=True))
    client = create_app(secure, clock).test_client()
    page = client.get("/login", base_url="https://localhost")
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found

    answer = client.post(
        "/login",
        data={"username": "ada", "password": PASSWORD, "csrf_token": found[1]},
        base_url="https://localhost",
        headers={"Referer": "https://localhost/login"},
    )

    assert answer.status_code == 302
    assert all("Secure" in each for each in answer.headers.getlist("Set-Cookie"))


@pytest.mark.parametrize(
    "wish",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/a\\b",
        "",
        "/logout",
        "/login?next=/login",
    ],
)
def test_signing_in_leads_nowhere_else(
    client: FlaskClient, make: Builders, wish: str
) -> None:
    make.account("ada")

    assert _sign_in(client, next=wish).location == "/"
    assert client.get("/login", query_string={"next": wish}).location == "/"


def test_a_form_from_elsewhere_is_refused(app: Flask, make: Builders) -> None:
    make.account("ada")
    client, other = app.test_client(), app.test_client()
    page = other.get("/login").text
    foreign = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert foreign

    without = _sign_in(client)
    with_anothers = _sign_in(client, csrf_token=foreign[1])

    for answer in (without, with_anothers):
        assert answer.status_code == 403
        assert "reload it and try again" in answer.text
    assert not _token(client)


def test_the_page_itself_signs_in(app: Flask, make: Builders) -> None:
    make.account("ada")
    client = app.test_client()
    page = client.get("/login").text
    own = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert own

    assert _sign_in(client, csrf_token=own[1]).location == "/"


def test_the_password_of_a_proxy_in_front_is_not_taken_for_a_token(
    app: Flask, client: FlaskClient, make: Builders
) -> None:
    make.account("ada")
    _sign_in(client)
    proxied = {"Authorization": "Basic YWRhOnNlY3JldA=="}

    assert client.get("/account", headers=proxied).status_code == 200
    forged = app.test_client().post("/login", data={}, headers=proxied)
    assert forged.status_code == 403


def test_signing_in_ends_a_session_that_was_planted_in_the_browser(
    client: FlaskClient, db: Database, settings: Settings, make: Builders
) -> None:
    make.account("ada")
    mallory = make.account("mallory")
    planted, _ = sessions.start(db, settings, mallory.id, address="", user_agent="")
    client.set_cookie(guard.COOKIE, planted)

    _sign_in(client)

    assert _token(client) not in ("", planted)
    assert sessions.resolve(db, settings, planted) is None


def test_a_form_token_from_before_signing_in_does_not_work_after(
    app: Flask, make: Builders
) -> None:
    make.account("ada")
    client = app.test_client()
    page = client.get("/login").text
    before = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert before
    _sign_in(client, csrf_token=before[1])

    answer = client.post(
        "/account", data={"display_name": "Eve", "csrf_token": before[1]}
    )

    assert answer.status_code == 403


def test_signing_out_ends_the_session_on_the_server(
    client: FlaskClient, db: Database, settings: Settings, make: Builders
) -> None:
    make.account("ada")
    _sign_in(client)
    token = _token(client)
    with client.session_transaction() as session:
        session["csrf_token"] = "of-this-test"

    assert client.post("/logout").location == "/login"

    assert sessions.resolve(db, settings, token) is None
    assert not _token(client)
    assert "You are signed out." in client.get("/login").text
    assert "session:revoke" in [each.name for each in events.since(db)]


def test_signing_out_without_a_session_is_no_error(client: FlaskClient) -> None:
    assert client.post("/logout").location == "/login"
    assert client.get("/logout").status_code == 405


def test_too_many_wrong_passwords_say_how_long_to_wait(
    client: FlaskClient, settings: Settings, make: Builders
) -> None:
    make.account("ada")
    for _ in range(settings.accounts.throttle_after):
        _sign_in(client, password="a guess")

    answer = _sign_in(client)

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "1"
    assert "Too many wrong tries: wait 1 second and try again." in answer.text


def test_a_browser_that_signed_in_before_gets_in_whoever_hammers_its_name(
    app: Flask, client: FlaskClient, make: Builders
) -> None:
    make.account("ada")
    _sign_in(client)
    client.delete_cookie(guard.COOKIE)
    with client.session_transaction() as session:
        session["csrf_token"] = "of-this-test"
    stranger = app.test_client()
    stranger.environ_base.update(client.environ_base)
    for host in range(1, 120):
        with stranger.session_transaction() as session:
            session["csrf_token"] = "of-this-test"
        stranger.environ_base["REMOTE_ADDR"] = f"198.51.100.{host}"
        last = _sign_in(stranger, password="a guess")

    assert last.status_code == 429
    assert _sign_in(client).status_code == 302


def test_the_second_factor_is_a_second_screen(
    client: FlaskClient,
    db: Database,
    settings: Settings,
    clock: FixedClock,
    make: Builders,
) -> None:
    secret = _with_totp(db, settings, clock, make)

    assert _sign_in(client, next="/account").location == "/login/code"
    assert not _token(client)
    assert 'autocomplete="one-time-code"' in client.get("/login/code").text

    wrong = client.post("/login/code", data={"code": "000000"})
    assert wrong.status_code == 401
    assert "That code does not fit" in wrong.text

    code = pyotp.TOTP(secret).at(clock.now())
    assert client.post("/login/code", data={"code": code}).location == "/account"
    assert client.get("/account").status_code == 200


def test_the_password_does_not_wait_in_the_cookie(
    client: FlaskClient,
    db: Database,
    settings: Settings,
    clock: FixedClock,
    make: Builders,
) -> None:
    _with_totp(db, settings, clock, make)
    _sign_in(client)

    with client.session_transaction() as session:
        assert PASSWORD not in str(dict(session))


def test_a_code_that_was_used_on_this_screen_is_refused_the_second_time(
    app: Flask,
    client: FlaskClient,
    db: Database,
    settings: Settings,
    clock: FixedClock,
    make: Builders,
) -> None:
    secret = _with_totp(db, settings, clock, make)
    code = pyotp.TOTP(secret).at(clock.now())
    _sign_in(client)
    client.post("/login/code", data={"code": code})

    other = app.test_client()
    other.environ_base.update(client.environ_base)
    with other.session_transaction() as session:
        session["csrf_token"] = "of-this-test"
    _sign_in(other)

    assert other.post("/login/code", data={"code": code}).status_code == 401


def test_a_recovery_code_gets_in_and_tells_how_many_are_left(
    client: FlaskClient,
    db: Database,
    settings: Settings,
    clock: FixedClock,
    make: Builders,
) -> None:
    _with_totp(db, settings, clock, make)
    actor = Actor("ada", people.find(db, "ada").id)
    codes = totp.renew_codes(db, settings, actor, PASSWORD)
    _sign_in(client, next="/account")

    client.post("/login/code", data={"code": codes[0], "recovery": "1"})

    assert "9 are left" in client.get("/account").text


@pytest.mark.parametrize("what", ["time", "password", "disabled", "factor"])
def test_the_second_screen_does_not_outlive_what_it_rests_on(
    client: FlaskClient,
    db: Database,
    settings: Settings,
    clock: FixedClock,
    make: Builders,
    what: str,
) -> None:
    secret = _with_totp(db, settings, clock, make)
    _sign_in(client)
    clock.advance(seconds=30)
    if what == "time":
        clock.advance(minutes=5)
    if what == "password":
        people.reset_password(db, settings, SYSTEM, "ada", "another fine phrase")
    if what == "disabled":
        people.disable(db, SYSTEM, "ada")
    if what == "factor":
        totp.reset(db, SYSTEM, people.find(db, "ada").id)

    code = pyotp.TOTP(secret).at(clock.now())
    answer = client.post("/login/code", data={"code": code})

    assert answer.location.startswith("/login?")
    assert not _token(client)


def test_the_second_screen_without_the_first_leads_to_the_first(
    client: FlaskClient,
) -> None:
    assert client.get("/login/code").location.startswith("/login?")
    assert client.post("/login/code", data={"code": "1"}).location == "/login?next=%2F"
