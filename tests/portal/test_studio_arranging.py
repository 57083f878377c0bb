"""The Studio's pages of rows and collections."""

import re

from flask.testing import FlaskClient

from appliance.access import availability
from appliance.catalog import collections
from appliance.db import write
from appliance.discovery import arranging, home_rows
from appliance.permissions import SYSTEM, Role
from tests.builders import Builders
from tests.conftest import SignIn


def test_a_row_is_made_filled_moved_switched_off_and_removed(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    one, two = make.title("One", slug="one"), make.title("Two", slug="two")
    sign_in(client, Role.PUBLISHER)
    assert "Continue watching" in client.get("/studio/rows").text

    made = client.post("/studio/rows", data={"heading": "Picked", "kind": "chosen"})
    assert made.status_code == 302
    path = made.location
    page = client.get(path).text
    assert "The row is made" in page
    form = {
        "revision": "1",
        "heading": "Picked by us",
        "translations": "de: Von uns\n",
        "titles": f"{two.slug}  Two\nhttps://films.example/title/{one.slug}\n",
        "audience": "everyone",
        "group": "",
        "starts_at": "",
        "ends_at": "2030-01-01T12:00",
        "enabled": "1",
    }
    assert client.post(path, data=form).status_code == 303
    assert [row.heading for row in home_rows.listing(make.db)][4] == "Picked by us"
    cards = re.findall(r'<span class="name">(.*?)</span>', client.get("/").text)
    assert cards[:2] == ["Two", "One"]

    public_id = path.rsplit("/", 1)[-1]
    client.post(f"{path}/move", data={"act": "down"})
    assert [row.public_id for row in home_rows.listing(make.db)][5] == public_id
    client.post(f"{path}/move", data={"act": "off"})
    assert "Picked by us" not in client.get("/").text
    assert "Remove the row" in client.get(f"{path}/remove").text
    assert client.post(f"{path}/remove").status_code == 303
    assert client.get(path).status_code == 404


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    sign_in(client, Role.PUBLISHER)
    row = arranging.add(make.db, SYSTEM, "chosen", "Picked")
    path = f"/studio/rows/{row.public_id}"
    form = {"heading": "<b>Mine</b>", "titles": "no-such-title", "audience": "adults"}

    answer = client.post(path, data=form)

    assert answer.status_code == 400
    assert "There is no title “no-such-title”" in answer.text
    assert "titles-error" in answer.text
    assert "&lt;b&gt;Mine&lt;/b&gt;" in answer.text
    lines = client.post(path, data={**form, "titles": "", "translations": "Neu"})
    assert "translations-error" in lines.text
    empty = client.post("/studio/rows", data={"heading": " ", "kind": "chosen"})
    assert (empty.status_code, "heading-error" in empty.text) == (400, True)
    none = client.post("/studio/rows", data={"heading": "x", "kind": "collection"})
    assert none.status_code == 400
    assert home_rows.by_public_id(make.db, row.public_id) == row


def test_two_editors_of_a_row_are_told_of_one_another(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    sign_in(client, Role.PUBLISHER)
    row = arranging.add(make.db, SYSTEM, "rule", "A rule")
    arranging.change(make.db, SYSTEM, row.public_id, heading="Theirs")
    form = {"revision": "1", "heading": "Mine", "audience": "everyone"}

    answer = client.post(f"/studio/rows/{row.public_id}", data=form)

    assert answer.status_code == 409
    assert 'value="Mine"' in answer.text
    assert "Somebody changed the row “Theirs”" in answer.text
    assert 'name="revision" value="2"' in answer.text


def test_the_page_is_seen_as_a_group_and_as_a_child(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    with write(make.db):
        make.db.conn.execute("insert into groups (public_id, name) values ('g', 'Fit')")
    own = make.title("For fitters only", rating="18", age=18)
    make.title("For all ages", rating="0", age=0)
    availability.add(make.db, SYSTEM, own.slug, group="Fit")
    arranging.add(
        make.db, SYSTEM, "rule", "For children", rule={"rating": "0"}, audience="kids"
    )
    sign_in(client, Role.PUBLISHER)
    page = "/studio/rows/preview/page"

    as_nobody = client.get(page)
    as_group = client.get(f"{page}?group=Fit").text
    as_child = client.get(f"{page}?group=Fit&kids=1&age=6").text

    assert "For fitters only" not in as_nobody.text
    assert "For fitters only" in as_group
    assert "For children" not in as_group
    assert "For fitters only" not in as_child
    assert "For children" in as_child
    assert "frame-ancestors 'self'" in as_nobody.headers["Content-Security-Policy"]
    frame = client.get("/studio/rows/preview?screen=phone&kids=1&age=x")
    assert 'class="screen phone"' in frame.text
    assert "frame-src 'self'" in frame.headers["Content-Security-Policy"]
    assert (
        "frame-ancestors 'none'" in client.get("/").headers["Content-Security-Policy"]
    )


def test_a_collection_is_made_filled_and_removed(
    client: FlaskClient, make: Builders, sign_in: SignIn
) -> None:
    title = make.title("One", slug="one")
    sign_in(client, Role.PUBLISHER)
    assert "No collection yet" in client.get("/studio/collections").text

    made = client.post("/studio/collections", data={"name": "Safety & co"})
    path = made.location
    form = {"name": "Safety", "synopsis": "All of it.", "titles": "one  One"}
    assert client.post(path, data=form).status_code == 303
    found = collections.by_slug(make.db, path.rsplit("/", 1)[-1])
    assert (found.name, found.titles) == ("Safety", 1)
    assert title.name in client.get(path).text
    stale = client.post(path, data={**form, "seen": "2020", "name": "Mine"})
    assert (stale.status_code, 'value="Mine"' in stale.text) == (409, True)
    long = client.post(path, data={**form, "name": "x" * 101})
    assert (long.status_code, "name-error" in long.text) == (400, True)
    assert "Its titles stay" in client.get(f"{path}/remove").text
    assert client.post(f"{path}/remove").status_code == 303
    assert client.get(path).status_code == 404


def test_only_those_who_may_arrange_see_the_pages(
    client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(client, Role.CONTRIBUTOR)

    for path in (
        "rows",
        "rows/preview",
        "rows/preview/page",
        "rows/new",
        "collections",
    ):
        assert client.get(f"/studio/{path}").status_code == 403, path
