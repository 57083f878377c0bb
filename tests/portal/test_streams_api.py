"""Limits through the real API: a race on two processes, and what it answers."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient

from appliance.clock import SystemClock
from appliance.db import Database
from appliance.permissions import Role
from appliance.settings import Settings
from tests.builders import Builders
from tests.conftest import SignIn
from tests.portal.mortal_server import mortal_server, session_token

PLAYBACK = "/api/v1/playback"
Limit = Callable[[int], None]


@pytest.fixture
def limit(db: Database) -> Limit:
    """``limit(2)``: put a limit of streams on the right that everybody has."""

    def put(streams: int) -> None:
        db.conn.execute("update entitlements set streams = ?", (streams,))

    return put


@pytest.fixture
def film(make: Builders) -> str:
    title = make.title("Solaris")
    make.asset(title, heights=(360,))
    return title.slug


@pytest.fixture
def viewer(client: FlaskClient, sign_in: SignIn) -> FlaskClient:
    """A browser in which a viewer is signed in."""
    sign_in(client)
    return client


def _open(client: FlaskClient, film: str, **fields: object) -> Any:
    return client.post(PLAYBACK, json={"title": film, **fields})


def test_fifty_starts_at_one_moment_on_two_processes_give_exactly_two(
    db: Database, settings: Settings, make: Builders, film: str, limit: Limit
) -> None:
    db.clock = SystemClock()
    limit(2)
    token = session_token(db, settings, make, Role.VIEWER)
    headers = {"Authorization": f"Bearer {token}"}

    with mortal_server(settings) as server:

        def start(number: int) -> requests.Response:
            body = {"title": film, "device": f"player {number}"}
            return requests.post(
                f"{server.url}{PLAYBACK}", json=body, headers=headers, timeout=60
            )

        with ThreadPoolExecutor(50) as players:
            answers = list(players.map(start, range(50)))

    assert Counter(each.status_code for each in answers) == {201: 2, 409: 48}
    opened = {each.json()["session"] for each in answers if each.status_code == 201}
    for each in answers:
        if each.status_code == 409:
            problem = each.json()
            assert problem["code"] == "playback.limit"
            assert {one["session"] for one in problem["active"]} == opened
    left = db.rows("select public_id from playback_sessions where ended_at is null")
    assert {each["public_id"] for each in left} == opened


def test_a_viewer_at_the_limit_sees_what_plays_stops_it_and_watches_here(
    viewer: FlaskClient, film: str, limit: Limit
) -> None:
    limit(1)
    tv = _open(viewer, film, device="Kitchen TV").get_json()

    refused = _open(viewer, film)

    assert refused.status_code == 409
    assert refused.mimetype == "application/problem+json"
    problem = refused.get_json()
    assert (problem["code"], problem["limit"]) == ("playback.limit", 1)
    assert problem["detail"] == (
        "Your account can play one film at once. Stop one to watch here."
    )
    (active,) = problem["active"]
    assert (active["session"], active["device"]) == (tv["session"], "Kitchen TV")
    assert viewer.get(PLAYBACK).get_json() == {"active": [active]}
    assert viewer.post(f"{PLAYBACK}/{active['session']}/stop").status_code == 204
    assert viewer.get(PLAYBACK).get_json() == {"active": []}
    assert _open(viewer, film).status_code == 201
    beat = {"seq": 1, "position": 1}
    told = viewer.post(f"{PLAYBACK}/{tv['session']}/heartbeat", json=beat).get_json()
    assert told["stop_reason"] == "elsewhere"


def test_a_player_that_starts_again_takes_its_own_place(
    viewer: FlaskClient, film: str, limit: Limit
) -> None:
    limit(1)
    first = _open(viewer, film).get_json()["session"]

    again = _open(viewer, film, replaces=first)

    assert again.status_code == 201
    (active,) = viewer.get(PLAYBACK).get_json()["active"]
    assert active["session"] == again.get_json()["session"]
    assert active["here"] is True


def test_leaving_frees_the_place_at_once_however_often_it_is_said(
    viewer: FlaskClient, film: str, limit: Limit
) -> None:
    limit(1)
    session = _open(viewer, film).get_json()["session"]

    for _ in range(3):
        assert viewer.delete(f"{PLAYBACK}/{session}").status_code == 204

    assert _open(viewer, film).status_code == 201


def test_the_session_knows_what_it_was_opened_from(
    viewer: FlaskClient, db: Database, film: str
) -> None:
    _open(viewer, film, device="Kitchen TV").get_json()

    row = db.one(
        """
        select p.device, p.address, p.user_agent, s.user_agent as signed_in_from
        from playback_sessions p join sessions s on s.public_id = p.sign_in
        """
    )

    assert row is not None
    assert (row["device"], row["address"]) == ("Kitchen TV", "127.0.0.1")
    assert row["user_agent"].startswith("Werkzeug/")
    assert row["signed_in_from"] == "test"


def test_nobody_stops_what_another_account_watches(
    viewer: FlaskClient, app: Any, sign_in: SignIn, film: str
) -> None:
    session = _open(viewer, film).get_json()["session"]
    other = app.test_client()
    other.environ_base.update(viewer.environ_base)
    sign_in(other, Role.ADMINISTRATOR)
    page = other.get("/account").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]

    for method, path in (("post", f"{session}/stop"), ("delete", session)):
        answer = getattr(other, method)(
            f"{PLAYBACK}/{path}", headers={"X-CSRFToken": token}
        )
        assert answer.status_code == 404, answer.text
        assert answer.get_json()["code"] == "playback.missing"
    assert len(viewer.get(PLAYBACK).get_json()["active"]) == 1
