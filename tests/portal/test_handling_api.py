"""Many titles through the API: found, changed, reviewed, imported, thrown away."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.catalog import titles
from appliance.db import Database
from appliance.permissions import SYSTEM, Role
from tests.builders import Builders
from tests.conftest import SignIn

API = "/api/v1"


@pytest.fixture
def editor(client: FlaskClient, sign_in: SignIn) -> FlaskClient:
    sign_in(client, Role.PUBLISHER)
    return client


def asked(client: FlaskClient, method: str, path: str, **more: Any) -> Any:
    answer = client.open(f"{API}{path}", method=method, **more)
    assert answer.status_code < 300, answer.get_data(as_text=True)
    return answer.get_json(silent=True)


def test_the_list_of_the_studio_is_sifted(editor: FlaskClient, make: Builders) -> None:
    make.title("Orchard", synopsis="Bees.", external_id="f1")
    make.title("Harbour")

    found = asked(editor, "GET", "/studio/titles?lacks=synopsis&order=name")

    assert [each["name"] for each in found["titles"]] == ["Harbour"]
    assert found["total"] == 1
    wrong = editor.get(f"{API}/studio/titles?stage=nonsense&limit=x")
    assert wrong.status_code == 422 or wrong.status_code == 400
    assert asked(editor, "GET", "/studio/twins") == {"films": []}


def test_many_titles_are_changed_and_put_back(
    editor: FlaskClient, make: Builders, db: Database
) -> None:
    title = make.title("Orchard", genres=("Drama",))
    body = {"sieve": {"genre": "drama"}, "wish": {"add_tags": ["bees"], "rating": "6"}}

    shown = asked(editor, "POST", "/bulk/preview", json=body)
    made = asked(editor, "POST", "/bulk", json=body | {"mark": shown["mark"]})
    assert titles.by_id(db, title.id).rating == "6"
    (listed,) = asked(editor, "GET", "/bulk")["changes"]
    assert (listed["id"], listed["left"]) == (made["bulk"], True)
    undone = asked(editor, "POST", f"/bulk/{made['bulk']}/undo")

    assert undone["changed"] == 1
    assert titles.by_id(db, title.id).rating == ""
    stale = editor.post(f"{API}/bulk", json=body | {"mark": "old"})
    assert (stale.status_code, stale.get_json()["code"]) == (409, "bulk.stale")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"wish": {"rating": "6"}},
        {"titles": [], "wish": {"rating": "6"}},
        {"titles": ["x"], "sieve": {}, "wish": {"rating": "6"}},
        {"titles": ["x"], "wish": {}},
        {"titles": ["x"], "wish": {"move": "explode"}},
        {"titles": "x", "wish": {"rating": "6"}},
        {"titles": [1], "wish": {"rating": "6"}},
        {"titles": ["x"], "wish": {"rating": "6"}, "more": 1},
        {"sieve": {"stage": "'; drop table"}, "wish": {"rating": "6"}},
        {"titles": ["nothing"], "wish": {"rating": "6"}},
    ],
)
def test_nonsense_for_many_is_refused(editor: FlaskClient, body: Any) -> None:
    for path in ("/bulk", "/bulk/preview"):
        assert editor.post(f"{API}{path}", json=body).status_code in (400, 404, 422)


def test_a_title_goes_into_the_trash_back_and_for_good(
    editor: FlaskClient, make: Builders, db: Database
) -> None:
    title, other = make.title("Orchard"), make.title("Harbour")

    asked(editor, "DELETE", f"/titles/{title.slug}")
    trash = asked(editor, "GET", "/trash")
    assert [each["slug"] for each in trash["titles"]] == [title.slug]
    assert editor.get(f"{API}/titles/{title.slug}").status_code == 404
    assert asked(editor, "POST", f"/trash/{title.slug}/restore")["state"] == "ready"
    asked(editor, "DELETE", f"/titles/{title.slug}")
    asked(editor, "DELETE", f"/trash/{title.slug}")
    asked(editor, "DELETE", f"/titles/{other.slug}?now=true")

    assert db.value("select count(*) from titles") == 0
    assert editor.delete(f"{API}/trash/{title.slug}").status_code == 404


def test_a_title_goes_through_a_review(editor: FlaskClient, make: Builders) -> None:
    title = make.title("Orchard", state="ready")
    path = f"/titles/{title.slug}/reviews"

    asked(editor, "POST", path, json={"decision": "asked"})
    empty = editor.post(f"{API}{path}", json={"decision": "rejected"})
    asked(editor, "POST", path, json={"decision": "rejected", "note": "Shorter."})
    again = editor.post(f"{API}{path}", json={"decision": "approved"})

    assert (empty.status_code, again.status_code) == (400, 409)
    shown = asked(editor, "GET", path)
    assert (shown["review"], shown["stage"]) == ("rejected", "ready")
    assert [each["decision"] for each in shown["steps"]] == ["rejected", "asked"]


def test_fields_are_defined_and_filled_in(
    editor: FlaskClient, make: Builders, db: Database
) -> None:
    title = make.title("Orchard")
    field = {"label": "Department", "kind": "choice", "choices": ["Sales", "Lab"]}
    path = f"/titles/{title.slug}/fields"

    asked(editor, "POST", "/fields", json=field)
    filled = asked(editor, "PATCH", path, json={"values": {"department": "lab"}})
    stale = editor.patch(
        f"{API}{path}", json={"values": {"department": "Sales"}, "revision": 1}
    )
    wrong = editor.patch(f"{API}{path}", json={"values": {"department": ["x"]}})

    assert filled["values"] == {"department": "Lab"}
    assert (stale.status_code, wrong.status_code) == (409, 400)
    assert wrong.get_json()["field"] == "custom.department"
    changed = asked(editor, "PATCH", "/fields/department", json={"label": "Unit"})
    assert (changed["label"], changed["used"]) == ("Unit", 1)
    asked(editor, "DELETE", "/fields/department")
    assert titles.by_id(db, title.id).custom == {}
    assert asked(editor, "GET", "/fields") == {"fields": []}


def test_a_table_goes_in_and_out(editor: FlaskClient, db: Database) -> None:
    table = "external_id,name,year\nf1,Orchard,2020\nf2,,\n".encode("utf-8-sig")

    planned = asked(editor, "POST", "/studio/import?dry_run=true", data=table)
    assert (planned["created"], planned["refused"]) == (1, 1)
    assert planned["rows"][1]["errors"][0]["column"] == "name"
    assert db.value("select count(*) from titles") == 0
    done = asked(editor, "POST", "/studio/import", data=table)
    assert (done["created"], done["dry_run"]) == (1, False)

    exported = editor.get(f"{API}/studio/export.csv")
    assert exported.mimetype == "text/csv"
    again = asked(editor, "POST", "/studio/import", data=exported.get_data())
    assert (again["same"], again["changed"]) == (1, 0)
    broken = editor.post(f"{API}/studio/import", data=b"PK\x03\x04")
    assert (broken.status_code, broken.get_json()["code"]) == (
        *(400,),
        "table.unreadable",
    )
    large = editor.post(f"{API}/studio/import", data=b"x" * 20_000_100)
    assert large.status_code == 413


def test_windows_are_opened_changed_and_closed(
    editor: FlaskClient, make: Builders
) -> None:
    title, other = make.title("Orchard"), make.title("Harbour")
    path = f"/titles/{title.slug}/windows"
    until = {"ends_at": "2026-02-01", "territories": ["de"], "max_height": 720}

    made = asked(editor, "POST", path, json=until)
    changed = asked(
        editor, "PUT", f"{path}/{made['id']}", json={"starts_at": "2026-03-01"}
    )
    shown = asked(editor, "GET", path)
    line = asked(editor, "GET", "/studio/timeline?from=2026-01-01&until=2027-01-01")

    assert (made["territories"], changed["territories"]) == (["DE"], [])
    assert (shown["stage"], len(shown["windows"])) == ("scheduled", 1)
    assert [each["slug"] for each in line["titles"]] == [title.slug]
    elsewhere = f"{API}/titles/{other.slug}/windows/{changed['id']}"
    assert editor.delete(elsewhere).status_code == 404
    asked(editor, "DELETE", f"{path}/{changed['id']}")
    assert asked(editor, "GET", path)["windows"] == []
    for wrong in (
        {},
        {"starts_at": "soon"},
        {"territories": ["XX"]},
        {"max_height": 0},
    ):
        assert editor.post(f"{API}{path}", json=wrong).status_code in (400, 422)


def test_names_are_guessed_and_films_fetched_only_where_that_is_on(
    editor: FlaskClient,
) -> None:
    body = {"filenames": ["Harbour.S01E02.The.Keeper.mkv"]}

    (guess,) = asked(editor, "POST", "/studio/guesses", json=body)["guesses"]

    assert (guess["kind"], guess["series"], guess["season"], guess["episode"]) == (
        *("episode", "Harbour"),
        *(1, 2),
    )
    off = editor.post(f"{API}/fetches", json={"url": "https://example.org/x.mp4"})
    assert (off.status_code, off.get_json()["code"]) == (503, "fetch.off")
    assert asked(editor, "GET", "/fetches") == {"fetches": []}
    assert editor.get(f"{API}/fetches/nothing").status_code == 404


CALLS = (
    ("GET", "/studio/titles", Role.CONTRIBUTOR),
    ("GET", "/studio/twins", Role.CONTRIBUTOR),
    ("GET", "/bulk", Role.CONTRIBUTOR),
    ("GET", "/fields", Role.CONTRIBUTOR),
    ("POST", "/fields", Role.PUBLISHER),
    ("GET", "/trash", Role.PUBLISHER),
    ("GET", "/fetches", Role.PUBLISHER),
    ("GET", "/studio/export.csv", Role.PUBLISHER),
    ("POST", "/studio/import", Role.PUBLISHER),
)


@pytest.mark.parametrize("role", [None, *Role])
def test_each_call_is_for_those_who_work_there(
    app: Flask, client: FlaskClient, sign_in: SignIn, role: Role | None
) -> None:
    ladder = [Role.VIEWER, Role.CONTRIBUTOR, Role.PUBLISHER, Role.ADMINISTRATOR]
    if role is not None:
        sign_in(client, role)
    for method, path, least in CALLS:
        status = client.open(f"{API}{path}", method=method).status_code
        if role is None:
            assert status == 401, path
        elif ladder.index(role) < ladder.index(least):
            assert status == 403, path
        else:
            assert status not in (401, 403, 500), path


def test_contributors_change_only_what_is_theirs(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    ida = sign_in(client, Role.CONTRIBUTOR)
    hers, other = make.title("Hers", actor=ida), make.title("Another's")
    body = {"titles": [hers.slug, other.slug], "wish": {"rating": "6"}}

    made = asked(client, "POST", "/bulk", json=body)

    assert (made["changed"], made["refused"]) == (1, 1)
    assert titles.by_slug(db, SYSTEM, other.slug).rating == ""
