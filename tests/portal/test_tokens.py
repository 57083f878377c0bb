"""API tokens with a name, for some actions, until a day."""

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.accounts import tokens
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import Forbidden, InvalidInput, NotFound
from appliance.permissions import SYSTEM, Role
from tests.builders import Builders
from tests.conftest import SignIn


def bearer(app: Flask, text: str) -> Any:
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {text}"
    return client


def test_a_token_may_do_what_it_names_and_nothing_else(
    app: Flask, db: Database, make: Builders
) -> None:
    publisher = make.actor(Role.PUBLISHER, username="ada")
    text, _ = tokens.create(db, publisher, "ada", "List", ["portal:see"], 7)

    program = bearer(app, text)

    assert program.get("/api/v1/titles").status_code == 200
    assert program.get("/api/v1/jobs").status_code == 403
    assert program.get("/studio/").status_code == 403


def test_a_token_ends_on_its_day_and_when_it_is_revoked(
    app: Flask, db: Database, make: Builders, clock: FixedClock
) -> None:
    ada = make.actor(Role.VIEWER, username="ada")
    first, _ = tokens.create(db, ada, "ada", "First", ["portal:see"], 7)
    second, made = tokens.create(db, ada, "ada", "Second", ["portal:see"], 30)

    clock.advance(days=6)
    assert bearer(app, first).get("/api/v1/titles").status_code == 200
    clock.advance(days=2)
    assert bearer(app, first).get("/api/v1/titles").status_code == 401
    assert bearer(app, second).get("/api/v1/titles").status_code == 200
    tokens.revoke(db, ada, made.id)
    assert bearer(app, second).get("/api/v1/titles").status_code == 401


def test_a_token_can_do_no_more_than_its_account(
    db: Database, make: Builders, app: Flask
) -> None:
    ada = make.actor(Role.VIEWER, username="ada")

    with pytest.raises(Forbidden, match="title:edit"):
        tokens.create(db, ada, "ada", "More", ["title:edit"], 7)
    text, _ = tokens.create(db, ada, "ada", "Less", ["portal:see"], 7)
    refused = bearer(app, text).post(
        "/api/v1/tokens", json={"name": "More", "scopes": ["playback:open"]}
    )
    assert refused.status_code == 403


def test_tokens_of_others_are_nobodys_business(db: Database, make: Builders) -> None:
    ada, eve = make.actor(Role.VIEWER, username="ada"), make.actor(Role.VIEWER)
    _, made = tokens.create(db, ada, "ada", "Mine", ["portal:see"], 7)

    with pytest.raises(NotFound):
        tokens.revoke(db, eve, made.id)
    with pytest.raises(NotFound):
        tokens.create(db, eve, "ada", "Hers", ["portal:see"], 7)
    with pytest.raises(Forbidden):
        tokens.listing(db, eve, everybody=True)
    assert tokens.listing(db, eve) == []
    assert [each.id for each in tokens.listing(db, SYSTEM, everybody=True)] == [made.id]


@pytest.mark.parametrize(
    ("name", "scopes", "days"),
    [
        ("", ["portal:see"], 7),
        ("x" * 61, ["portal:see"], 7),
        ("Import", [], 7),
        ("Import", ["everything"], 7),
        ("Import", ["portal:see"], 0),
        ("Import", ["portal:see"], 367),
    ],
)
def test_what_cannot_be_a_token_is_refused(
    db: Database, make: Builders, name: str, scopes: list[str], days: int
) -> None:
    ada = make.actor(Role.ADMINISTRATOR, username="ada")

    with pytest.raises(InvalidInput):
        tokens.create(db, ada, "ada", name, scopes, days)


def test_the_page_shows_a_token_once(
    client: FlaskClient, sign_in: SignIn, db: Database
) -> None:
    ada = sign_in(client, Role.VIEWER, "ada")
    made = client.post(
        "/account/tokens",
        data={"name": "<b>Import</b>", "scopes": ["portal:see"], "days": "30"},
    )
    page = made.get_data(as_text=True)
    text = page.split('id="token">')[1].split("<")[0]

    assert len(text) > 40
    assert "<b>Import" not in page
    again = client.get("/account/tokens").get_data(as_text=True)
    assert text not in again
    assert "Import" in again
    (held,) = tokens.listing(db, ada)
    client.post(f"/account/tokens/{held.id}/revoke")
    assert tokens.listing(db, ada) == []
    refused = client.post("/account/tokens", data={"name": "Kept", "days": "30"})
    assert refused.status_code == 400
    assert 'value="Kept"' in refused.get_data(as_text=True)


def test_the_command_and_the_api_make_them_too(
    client: FlaskClient, sign_in: SignIn, matinee: Any
) -> None:
    sign_in(client, Role.ADMINISTRATOR, "root")
    made = client.post(
        "/api/v1/tokens", json={"name": "Nightly", "scopes": ["audit:read"]}
    )
    by_command = json.loads(
        matinee(
            *("token", "create", "root", "Shell", "--scope", "portal:see", "--json")
        ).stdout
    )

    assert made.status_code == 201
    assert by_command["token"] != made.json["token"]  # type: ignore[index]
    listed = json.loads(matinee("token", "list", "--json").stdout)
    # The command has a clock of its own, for which what the page made is long over.
    assert [each["name"] for each in listed] == ["Shell"]
    assert "token" not in listed[0]
    assert matinee("token", "revoke", by_command["id"]).exit_code == 0
    shown = client.get("/studio/tokens").get_data(as_text=True)
    assert "Nightly" in shown
    assert "Shell" not in shown
