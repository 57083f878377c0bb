"""Finding and keeping titles in the portal: pages, forms and API."""

import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from appliance.catalog import collections
from appliance.db import write
from appliance.discovery import arranging, indexing
from appliance.objects import Stores
from appliance.permissions import SYSTEM, Role
from tests.builders import Builders
from tests.conftest import SignIn


def _cards(page: str) -> list[str]:
    return re.findall(r'<span class="name">(.*?)</span>', page)


def _index(make: Builders) -> None:
    indexing.catch_up(make.db, Stores(make.storage, make.settings))


def test_browsing_filters_sorts_and_says_what_is_set(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    make.title("Old drama", genres=("Drama",), year=1950, runtime_seconds=6000.0)
    make.title("New drama", genres=("Drama",), year=2020, runtime_seconds=1200.0)
    make.title("A lesson", genres=("Training",), kind="training", year=2020)
    make.title("Not out", genres=("Drama",), state="draft")
    sign_in(client)

    for query, names in (
        ("", {"Old drama", "New drama", "A lesson"}),
        ("genre=drama", {"Old drama", "New drama"}),
        ("genre=drama&year_from=2000", {"New drama"}),
        ("kind=training", {"A lesson"}),
        ("minutes=-30", {"New drama"}),
        ("minutes=90-&genre=drama", {"Old drama"}),
        ("year_to=1960", {"Old drama"}),
        ("tag=none", set()),
    ):
        page = client.get(f"/browse?{query}")
        assert page.status_code == 200
        assert set(_cards(page.text)) == names, query
    by_name = client.get("/browse?sort=name&genre=drama").text
    assert _cards(by_name) == ["New drama", "Old drama"]
    assert 'href="/browse?sort=name"' in by_name, "the filter can be taken away"
    assert "2 titles" in by_name


def test_what_is_spoken_and_captioned_is_a_filter(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    make.asset(make.title("English"), languages=("en-GB",), captions=())
    make.asset(make.title("French"), languages=("fr",), captions=("en", "de"))
    series = make.title("A series", kind="series")
    part = make.title("Part", kind="episode", parent_id=series.id)
    make.asset(part, languages=("fr",), captions=())
    sign_in(client)

    for query, names in (
        ("language=en", {"English"}),
        ("language=fr", {"French", "A series"}),
        ("captions=any", {"French"}),
        ("captions=de", {"French"}),
        ("captions=es", set()),
    ):
        assert set(_cards(client.get(f"/browse?{query}").text)) == names, query


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("year_from=soon", "year_from"),
        ("year_from=99999999999999999999", "year_from"),
        ("rating=-1", None),
        ("sort=random", "sort"),
        ("genre=%3Cscript%3E", "genre"),
        ("minutes=90-30", "minutes"),
        ("language=%27%3B--", "language"),
        ("colour=red", None),
        (f"tag={'x' * 5000}", "tag"),
        ("page=-1&genre=drama", None),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused_where_it_stands(
    client: FlaskClient, make: Builders, sign_in: SignIn, query: str, field: str | None
) -> None:
    make.title(genres=("Drama",))
    make.asset(captions=("en",))
    sign_in(client)

    answer = client.get(f"/browse?{query}")

    assert answer.status_code == (200 if query.startswith("page") else 400)
    assert "<script>" not in answer.text.replace("<script src", "")
    if field and f'id="{field}"' in answer.text:
        assert f'id="{field}-error"' in answer.text


def test_a_viewer_with_an_age_limit_is_offered_nothing_beyond_it(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    make.title("For all", genres=("Fun",), rating="0", age=0)
    make.title("Night", genres=("Horror",), rating="18", age=18)
    collections.add(make.db, SYSTEM, "Nights", members=[_slug(make, "Night")])
    actor = sign_in(client)
    with write(make.db):
        make.db.conn.execute(
            "update profiles set rating_limit = 6 where id = ?", (actor.profile_id,)
        )
    _index(make)

    page = client.get("/browse").text
    assert _cards(page) == ["For all"]
    assert "Horror" not in page
    assert client.get("/collection/nights").status_code == 404
    assert "Night" not in client.get("/").text
    found = client.get("/api/v1/search?q=nigh").json
    assert found is not None
    assert found["count"] == 0


def test_a_collection_has_a_page_in_its_order(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    one, two = make.title("One"), make.title("Two")
    hidden = make.title("Hidden", state="draft")
    collections.add(
        *(make.db, SYSTEM, "Both of them"),
        synopsis="Told & shown.",
        members=[two.slug, hidden.slug, one.slug],
    )
    sign_in(client)

    page = client.get("/collection/both-of-them").text

    assert _cards(page) == ["Two", "One"]
    assert "Told &amp; shown." in page
    assert client.get("/collection/none").status_code == 404


def test_the_list_of_a_profile_is_kept_by_forms_and_by_the_api(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    title = make.title("Kept")
    series = make.title("A series", kind="series")
    part = make.title("Part one", kind="episode", parent_id=series.id)
    sign_in(client)
    assert "Your list is empty" in client.get("/my-list").text

    answer = client.post(
        f"/my-list/{title.slug}", data={"on": "1", "back": f"/title/{title.slug}"}
    )
    assert (answer.status_code, answer.location) == (303, f"/title/{title.slug}")
    marks = client.put(f"/api/v1/my-list/{part.slug}").json
    assert marks == {"listed": True, "thumb": None}

    assert set(_cards(client.get("/my-list").text)) == {"Kept", "A series"}
    assert "My list" in re.findall(r'<h2 id="row-[^"]*">(.*?)</h2>', _home(client))
    client.delete(f"/api/v1/my-list/{title.slug}")
    client.post(f"/my-list/{part.slug}", data={"on": "0", "back": "//evil.example"})
    assert _listed(client) == []
    assert client.put("/api/v1/my-list/none").status_code == 404


def test_thumbs_are_kept_changed_and_forgotten(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    title = make.title()
    sign_in(client)
    path = f"/api/v1/thumbs/{title.slug}"

    assert client.put(path, json={"value": 2}).json == {"listed": False, "thumb": 2}
    assert client.put(path, json={"value": 3}).status_code in (400, 422)
    client.post(f"/thumbs/{title.slug}", data={"value": "-1"})
    assert make.db.value("select value from thumbs") == -1
    assert client.post(f"/thumbs/{title.slug}", data={"value": "x"}).status_code == 400
    assert client.delete(path).json == {"listed": False, "thumb": None}


def test_what_is_found_as_somebody_types(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    title = make.title("The Glass Orchard", year=2026, genres=("Orchards",))
    make.asset(title, captions=("en",))
    _index(make)
    sign_in(client)

    found = _json(client.get("/api/v1/search?q=orch").json)
    assert [each["href"] for each in found["titles"]] == [f"/title/{title.slug}"]
    assert [each["href"] for each in found["places"]] == ["/genre/orchards"]
    said = _json(client.get("/api/v1/search?q=hello").json)
    assert said["lines"][0]["href"] == f"/watch/{title.slug}?from=1"
    assert _json(client.get("/api/v1/search?q=orchrad").json)["guess"] == "orchard"
    assert client.get("/api/v1/search").status_code == 400


def test_the_page_of_the_search_works_without_scripts(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    title = make.title("Café Müller", slug="cafe-muller")
    make.asset(title, captions=("en",))
    _index(make)
    sign_in(client)

    assert "1 title for “cafe mul”" in client.get("/search?q=cafe+mul").text
    assert f"/watch/{title.slug}?from=1" in client.get("/search?q=hello").text
    wrong = client.get("/search?q=caffe").text
    assert "Nothing is called “caffe”" in wrong
    assert "Café Müller" in wrong
    nothing = client.get("/search?q=<b>zebra").text
    assert "Nothing found for “&lt;b&gt;zebra”" in nothing
    assert "Browse the library" in nothing


def test_rows_that_do_not_fit_are_fetched_later_and_the_page_stays_small(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    for number in range(12):
        title = make.title(f"Film {number}" + " and what became of it" * 2)
        title_genres = [f"Genre {each}" for each in range(12)]
        with write(make.db):
            for genre in title_genres:
                make._tag(title.id, genre)
            make.db.conn.execute(
                "update titles set backdrop = ?, runtime_seconds = 5000",
                ("a" * 16,),
            )
    sign_in(client)

    page = _home(client)

    assert len(page.encode()) < 60_000
    later = re.findall(r'data-later="(/row/[^"?]+)\?part"', page)
    assert later
    part = client.get(f"{later[0]}?part").text
    assert len(_cards(part)) == 12
    assert "<html" not in part
    assert len(_cards(client.get(later[0]).text)) == 12
    assert client.get("/row/none").status_code == 404


def test_one_viewer_never_sees_the_rows_of_another(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    with write(make.db):
        group = make.db.conn.execute(
            "insert into groups (public_id, name) values ('g', 'Fitters')"
        ).lastrowid
    for_group, for_kids = make.title("For fitters"), make.title("For children")
    for row, title, more in (
        ("Fitters first", for_group, {"group": "Fitters"}),
        ("Children first", for_kids, {"audience": "kids"}),
    ):
        arranging.add(make.db, SYSTEM, "chosen", row, titles=[title.slug], **more)
    one = sign_in(client)
    with write(make.db):
        make.db.conn.execute(
            "insert into group_members (group_id, account_id) values (?, ?)",
            (group, one.account_id),
        )
    assert "Fitters first" in _home(client)
    assert "Children first" not in _home(client)

    two = sign_in(client)
    assert "Fitters first" not in _home(client)
    with write(make.db):
        make.db.conn.execute(
            "update profiles set kids = 1 where id = ?", (two.profile_id,)
        )
    assert "Children first" in _home(client)


def test_rows_are_arranged_through_the_api(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    make.title("Fire drill", genres=("Safety",))
    sign_in(client, Role.PUBLISHER)

    made = client.post(
        "/api/v1/rows",
        json={"kind": "rule", "heading": "Safety first", "rule": {"genre": "safety"}},
    )
    assert made.status_code == 201
    row = _json(made.json)
    path = f"/api/v1/rows/{row['id']}"
    assert "Safety first" in _home(client)

    moved = client.post(f"{path}/move", json={"by": 2})
    assert moved.status_code == 200
    kinds = [each["kind"] for each in _json(client.get("/api/v1/rows").json)["rows"]]
    assert kinds.index("rule") == 6
    changed = client.patch(path, json={"revision": row["revision"], "enabled": False})
    assert _json(changed.json)["enabled"] is False
    assert "Safety first" not in _home(client)
    stale = client.patch(path, json={"revision": row["revision"], "heading": "Mine"})
    assert (stale.status_code, _json(stale.json)["code"]) == (409, "row.changed")
    wrong = client.patch(path, json={"rule": {"genre": "No such slug"}})
    assert (wrong.status_code, _json(wrong.json)["field"]) == (400, "genre")
    assert client.delete(path).status_code == 204
    assert client.delete("/api/v1/rows/new").status_code == 409

    sign_in(client, Role.VIEWER)
    assert client.get("/api/v1/rows").status_code == 403


def test_collections_are_kept_through_the_api(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    title = make.title()
    sign_in(client, Role.PUBLISHER)
    body = {"name": "Mandatory", "titles": [title.slug]}

    made = _json(client.post("/api/v1/collections", json=body).json)
    path = f"/api/v1/collections/{made['slug']}"
    assert (made["count"], made["titles"]) == (1, [title.slug])
    wrong = client.patch(path, json={"titles": ["none"]})
    assert (wrong.status_code, _json(wrong.json)["field"]) == (400, "titles")
    changed = client.patch(path, json={"name": "Must", "seen": made["updated_at"]})
    assert _json(changed.json)["name"] == "Must"
    assert client.get(path).json is not None
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def _slug(make: Builders, name: str) -> str:
    return str(make.db.value("select slug from titles where name = ?", (name,)))


def _home(client: FlaskClient) -> str:
    return client.get("/").text


def _listed(client: FlaskClient) -> list[str]:
    return [
        each["slug"] for each in _json(client.get("/api/v1/my-list").json)["titles"]
    ]


def _json(found: Any) -> dict[str, Any]:
    assert isinstance(found, dict), json.dumps(found)
    return found
