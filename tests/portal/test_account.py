"""One's own account, and the first administrator's, through the pages."""

import re
from dataclasses import replace

import pyotp
import pytest
from flask.testing import FlaskClient

from appliance.accounts import people, sessions, setup, totp
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.permissions import SYSTEM, Actor, Role
from appliance.playback import heartbeats, streams
from appliance.playback import sessions as playback
from appliance.playback.heartbeats import Beat
from appliance.playback.sessions import StopReason
from appliance.settings import Settings
from tests.builders import PASSWORD, Builders
from web import guard
from web.auth.shown import sessions_shown

_CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/156.0.0.0 Safari/537.36"
)


@pytest.fixture
def ada(client: FlaskClient, db: Database, settings: Settings, make: Builders) -> Actor:
    """Ada, who is signed in on ``client`` and has a password."""
    account = make.account("ada")
    token, signed_in = sessions.start(
        db, settings, account.id, address="192.0.2.1", user_agent=_CHROME
    )
    client.set_cookie(guard.COOKIE, token)
    return signed_in.actor("127.0.0.1")


def _elsewhere(db: Database, settings: Settings, actor: Actor) -> str:
    assert actor.account_id is not None
    token, _ = sessions.start(
        db, settings, actor.account_id, address="198.51.100.4", user_agent="curl/8.0"
    )
    return token


@pytest.mark.parametrize("path", ["/account", "/account/totp"])
def test_the_account_pages_are_for_who_is_signed_in(
    client: FlaskClient, path: str
) -> None:
    assert client.get(path).location.startswith("/login?next=")


@pytest.mark.parametrize(
    "path",
    [
        "/account",
        "/account/password",
        "/account/totp/begin",
        "/account/sessions/revoke",
    ],
)
def test_nothing_is_changed_for_who_is_not_signed_in(
    client: FlaskClient, path: str
) -> None:
    assert client.post(path).location.startswith("/login?next=")


def test_the_name_is_changed(client: FlaskClient, db: Database, ada: Actor) -> None:
    client.post("/account", data={"display_name": "Ada Lovelace"})

    page = client.get("/account").text
    assert "Your name is saved." in page
    assert 'value="Ada Lovelace"' in page
    assert client.post("/account", data={"display_name": " "}).status_code == 400


def test_a_name_is_shown_as_text(client: FlaskClient, ada: Actor) -> None:
    client.post("/account", data={"display_name": "<script>alert(1)</script>"})

    assert "<script>alert" not in client.get("/account").text


def test_the_password_is_changed_and_other_devices_are_signed_out(
    client: FlaskClient, db: Database, settings: Settings, ada: Actor
) -> None:
    there = _elsewhere(db, settings, ada)

    answer = client.post(
        "/account/password", data={"old": PASSWORD, "new": "another fine phrase"}
    )

    assert answer.location == "/account"
    assert client.get("/account").status_code == 200
    assert sessions.resolve(db, settings, there) is None


@pytest.mark.parametrize(
    ("old", "new", "status", "sentence"),
    [
        ("a guess", "another fine phrase", 400, "That is not your password."),
        (PASSWORD, "short", 400, "A password has 10 characters or more."),
        (PASSWORD, "password123", 400, "among the first"),
    ],
)
def test_a_password_that_can_not_be_changed_says_why(
    client: FlaskClient, ada: Actor, old: str, new: str, status: int, sentence: str
) -> None:
    answer = client.post("/account/password", data={"old": old, "new": new})

    assert answer.status_code == status
    assert sentence in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_sessions_are_listed_as_devices_and_one_is_signed_out(
    client: FlaskClient, db: Database, settings: Settings, ada: Actor
) -> None:
    there = _elsewhere(db, settings, ada)

    page = client.get("/account").text
    assert "Chrome on Windows" in page
    assert "198.51.100.4" in page
    (action,) = re.findall(r'action="(/account/sessions/\w+/revoke)"', page)
    client.post(action)

    assert sessions.resolve(db, settings, there) is None
    assert "198.51.100.4" not in client.get("/account").text


def test_a_device_shows_what_plays_there_and_signing_it_out_stops_it(
    client: FlaskClient, db: Database, settings: Settings, ada: Actor, make: Builders
) -> None:
    there = sessions.resolve(db, settings, _elsewhere(db, settings, ada))
    assert there is not None
    tv = there.actor("198.51.100.4")
    title = make.title("Solaris <1972>", slug="solaris")
    make.asset(title)
    opened = playback.open(db, settings, tv, title=title.slug)
    beat = Beat(1, 3.0, quality={"height": 720.0})
    heartbeats.heartbeat(db, settings, tv, opened.session, beat)

    page = client.get("/account").text
    assert page.count("Watching:") == 1
    assert f'<a href="/title/{title.slug}">Solaris &lt;1972&gt;</a>' in page
    assert "720p" in page
    answer = client.post(f"/account/sessions/{tv.session}/revoke")

    assert answer.location == "/account#devices"
    assert "Watching:" not in client.get("/account").text
    beat = replace(beat, seq=2)
    cut = heartbeats.heartbeat(db, settings, tv, opened.session, beat)
    assert (cut.stop_reason, cut.media_token) == (StopReason.SIGNED_OUT, None)
    assert streams.of_account(db, there.account_id) == ()


def test_all_other_devices_are_signed_out_at_once(
    client: FlaskClient, db: Database, settings: Settings, ada: Actor
) -> None:
    tokens = [_elsewhere(db, settings, ada) for _ in range(3)]

    client.post("/account/sessions/revoke")

    assert [sessions.resolve(db, settings, token) for token in tokens] == [None] * 3
    assert client.get("/account").status_code == 200


def test_somebody_elses_session_is_not_found(
    client: FlaskClient, db: Database, settings: Settings, ada: Actor, make: Builders
) -> None:
    bob = make.actor(Role.ADMINISTRATOR)
    token = _elsewhere(db, settings, bob)
    signed_in = sessions.resolve(db, settings, token)
    assert signed_in is not None

    answer = client.post(f"/account/sessions/{signed_in.session_id}/revoke")

    assert answer.status_code == 404
    assert sessions.resolve(db, settings, token) is not None


def test_a_disabled_account_is_out_with_its_next_click(
    client: FlaskClient, db: Database, ada: Actor
) -> None:
    assert client.get("/account").status_code == 200

    people.disable(db, SYSTEM, "ada")

    assert client.get("/account").location == "/login?next=%2Faccount"


def test_the_second_factor_is_switched_on_with_codes_shown_once(
    client: FlaskClient,
    db: Database,
    settings: Settings,
    clock: FixedClock,
    ada: Actor,
) -> None:
    assert client.post("/account/totp/begin").location == "/account/totp"
    page = client.get("/account/totp").text
    assert "<svg " in page
    secret = re.search(r'class="key">([A-Z2-7 ]+)<', page)
    assert secret

    wrong = client.post("/account/totp/confirm", data={"code": "000000"})
    assert wrong.status_code == 400
    assert "That code does not fit" in wrong.text

    code = pyotp.TOTP(secret[1].replace(" ", "")).at(clock.now())
    shown = client.post("/account/totp/confirm", data={"code": code})
    codes = re.findall(r"<code>(\w{5}-\w{5})</code>", shown.text)
    assert len(codes) == 10
    assert shown.headers["Cache-Control"] == "no-store"
    assert codes[0] not in client.get("/account/totp").text
    assert "10 of your codes are left" in client.get("/account/totp").text


def test_no_page_carries_inline_style_or_script(
    client: FlaskClient,
    db: Database,
    settings: Settings,
    ada: Actor,
) -> None:
    client.post("/account/totp/begin")
    for path in ("/account", "/account/totp"):
        page = client.get(path).text
        assert not re.search(r"\sstyle=|\son\w+=|<style|<script>", page)


def test_switching_the_second_factor_off_needs_the_password(
    client: FlaskClient,
    db: Database,
    settings: Settings,
    clock: FixedClock,
    ada: Actor,
) -> None:
    secret = totp.begin(db, settings, ada).secret.replace(" ", "")
    totp.confirm(db, settings, ada, pyotp.TOTP(secret).at(clock.now()))

    wrong = client.post("/account/totp/disable", data={"password": "a guess"})
    assert wrong.status_code == 400
    assert 'id="disable-error"' in wrong.text
    assert people.find(db, "ada").has_totp

    client.post("/account/totp/disable", data={"password": PASSWORD})
    assert not people.find(db, "ada").has_totp


def test_new_recovery_codes_are_made_with_the_password(
    client: FlaskClient,
    db: Database,
    settings: Settings,
    clock: FixedClock,
    ada: Actor,
) -> None:
    secret = totp.begin(db, settings, ada).secret.replace(" ", "")
    old = totp.confirm(db, settings, ada, pyotp.TOTP(secret).at(clock.now()))

    wrong = client.post("/account/totp/codes", data={"password": "a guess"})
    assert 'id="renew-error"' in wrong.text
    shown = client.post("/account/totp/codes", data={"password": PASSWORD}).text

    assert len(re.findall(r"<code>(\w{5}-\w{5})</code>", shown)) == 10
    assert old[0] not in shown


def test_the_first_administrator_is_made_through_the_link_and_is_signed_in(
    client: FlaskClient, db: Database
) -> None:
    token = setup.issue(db)
    page = client.get(f"/setup?token={token}")
    assert page.status_code == 200

    form = {"token": token, "username": "ada", "display_name": "Ada"}
    weak = client.post("/setup", data={**form, "password": "password123"})
    assert weak.status_code == 400
    assert 'id="password-error"' in weak.text
    assert 'value="ada"' in weak.text

    answer = client.post("/setup", data={**form, "password": PASSWORD})
    assert answer.location == "/studio/"
    assert people.find(db, "ada").roles == {Role.ADMINISTRATOR}
    assert "Ada" in client.get("/account").text


def test_the_link_answers_for_what_it_is_worth(
    client: FlaskClient, db: Database, clock: FixedClock, make: Builders
) -> None:
    assert client.get("/setup").status_code == 404
    assert client.get("/setup?token=guess").status_code == 404

    expired = setup.issue(db)
    clock.advance(hours=1)
    assert client.get(f"/setup?token={expired}").status_code == 410

    used = setup.issue(db)
    form = {"token": used, "username": "ada", "password": PASSWORD}
    client.post("/setup", data=form)
    assert client.get(f"/setup?token={used}").status_code == 410
    assert client.get("/setup?token=guess").status_code == 404
    assert client.get("/setup").status_code == 404


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (_CHROME, "Chrome on Windows"),
        (_CHROME + " Edg/156.0", "Edge on Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1"
            " (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (SMART-TV; LINUX; Tizen 9.0) AppleWebKit/537.36 (KHTML, like"
            " Gecko) SamsungBrowser/7.0 Chrome/120.0 TV Safari/537.36",
            "Samsung Internet on a television",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0",
            "Firefox on Linux",
        ),
        ("curl/8.0", "curl"),
        ("", "Unknown device"),
    ],
)
def test_a_device_has_the_name_that_people_know(
    db: Database, settings: Settings, make: Builders, agent: str, name: str
) -> None:
    actor = make.actor()
    assert actor.account_id is not None
    sessions.start(db, settings, actor.account_id, address="", user_agent=agent)

    own = sessions.listing(db, actor.account_id)

    (device,) = sessions_shown(own, "another", db.clock.now())
    assert device.name == name
