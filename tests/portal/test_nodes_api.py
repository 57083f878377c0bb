"""Machines join over the API: with a token, over TLS, slowed down when they guess."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import __version__
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.delivery import edge_secret, tokens
from appliance.host_sections import Backup
from appliance.operations import invitations
from appliance.operations.invitations import Kind
from appliance.permissions import SYSTEM, Role
from appliance.settings import Nginx, Portal, Settings
from jobs.machines import joining
from tests.conftest import SignIn
from web import create_app

JOIN, REFRESH = "/api/v1/nodes/join", "/api/v1/nodes/refresh"
TLS = {"wsgi.url_scheme": "https", "REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    certificate = tmp_path / "certificate.pem"
    certificate.write_text("the certificate of the origin\n")
    return dataclasses.replace(
        settings,
        portal=Portal(public_url="https://films.example"),
        nginx=Nginx(tls_certificate=str(certificate)),
        backup=Backup(copies="/mnt/copies"),
    )


@pytest.fixture
def machine(settings: Settings, clock: FixedClock) -> FlaskClient:
    """A machine that is no part of it yet, at an address of its own."""
    app: Flask = create_app(settings, clock)
    app.testing = True
    app.test_client_class = _ByName
    return app.test_client()


@pytest.fixture
def client(machine: FlaskClient) -> FlaskClient:
    return machine


class _ByName(FlaskClient):
    """Asks by the name of the portal, the only one that it answers to."""

    def open(self, *args: Any, **extra: Any) -> Any:
        return super().open(*args, **{"base_url": "http://films.example", **extra})


def ask(machine: FlaskClient, token: str, **extra: Any) -> Any:
    environ = extra.pop("environ", TLS)
    body = {"token": token, "name": "berlin", "version": __version__} | extra
    return machine.post(JOIN, json=body, environ_overrides=environ)


def test_an_edge_gets_the_keys_of_tokens_and_no_others(
    db: Database, settings: Settings, machine: FlaskClient
) -> None:
    token, _ = invitations.invite(db, SYSTEM, Kind.EDGE)

    answer = ask(machine, token)

    assert answer.status_code == 201
    told = answer.get_json()
    files = {each["name"]: each["content"] for each in told["files"]}
    assert sorted(files) == [
        "edge-secret-1.key",
        "media-1.key",
        "next-media-2.key",
        "origin-ca.pem",
    ]
    assert files["media-1.key"].strip() == tokens.load(settings.keys).secrets["1"].hex()
    assert files["edge-secret-1.key"].strip() in edge_secret.known(settings.keys)
    assert told["settings"]["edge.origin"] == "https://films.example"
    assert told["node"] | {"id": ""} == {"id": "", "kind": "edge", "name": "berlin"}
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_standby_learns_where_the_copies_lie(
    db: Database, machine: FlaskClient
) -> None:
    token, _ = invitations.invite(db, SYSTEM, Kind.STANDBY)

    told = ask(machine, token).get_json()

    assert told["settings"]["backup.copies"] == "/mnt/copies"
    assert told["files"] == []


def test_a_token_that_was_used_or_ran_out_is_gone_and_another_is_refused(
    db: Database, machine: FlaskClient, clock: FixedClock
) -> None:
    token, _ = invitations.invite(db, SYSTEM, Kind.EDGE)
    old, _ = invitations.invite(db, SYSTEM, Kind.EDGE, minutes=1)
    assert ask(machine, token).status_code == 201
    clock.advance(minutes=2)

    assert ask(machine, token, name="bonn").status_code == 410
    expired = ask(machine, old, name="bonn")
    assert (expired.status_code, expired.get_json()["code"]) == (
        410,
        "node.token-expired",
    )
    foreign = ask(machine, "of-another-installation")
    assert (foreign.status_code, foreign.get_json()["code"]) == (403, "node.token")


def test_who_guesses_tokens_is_slowed_down(db: Database, machine: FlaskClient) -> None:
    token, _ = invitations.invite(db, SYSTEM, Kind.EDGE)
    tries = [ask(machine, f"a-guess-of-a-token-{each}") for each in range(8)]

    assert [each.status_code for each in tries][-1] == 429
    assert int(tries[-1].headers["Retry-After"]) > 0
    assert ask(machine, token).status_code == 429
    elsewhere = TLS | {"REMOTE_ADDR": "192.0.2.8"}
    assert ask(machine, token, environ=elsewhere).status_code == 201


@pytest.mark.parametrize(
    ("environ", "headers"),
    [
        ({"REMOTE_ADDR": "192.0.2.7"}, {}),
        ({"REMOTE_ADDR": "127.0.0.1"}, {"X-Forwarded-For": "192.0.2.7"}),
        ({"REMOTE_ADDR": ""}, {}),
    ],
)
def test_nothing_is_told_without_tls(
    db: Database,
    machine: FlaskClient,
    environ: dict[str, str],
    headers: dict[str, str],
) -> None:
    token, _ = invitations.invite(db, SYSTEM, Kind.EDGE)
    body = {"token": token, "name": "berlin", "version": __version__}

    plain = machine.post(JOIN, json=body, environ_overrides=environ, headers=headers)

    assert (plain.status_code, plain.get_json()["code"]) == (403, "node.plain")
    assert ask(machine, token, environ={"REMOTE_ADDR": "127.0.0.1"}).status_code == 201


def test_another_release_is_told_which_to_install(
    db: Database, machine: FlaskClient
) -> None:
    token, _ = invitations.invite(db, SYSTEM, Kind.EDGE)

    refused = ask(machine, token, version="0.0.1")

    assert refused.status_code == 409
    assert f"install {__version__} here first" in refused.get_json()["detail"]
    assert ask(machine, token).status_code == 201


def test_a_machine_gets_what_changed_until_it_is_put_out(
    db: Database, settings: Settings, machine: FlaskClient
) -> None:
    token, _ = invitations.invite(db, SYSTEM, Kind.EDGE)
    joined = ask(machine, token).get_json()
    tokens.rotate(settings.keys)
    body = {"credential": joined["credential"], "version": __version__}

    again = machine.post(REFRESH, json=body, environ_overrides=TLS)

    assert again.status_code == 200
    names = [each["name"] for each in again.get_json()["files"]]
    assert {"media-1.key", "media-2.key", "next-media-3.key"} <= set(names)
    assert again.get_json()["credential"] == ""
    known = tokens.to_check(settings.keys).secrets["3"]

    (removed,) = joining.remove(db, settings, SYSTEM, "berlin")

    refused = machine.post(REFRESH, json=body, environ_overrides=TLS)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "node.credential")
    assert edge_secret.known(settings.keys) == ()
    assert tokens.to_check(settings.keys).secrets["3"] != known
    assert any("matinee key rotate media" in each for each in removed.remaining)


def test_a_session_of_an_administrator_is_no_token(
    client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(client, Role.ADMINISTRATOR, "root")
    body = {"token": "x" * 43, "name": "berlin", "version": __version__}

    assert client.post(JOIN, json=body).status_code == 403


def test_joining_is_described(client: FlaskClient) -> None:
    described = json.loads(client.get("/api/v1/openapi.json").data)

    assert described["paths"][JOIN]["post"]["security"] == []
    assert "for one use" in json.dumps(described["components"]["schemas"]["NodeJoin"])
