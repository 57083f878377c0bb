"""Titles, seasons, pictures and people through the API."""

import io
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from appliance.catalog import people, titles
from appliance.db import Database, write
from appliance.permissions import SYSTEM, Role
from tests.conftest import SignIn

_API = "/api/v1"


def _png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (1280, 720), "teal").save(file, "PNG")
    return file.getvalue()


def _call(
    client: FlaskClient, method: str, path: str, body: Any = None, status: int = 200
) -> Any:
    answer = client.open(f"{_API}{path}", method=method, json=body)
    assert answer.status_code == status, answer.text
    return answer.get_json() if answer.data else None


def test_a_series_is_made_described_and_shown(
    client: FlaskClient, sign_in: SignIn, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    made = _call(
        *(client, "POST", "/titles"),
        {
            "name": "Dark Water",
            "kind": "series",
            "rating": "16",
            "tags": ["slow burn"],
            "credits": [{"name": "Ada Byron", "character": "Ines"}],
            "translations": {"de": {"name": "Dunkles Wasser"}},
        },
        201,
    )
    assert (made["slug"], made["state"], made["age"]) == ("dark-water", "ready", 16)
    assert made["credits"][0]["person"] == "ada-byron"
    part = {"name": "Pilot", "kind": "episode", "parent": "dark-water"}
    first = _call(client, "POST", "/titles", part, 201)
    second = _call(client, "POST", "/titles", part | {"name": "Well"}, 201)
    assert (first["parent"], first["age"]) == ("dark-water", 16)
    assert (second["season_number"], second["episode_number"]) == (1, 2)

    season = {"name": "Winter", "year": 2026}
    kept = _call(client, "PATCH", "/titles/dark-water/seasons/1", season)
    assert kept["revision"] == 1
    stale = season | {"revision": 0, "name": "Spring"}
    _call(client, "PATCH", "/titles/dark-water/seasons/1", stale, 409)
    places = [
        {"slug": first["slug"], "season": 1, "number": 2},
        {"slug": second["slug"], "season": 1, "number": 1},
    ]
    order = {"places": places}
    (ordered,) = _call(client, "PUT", "/titles/dark-water/seasons/order", order)[
        "seasons"
    ]
    assert [each["name"] for each in ordered["episodes"]] == ["Well", "Pilot"]
    _call(client, "DELETE", "/titles/dark-water/seasons/1", status=409)

    shown = _call(client, "POST", "/titles/dark-water/publish")
    assert shown["state"] == "published"
    listed = _call(client, "GET", "/titles?top=true&tag=slow-burn&kind=series")
    assert [each["slug"] for each in listed["titles"]] == ["dark-water"]
    assert _call(client, "GET", "/tags")["tags"][0]["slug"] == "slow-burn"


def test_a_change_that_comes_second_is_refused_with_who_was_first(
    client: FlaskClient, sign_in: SignIn, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER, "ada")
    title = titles.create(db, SYSTEM, "The Well")
    path = "/titles/the-well"

    _call(client, "PATCH", path, {"year": 2020, "revision": title.revision})
    problem = _call(
        client, "PATCH", path, {"year": 2021, "revision": title.revision}, 409
    )

    assert (problem["code"], problem["by"]) == ("title.changed", "ada")
    assert _call(client, "GET", path)["year"] == 2020


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "x" * 201},
        {"name": 5},
        {"name": None},
        {"nonsense": True},
        {"kind": "saga"},
        {"kind": "episode"},
        {"parent": "nothing"},
        {"season_number": -1},
        {"season_number": 10**30},
        {"year": 5},
        {"tags": "drama"},
        {"tags": [None]},
        {"tags": ["\u0000"], "name": "\ud800"},
        {"credits": [{"job": "actor"}]},
        {"credits": [{"name": "A", "job": "queen"}]},
        {"translations": {"de": "x"}},
        {"translations": {"'; drop table titles; --": {"name": "x"}}},
        {"external_id": 5},
        {"library": "nothing"},
    ],
)
def test_nonsense_is_refused_and_changes_nothing(
    client: FlaskClient, sign_in: SignIn, db: Database, body: dict[str, Any]
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = titles.create(db, SYSTEM, "The Well")

    answer = client.patch(f"{_API}/titles/the-well", json=body)

    assert answer.status_code in (400, 404), answer.text
    assert answer.mimetype == "application/problem+json"
    assert titles.by_id(db, title.id) == title


def test_pictures_are_put_cut_anew_and_taken_away(
    client: FlaskClient, sign_in: SignIn, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    titles.create(db, SYSTEM, "The Well")
    path = f"{_API}/titles/the-well/artwork"

    put = client.put(f"{path}/poster?focus_x=0", data=_png())
    assert put.status_code == 200, put.text
    kept = put.get_json()
    assert (kept["focus_x"], kept["height"]) == (0.0, 720)
    cut = client.patch(f"{path}/poster", json={"focus_x": 1, "focus_y": 0.5})
    assert cut.get_json()["artwork"] != kept["artwork"]
    assert len(client.get(path).get_json()["artwork"]) == 1
    for bad in (b"", b"<svg onload=alert(1)>", b"\xff\xd8\xff\xe0"):
        assert client.put(f"{path}/logo", data=bad).status_code == 400
    assert client.put(f"{path}/poster?focus_x=2", data=_png()).status_code == 400
    assert client.post(f"{path}/poster/nothing").status_code == 404
    assert client.patch(f"{path}/logo", json={"focus_x": 1}).status_code == 400
    assert client.delete(f"{path}/logo").status_code == 404
    assert client.delete(f"{path}/poster").status_code == 204
    assert titles.by_slug(db, SYSTEM, "the-well").poster is None


def test_people_are_described_and_shown_to_whoever_may_see_their_work(
    client: FlaskClient, sign_in: SignIn, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    film = titles.create(db, SYSTEM, "The Well", credits=[{"name": "Ada Byron"}])
    path = "/people/ada-byron"

    _call(client, "PATCH", path, {"biography": "She wrote.", "revision": 1})
    _call(client, "PATCH", path, {"biography": "Late.", "revision": 1}, 409)
    made = _call(client, "POST", "/people", {"name": "Bob"}, 201)
    assert _call(client, "GET", "/people?q=b")["total"] == 2
    put = client.put(f"{_API}{path}/portrait", data=_png())
    assert put.get_json()["portrait"].startswith("/portrait/")
    assert client.delete(f"{_API}{path}/portrait").status_code == 204
    _call(client, "DELETE", f"/people/{made['slug']}", status=204)
    _call(client, "POST", "/people", {"name": "x" * 121}, 400)

    sign_in(client, Role.VIEWER)
    _call(client, "GET", path, status=404)
    _call(client, "GET", "/people", status=403)
    _call(client, "DELETE", path, status=403)
    with write(db):
        db.conn.execute(
            "update titles set state = 'published', published_at = created_at"
            " where id = ?",
            (film.id,),
        )
    shown = _call(client, "GET", path)
    assert shown["works"][0]["title"] == "the-well"
    assert people.count(db) == 1


def test_viewers_change_nothing_and_contributors_their_own(
    client: FlaskClient, sign_in: SignIn, db: Database
) -> None:
    titles.create(db, SYSTEM, "The Well")
    sign_in(client, Role.VIEWER)
    _call(client, "POST", "/titles", {"name": "Mine"}, 403)
    actor = sign_in(client, Role.CONTRIBUTOR)
    mine = titles.create(db, actor, "Mine")
    _call(client, "PATCH", f"/titles/{mine.slug}", {"year": 2020})
    _call(client, "PATCH", "/titles/the-well", {"year": 2020}, 404)
    _call(client, "POST", f"/titles/{mine.slug}/publish", status=403)
