"""The API: what programs and our own player may ask for, and how it refuses."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.catalog import states
from appliance.db import Database
from appliance.permissions import SYSTEM, Actor, Role
from tests.builders import PASSWORD, Builders

SignIn = Callable[..., Actor]


@pytest.fixture
def film(make: Builders) -> str:
    title = make.title("Solaris", genres=("Sci-Fi",), poster="a" * 16)
    make.asset(title, heights=(234,), captions=("de",), duration=100.0)
    return title.slug


@pytest.fixture
def viewer(client: FlaskClient, sign_in: SignIn) -> FlaskClient:
    """A browser in which a viewer is signed in."""
    sign_in(client)
    return client


def _open(client: FlaskClient, film: str, **fields: object) -> Any:
    answer = client.post("/api/v1/playback", json={"title": film, **fields})
    assert answer.status_code == 201, answer.text
    return answer.get_json()


def _problem(answer: Any, status: int, code: str) -> Any:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    problem = answer.get_json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["detail"]
    return problem


def test_a_program_signs_in_for_a_token_and_uses_it(
    app: Flask, make: Builders, film: str
) -> None:
    make.account("ada")
    program = app.test_client()

    given = program.post(
        "/api/v1/auth/token", json={"username": "ada", "password": PASSWORD}
    )

    assert given.status_code == 201
    token = given.get_json()
    assert (token["token_type"], token["roles"]) == ("Bearer", ["viewer"])
    assert token["expires_in"] == 12 * 3600
    headers = {"Authorization": f"Bearer {token['token']}"}
    titles = program.get("/api/v1/titles", headers=headers).get_json()
    assert [each["slug"] for each in titles["titles"]] == [film]
    opened = program.post("/api/v1/playback", json={"title": film}, headers=headers)
    assert opened.status_code == 201


def test_a_wrong_password_is_a_problem_and_gives_nothing(
    app: Flask, make: Builders
) -> None:
    make.account("ada")

    answer = app.test_client().post(
        "/api/v1/auth/token", json={"username": "ada", "password": "wrong"}
    )

    _problem(answer, 401, "sign-in.wrong")


def test_nothing_is_told_to_who_is_not_signed_in(app: Flask, film: str) -> None:
    stranger = app.test_client()
    for method, path in (
        *(("get", "titles"), ("get", f"titles/{film}")),
        *(("get", f"titles/{film}/progress"), ("put", f"titles/{film}/progress")),
        *(("delete", f"titles/{film}/progress"), ("post", "playback")),
        *(("post", "playback/x/heartbeat"), ("delete", "playback/x")),
        *(("post", "playback/x/stop"), ("get", "playback")),
    ):
        answer = getattr(stranger, method)(f"/api/v1/{path}")
        _problem(answer, 401, "session.missing")
        forged = {"Authorization": "Bearer of-nobody"}
        answer = getattr(stranger, method)(f"/api/v1/{path}", headers=forged)
        _problem(answer, 401, "session.missing")


def test_a_cookie_alone_changes_nothing(viewer: FlaskClient, film: str) -> None:
    del viewer.environ_base["HTTP_X_CSRFTOKEN"]

    answer = viewer.post("/api/v1/playback", json={"title": film})

    _problem(answer, 403, "form.stale")


def test_titles_come_in_pages_by_state_genre_and_words(
    viewer: FlaskClient, make: Builders, film: str
) -> None:
    for number in range(3):
        make.title(f"Film {number}", genres=("Drama",))
    make.title("Hidden film", state="ready")

    def names(query: str) -> list[str]:
        found = viewer.get(f"/api/v1/titles?{query}").get_json()
        return [each["name"] for each in found["titles"]]

    page = viewer.get("/api/v1/titles?limit=2&offset=1").get_json()
    assert [each["name"] for each in page["titles"]] == ["Film 1", "Film 0"]
    assert (page["total"], page["limit"], page["offset"]) == (4, 2, 1)
    assert len(names("genre=drama")) == 3
    assert names("state=draft") == []
    assert names("q=solar") == ["Solaris"]
    assert names("q=hidden") == []


def test_a_title_says_what_there_is_to_know(viewer: FlaskClient, film: str) -> None:
    title = viewer.get(f"/api/v1/titles/{film}").get_json()

    assert (title["name"], title["genres"]) == ("Solaris", ["Sci-Fi"])
    assert title["state"] == "published"
    assert title["poster"] == f"/artwork/{'a' * 16}/640.jpg"
    assert "id" not in title


def test_a_title_one_may_not_see_does_not_exist(
    viewer: FlaskClient, make: Builders
) -> None:
    hidden = make.title("Hidden", state="ready")

    _problem(viewer.get(f"/api/v1/titles/{hidden.slug}"), 404, "title.missing")
    answer = viewer.post("/api/v1/playback", json={"title": hidden.slug})
    _problem(answer, 404, "title.missing")


def test_playing_from_the_first_answer_to_the_last(
    viewer: FlaskClient, film: str
) -> None:
    opened = _open(viewer, film, device="browser")

    assert set(opened) == {
        *("session", "asset", "version", "title", "name", "duration", "protected"),
        *("manifests", "drm", "certificates", "token", "media_token", "hosts"),
        *(
            "max_height",
            "watermark",
            "resume_at",
            "heartbeat_seconds",
            "text",
            "thumbnails",
            "markers",
        ),
    }
    for address in (
        *opened["manifests"].values(),
        opened["thumbnails"],
        opened["text"][0]["url"],
    ):
        assert viewer.get(address, buffered=True).status_code == 200
    session = f"/api/v1/playback/{opened['session']}"
    answer = viewer.post(
        f"{session}/heartbeat",
        json={
            "seq": 1,
            "position": 42.5,
            "played_ranges": [[0, 42.5]],
            "state": "playing",
            "quality": {"height": 234, "dropped": 0},
        },
    ).get_json()
    assert answer == {
        "media_token": opened["media_token"],
        "token": opened["token"],
        "hosts": opened["hosts"],
        "next": 10,
        "stop_reason": None,
    }
    assert viewer.delete(session).status_code == 204
    last = viewer.post(f"{session}/heartbeat", json={"seq": 2, "position": 50})
    assert last.get_json() == {
        "media_token": None,
        "token": None,
        "hosts": [],
        "next": 0,
        "stop_reason": "closed",
    }
    assert _open(viewer, film)["resume_at"] == 42.5


def test_an_asset_plays_by_its_own_id(viewer: FlaskClient, film: str) -> None:
    first = _open(viewer, film)

    answer = viewer.post("/api/v1/playback", json={"asset": first["asset"]})

    assert answer.get_json()["title"] == film


def test_a_heartbeat_learns_that_the_title_is_gone(
    viewer: FlaskClient, db: Database, film: str
) -> None:
    opened = _open(viewer, film)
    states.unpublish(db, SYSTEM, film)

    answer = viewer.post(
        f"/api/v1/playback/{opened['session']}/heartbeat",
        json={"seq": 1, "position": 1},
    )

    assert answer.get_json()["stop_reason"] == "not-available"


def test_a_session_of_somebody_else_does_not_exist(
    app: Flask, viewer: FlaskClient, client: FlaskClient, sign_in: SignIn, film: str
) -> None:
    opened = _open(viewer, film)
    sign_in(client, username="ben")

    session = f"/api/v1/playback/{opened['session']}"
    beat = client.post(f"{session}/heartbeat", json={"seq": 1, "position": 1})

    _problem(beat, 404, "playback.missing")
    _problem(client.delete(session), 404, "playback.missing")


def test_where_one_stopped_can_be_set_read_and_hidden(
    viewer: FlaskClient, film: str
) -> None:
    address = f"/api/v1/titles/{film}/progress"
    assert viewer.get(address).get_json() == {
        "position": 0.0,
        "duration": 100.0,
        "finished": False,
        "hidden": False,
        "resume_at": 0.0,
        "updated_at": None,
    }

    saved = viewer.put(address, json={"position": 95}).get_json()
    again = viewer.put(address, json={"position": 30}).get_json()

    assert (saved["finished"], saved["resume_at"]) == (True, 0.0)
    assert (again["finished"], again["resume_at"]) == (False, 30.0)
    assert viewer.delete(address).status_code == 204
    assert viewer.get(address).get_json()["hidden"] is True
    _problem(viewer.put(address, json={"position": 200}), 400, "progress.position")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"seq": 1}, "position"),
        ({"seq": "x", "position": 1}, "seq"),
        ({"seq": 1, "position": -1}, "position"),
        ({"seq": 1, "position": "NaN"}, "position"),
        ({"seq": 1, "position": 1, "state": "asleep"}, "state"),
        (
            {"seq": 1, "position": 1, "played_ranges": [[1, 2], [3]]},
            "played_ranges.1",
        ),
        (
            {"seq": 1, "position": 1, "quality": {"height": "tall"}},
            "quality.height.value",
        ),
        ({"seq": 1, "position": 1, "extra": True}, "extra"),
        ([1, 2], ""),
    ],
)
def test_what_is_wrong_with_a_request_is_said_by_field(
    viewer: FlaskClient, film: str, body: object, field: str
) -> None:
    opened = _open(viewer, film)

    answer = viewer.post(f"/api/v1/playback/{opened['session']}/heartbeat", json=body)

    problem = _problem(answer, 400, "request.invalid")
    assert problem["field"] == field
    assert [each["field"] for each in problem["errors"]] == [field]


def test_a_body_that_is_not_json_is_a_problem(viewer: FlaskClient) -> None:
    for body in (b"{", b"\xff\xfe", b"title=x"):
        answer = viewer.post(
            "/api/v1/playback", data=body, content_type="application/json"
        )
        _problem(answer, 400, "request.json")


def test_an_address_or_method_that_is_not_there_is_a_problem(
    viewer: FlaskClient,
) -> None:
    _problem(viewer.get("/api/v1/nothing"), 404, "http.404")
    refused = viewer.put("/api/v1/titles", json={})
    _problem(refused, 405, "http.405")
    assert "GET" in refused.headers["Allow"]


def test_the_description_names_every_address_and_how_to_sign_in(app: Flask) -> None:
    described = app.test_client().get("/api/v1/openapi.json").get_json()

    # Each converter of a rule stands as {name} in the description.
    served = {
        re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
    }
    assert set(described["paths"]) == served
    assert {"/api/v1/titles/{slug}", "/api/v1/playback/{session}"} <= served
    assert set(described["components"]["securitySchemes"]) == {"bearer", "cookie"}
    assert described["paths"]["/api/v1/auth/token"]["post"]["security"] == []
    for path in described["paths"].values():
        for name, operation in path.items():
            if name != "parameters":
                assert operation["summary"].endswith(".")
                assert "default" in operation["responses"]


def test_the_answers_are_what_the_description_says(
    viewer: FlaskClient, film: str
) -> None:
    described = viewer.get("/api/v1/openapi.json").get_json()
    schemas = described["components"]["schemas"]
    opened = _open(viewer, film)

    for name, answer in (
        ("Playback", opened),
        ("Titles", viewer.get("/api/v1/titles").get_json()),
        ("TitleInFull", viewer.get(f"/api/v1/titles/{film}").get_json()),
        ("Progress", viewer.get(f"/api/v1/titles/{film}/progress").get_json()),
    ):
        assert set(answer) == set(schemas[name]["properties"])
        assert set(schemas[name]["required"]) <= set(answer)


@pytest.mark.parametrize("role", list(Role))
def test_every_role_may_watch(
    client: FlaskClient, sign_in: SignIn, film: str, role: Role
) -> None:
    sign_in(client, role)

    assert _open(client, film)["title"] == film
