"""Groups of accounts: in the Studio, in the API, and as commands."""

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from flask.testing import FlaskClient

from appliance.access import availability
from appliance.accounts import groups
from appliance.db import Database
from appliance.errors import Conflict, Forbidden, InvalidInput, NotFound
from appliance.permissions import SYSTEM, Actor, Role
from tests.builders import Builders

SignIn = Callable[..., Actor]
Matinee = Callable[..., Result]


def test_accounts_join_and_leave_a_group(db: Database, make: Builders) -> None:
    make.actor(username="ada")
    groups.add(db, SYSTEM, "Training")

    assert groups.join(db, SYSTEM, "Training", "ada").members == 1
    assert groups.join(db, SYSTEM, "Training", "ada").members == 1
    assert groups.leave(db, SYSTEM, "Training", "ADA").members == 0
    with pytest.raises(NotFound, match="is not in"):
        groups.leave(db, SYSTEM, "Training", "ada")
    with pytest.raises(NotFound):
        groups.join(db, SYSTEM, "Sales", "ada")


@pytest.mark.parametrize("name", ["", "  ", "a:b", "a,b", "x" * 81, "\u202eevil"])
def test_a_name_that_rights_could_not_be_written_with_is_refused(
    db: Database, name: str
) -> None:
    with pytest.raises(InvalidInput):
        groups.add(db, SYSTEM, name)


def test_two_groups_are_not_called_the_same(db: Database) -> None:
    groups.add(db, SYSTEM, "Training")

    with pytest.raises(Conflict, match="already"):
        groups.add(db, SYSTEM, "training")


def test_a_group_that_windows_name_is_kept(db: Database, make: Builders) -> None:
    title = make.title()
    groups.add(db, SYSTEM, "Training")
    window = availability.add(db, SYSTEM, title.slug, group="Training")

    # Without it the title would have no window, and so be shown to everybody.
    with pytest.raises(Conflict, match="availability windows"):
        groups.remove(db, SYSTEM, "Training")

    availability.remove(db, SYSTEM, window.id)
    groups.remove(db, SYSTEM, "Training")
    assert groups.listing(db) == []


def test_only_administrators_change_groups(db: Database, make: Builders) -> None:
    publisher = make.actor(Role.PUBLISHER)

    with pytest.raises(Forbidden):
        groups.add(db, publisher, "Training")


def test_the_studio_makes_fills_and_removes_a_group(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    make.actor(username="ben")
    sign_in(client, Role.ADMINISTRATOR, "ada")

    made = client.post("/studio/groups", data={"name": "<b>Training</b>"})
    page = client.get(made.location)
    assert "&lt;b&gt;Training" in page.text
    assert "<b>Training" not in page.text

    refused = client.post(f"{made.location}/members", data={"username": "nobody"})
    assert refused.status_code == 400
    assert 'value="nobody"' in refused.text
    client.post(f"{made.location}/members", data={"username": "ben"})
    assert "ben" in client.get(made.location).text
    assert "&lt;b&gt;Training" in client.get("/studio/accounts/ben").text
    client.post(f"{made.location}/members/ben/remove")
    assert groups.listing(db)[0].members == 0

    assert client.get(f"{made.location}/remove").status_code == 200
    client.post(f"{made.location}/remove")
    assert groups.listing(db) == []


def test_a_refused_name_stays_in_the_form(client: FlaskClient, sign_in: SignIn) -> None:
    sign_in(client, Role.ADMINISTRATOR)

    answer = client.post("/studio/groups", data={"name": "a:b"})

    assert answer.status_code == 400
    assert 'value="a:b"' in answer.text
    assert "neither colons" in answer.text


def test_the_api_makes_fills_and_removes_a_group(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    make.actor(username="ben")
    sign_in(client, Role.ADMINISTRATOR)

    made = client.post("/api/v1/groups", json={"name": "Training"})
    assert made.status_code == 201
    address = f"/api/v1/groups/{made.get_json()['id']}"
    assert client.put(f"{address}/members/ben").get_json()["members"] == 1
    assert client.get(address).get_json()["members"] == [
        {"username": "ben", "display_name": "ben"}
    ]
    assert client.delete(f"{address}/members/ben").get_json()["members"] == 0
    assert client.delete(address).status_code == 204
    assert client.get("/api/v1/groups").get_json() == {"groups": []}
    assert client.get(address).status_code == 404


def test_viewers_reach_no_group(client: FlaskClient, sign_in: SignIn) -> None:
    sign_in(client)

    assert client.get("/api/v1/groups").status_code == 403
    assert client.get("/studio/groups").status_code == 403


def test_commands_make_fill_and_remove_a_group(
    matinee: Matinee, make: Builders
) -> None:
    make.actor(username="ada")
    make.actor(username="ben")

    assert matinee("group", "add", "Training").exit_code == 0
    assert "has 2 accounts" in matinee("group", "join", "Training", "ada", "ben").stdout
    listed = json.loads(matinee("group", "list", "--json").stdout)
    assert [(each["name"], each["members"]) for each in listed] == [("Training", 2)]
    assert "ben" in matinee("group", "list", "Training").stdout
    assert matinee("group", "leave", "Training", "ben").exit_code == 0
    assert matinee("group", "leave", "Training", "ben").exit_code == 4
    assert matinee("group", "remove", "Training", "--yes").exit_code == 0
    assert matinee("group", "remove", "Training", "--yes").exit_code == 4
