"""One id for a request: nginx's own where it is in front, and nobody else's."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from appliance import trail
from appliance.db import Database
from appliance.events import Event, before
from appliance.media import jobs
from appliance.permissions import Role
from appliance.settings import Portal, Settings
from appliance.storage import Storage
from jobs.attempts import Spec
from tests.conftest import SignIn
from tests.portal.test_tus import FILM, begun, send
from web import create_app

ID = "0123456789abcdef" * 2


def id_of(client: FlaskClient, **sent: str) -> str:
    headers = {"X-Request-Id": sent.pop("sent", ID)}
    answer = client.get("/-/live", headers=headers, environ_overrides=sent)
    found: str = answer.headers["X-Request-Id"]
    assert re.fullmatch("[0-9a-f]{32}", found)
    return found


def test_nobody_else_gives_a_request_its_id(client: FlaskClient) -> None:
    assert id_of(client) != ID
    assert id_of(client) != id_of(client)


def test_a_proxy_that_is_believed_does(settings: Settings) -> None:
    portal = Portal(trusted_proxies="127.0.0.0/8")
    client = create_app(replace(settings, portal=portal)).test_client()

    assert id_of(client, REMOTE_ADDR="127.0.0.1") == ID
    assert id_of(client, REMOTE_ADDR="192.0.2.7") != ID
    for nonsense in ("", "x" * 32, ID + "0", f"{ID}\n", 'a"}' * 10, ID.upper()):
        sent = id_of(client, REMOTE_ADDR="127.0.0.1", sent=nonsense.strip())
        assert sent != nonsense


def test_problems_and_pages_of_errors_name_it(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = client.get("/api/v1/nothing-here")
    assert problem.get_json()["request"] == problem.headers["X-Request-Id"]

    broken: Callable[[], str] = lambda: str(1 / 0)  # noqa: E731 - a view
    broken.matinee_guard = "nobody"  # type: ignore[attr-defined]
    client.application.testing = False
    monkeypatch.setitem(client.application.view_functions, "auth.login_page", broken)
    page = client.get("/login")
    assert page.status_code == 500
    assert page.headers["X-Request-Id"] in page.text


def test_it_leads_from_an_upload_over_its_job_to_its_work(
    client: FlaskClient, sign_in: SignIn, db: Database, storage: Storage
) -> None:
    sign_in(client, Role.CONTRIBUTOR)
    last = send(client, begun(client), 0, FILM)
    request = last.headers["X-Request-Id"]

    for event in (Event.UPLOAD_FINISH, Event.JOB_CREATE):
        (recorded,) = before(db, name=event)
        assert recorded.request == request
    (job,) = jobs.unfinished(db)
    row = db.one("select asked_by_request from jobs where public_id = ?", (job,))
    assert row == {"asked_by_request": request}


def test_what_a_command_does_has_none(db: Database) -> None:
    assert trail.request() == ""
    assert Spec("job", "unit", "step", "key", {}).request == ""
