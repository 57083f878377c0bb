"""Many titles in the Studio: who may, what is typed wrongly, what is sent twice."""

import io
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from appliance.access import availability
from appliance.catalog import bulk, reviewing, titles, trash
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.permissions import SYSTEM, Role
from appliance.settings import Settings
from appliance.storage import Storage
from tests.builders import Builders
from tests.conftest import SignIn
from web import create_app

PAGES = (
    ("/studio/bulk", Role.CONTRIBUTOR),
    ("/studio/availability", Role.CONTRIBUTOR),
    ("/studio/trash", Role.PUBLISHER),
    ("/studio/fields", Role.PUBLISHER),
    ("/studio/import", Role.PUBLISHER),
    ("/studio/import/template.csv", Role.PUBLISHER),
    ("/studio/import/titles.csv", Role.PUBLISHER),
)
LADDER = (Role.VIEWER, Role.CONTRIBUTOR, Role.PUBLISHER, Role.ADMINISTRATOR)


def text(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, f"{path}: {answer.status}"
    return answer.get_data(as_text=True)


@pytest.mark.parametrize("role", LADDER)
def test_each_page_opens_for_those_who_work_there(
    client: FlaskClient, sign_in: SignIn, role: Role
) -> None:
    sign_in(client, role)
    for path, least in PAGES:
        allowed = LADDER.index(role) >= LADDER.index(least)
        assert client.get(path).status_code == (200 if allowed else 403), path


def test_a_page_that_stayed_open_after_signing_out_asks_to_sign_in(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard")
    db.conn.execute("delete from sessions")

    for path, data in (
        ("/studio/bulk", {"slug": title.slug, "rating": "6"}),
        (f"/studio/titles/{title.slug}/remove", {}),
        (f"/studio/titles/{title.slug}/windows", {"ends_at": "2026-02-01"}),
        ("/studio/fields", {"label": "x", "kind": "text"}),
    ):
        answer = client.post(path, data=data)
        assert answer.status_code == 302, path
        assert answer.location.startswith("/login")
    assert titles.by_id(db, title.id).rating == ""


def test_the_effect_is_shown_made_and_undone(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", synopsis="<i>Bees</i>")
    wish = {"slug": [title.slug], "which": "ticked", "add_tags": "<b>bees</b>"}

    shown = client.post("/studio/bulk/preview", data=wish).get_data(as_text=True)
    assert "Change 1 title" in shown
    assert "<b>bees</b>" not in shown
    assert db.value("select count(*) from title_tags") == 0
    for _ in range(2):
        client.post("/studio/bulk", data=wish)
    (made,) = bulk.listing(db, client_settings(client))

    page = client.post(f"/studio/bulk/{made.public_id}/undo").get_data(as_text=True)
    assert "1 title is as it was" in page
    again = client.post(f"/studio/bulk/{made.public_id}/undo")
    assert again.status_code == 409


def client_settings(client: FlaskClient) -> Settings:
    found: Settings = client.application.extensions["matinee"].settings
    return found


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({}, "Say what is to change"),
        ({"rating": "x" * 21}, "20 characters"),
        ({"language": "'; drop table titles"}, "code such as"),
        ({"add_genres": "x" * 41}, "40 characters"),
        ({"move": "explode"}, "The move is one of"),
        ({"rating": "6", "slug": []}, "Choose at least one title"),
    ],
)
def test_a_wish_that_cannot_be_is_told_and_kept(
    client: FlaskClient,
    sign_in: SignIn,
    make: Builders,
    db: Database,
    typed: dict[str, object],
    told: str,
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard")
    form = {"slug": [title.slug], "drop_tags": "kept", **typed}
    if not typed:
        del form["drop_tags"]

    answer = client.post("/studio/bulk/preview", data=form)

    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert told in page
    assert not typed or 'value="kept"' in page
    assert bulk.listing(db, client_settings(client)) == []


def test_all_that_is_listed_is_meant_as_it_was_seen(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    for name in ("One", "Two"):
        make.title(name, state="draft")
    form = {"which": "listed", "by-stage": "draft", "rating": "6"}
    shown = client.post("/studio/bulk/preview", data=form).get_data(as_text=True)
    mark = shown.partition('name="mark" value="')[2].partition('"')[0]
    make.title("Three", state="draft")

    late = client.post("/studio/bulk", data=form | {"mark": mark})

    assert late.status_code == 409
    assert "look at it again" in late.get_data(as_text=True)
    assert db.value("select count(*) from titles where rating = '6'") == 0


def test_a_title_is_sent_back_and_four_eyes_hold(
    settings: Settings,
    clock: FixedClock,
    sign_in: SignIn,
    make: Builders,
    db: Database,
    storage: Storage,
) -> None:
    strict = replace(settings, studio=replace(settings.studio, four_eyes=True))
    app = create_app(strict, clock)
    app.testing = True
    client = app.test_client()
    sign_in(client, Role.PUBLISHER)
    client.environ_base["HTTP_X_CSRFTOKEN"] = _token(client)
    title = make.title("Orchard", state="ready")
    make.asset(title)
    path = f"/studio/titles/{title.slug}/review"

    client.post(path, data={"act": "ask", "note": "<script>"})
    page = text(client, f"/studio/titles/{title.slug}/history")
    assert "somebody else has to approve it" in page
    assert "<script>&lt;" not in page
    assert client.post(path, data={"act": "approve"}).status_code == 403
    publish = client.post(f"/studio/titles/{title.slug}/publish")
    assert publish.status_code == 409
    other = make.actor(Role.PUBLISHER)
    reviewing.approve(db, strict, other, title.slug)
    client.post(f"/studio/titles/{title.slug}/publish")

    assert titles.by_id(db, title.id).state == "published"


def _token(client: FlaskClient) -> str:
    page = client.get("/studio/").get_data(as_text=True)
    return page.partition('name="csrf-token" content="')[2].partition('"')[0]


def test_a_note_is_needed_to_send_back_and_what_was_typed_is_kept(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", state="ready")
    reviewing.ask(db, SYSTEM, title.slug)
    path = f"/studio/titles/{title.slug}/review"

    empty = client.post(path, data={"act": "reject", "note": " "})
    long = client.post(path, data={"act": "reject", "note": "y" * 2001})
    nonsense = client.post(path, data={"act": "explode"})

    assert [each.status_code for each in (empty, long, nonsense)] == [400] * 3
    assert "note-error" in empty.get_data(as_text=True)
    assert "y" * 2001 in long.get_data(as_text=True)
    assert titles.by_id(db, title.id).review == "asked"


def test_windows_are_typed_wrongly_and_kept(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard")
    path = f"/studio/titles/{title.slug}/windows"
    for typed, field in (
        ({"starts_at": "2026-03-01T00:00", "ends_at": "2026-02-01T00:00"}, "ends_at"),
        ({"starts_at": "soon"}, "starts_at"),
        ({"territories": "<b>, DE"}, "territories"),
        ({"group": "nobody"}, "group"),
        ({"max_height": "tall"}, "max_height"),
        ({}, ""),
    ):
        answer = client.post(path, data=typed)
        page = answer.get_data(as_text=True)
        assert answer.status_code == 400, typed
        assert "<b>, DE" not in page
        assert not field or f"new-{field}" in page
    assert availability.listing(db, title.slug) == []

    client.post(path, data={"ends_at": "2026-02-01T00:00", "territories": "de, at"})
    (window,) = availability.listing(db, title.slug)
    wrong = client.post(f"{path}/{window.id}", data={"ends_at": "never"})
    assert wrong.status_code == 400
    assert 'value="never"' in wrong.get_data(as_text=True)
    assert availability.listing(db, title.slug) == [window]
    client.post(f"{path}/{window.id}", data={"ends_at": "2026-04-01T00:00"})
    assert availability.listing(db, title.slug)[0].ends_at == (
        "2026-04-01T00:00:00.000000Z"
    )
    other = make.title("Harbour")
    mine = availability.listing(db, title.slug)[0].id
    foreign = client.post(
        f"/studio/titles/{other.slug}/windows/{mine}", data={"act": "remove"}
    )
    assert foreign.status_code == 400


@pytest.mark.parametrize(
    "query",
    ["", "?months=3", "?months=x&from=9999-99", "?from=2026-01&page=9", "?from="],
)
def test_the_timeline_opens_at_any_time(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database, query: str
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard")
    availability.add(db, SYSTEM, title.slug, ends_at="2026-02-01")
    availability.add(db, SYSTEM, title.slug, starts_at="2025-01-01")

    text(client, f"/studio/availability{query}")


def test_a_table_is_looked_at_imported_once_and_its_result_kept(
    client: FlaskClient, sign_in: SignIn, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    table = b"external_id,name\nf1,<b>Film</b>\nf2,\n"

    looked = client.post(
        "/studio/import", data={"table": (io.BytesIO(table), "<b>films.csv")}
    )
    path = looked.location
    page = text(client, path)
    assert "Import 1 of 2 rows" in page
    assert "<b>" not in page
    assert db.value("select count(*) from titles") == 0
    for _ in range(2):
        client.post(path)

    assert db.value("select count(*) from titles") == 1
    assert "Result of each row" in text(client, path)
    assert "created" in text(client, f"{path}/result.csv")
    other = client.application.test_client()
    sign_in(other, Role.PUBLISHER)
    assert other.get(path).status_code == 404


@pytest.mark.parametrize(
    "table",
    [None, b"", b"PK\x03\x04", b"a\0b", b"name\nFilm\n", b"external_id,x\nf1,1\n"],
)
def test_what_is_no_table_is_told_at_its_field(
    client: FlaskClient, sign_in: SignIn, db: Database, table: bytes | None
) -> None:
    sign_in(client, Role.PUBLISHER)
    data = {} if table is None else {"table": (io.BytesIO(table), "films.csv")}

    answer = client.post("/studio/import", data=data)

    assert answer.status_code == 400
    assert 'id="table-error"' in answer.get_data(as_text=True)
    assert db.value("select count(*) from imports") == 0


def test_exports_hold_no_formula(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    sign_in(client, Role.PUBLISHER)
    make.title("=HYPERLINK(1)", synopsis="@SUM(A1)")

    table = text(client, "/studio/import/titles.csv?form=plain")

    assert "'=HYPERLINK(1)" in table
    assert "'@SUM(A1)" in table


def test_contributors_see_their_own_in_the_list_and_no_trash(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    ida = sign_in(client, Role.CONTRIBUTOR)
    hers, other = make.title("Hers", actor=ida), make.title("Another's")
    trash.discard(db, SYSTEM, other.slug)

    page = text(client, "/studio/")

    assert f'value="{hers.slug}"' in page
    assert "Another's" not in page
    assert client.post(f"/studio/trash/{other.slug}/restore").status_code == 403
