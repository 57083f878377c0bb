"""Webhooks and e-mail in the Studio, the API and the command."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from appliance.db import Database
from appliance.operations import deliveries, mail, webhooks
from appliance.permissions import SYSTEM, Role
from tests.conftest import SignIn

URL = "https://intranet.example/films"


@pytest.fixture
def admin(client: FlaskClient, sign_in: SignIn) -> FlaskClient:
    sign_in(client, Role.ADMINISTRATOR, "root")
    return client


def test_a_webhook_is_added_with_its_secret_shown_once(
    admin: FlaskClient, db: Database
) -> None:
    made = admin.post(
        "/studio/webhooks", data={"url": URL, "events": "title:* job:fail"}
    )
    page = made.get_data(as_text=True)
    (hook,) = webhooks.listing(db, SYSTEM)

    assert 'class="key">' in page
    assert hook.events == ("job:fail", "title:*")
    shown = admin.get(f"/studio/webhooks/{hook.id}").get_data(as_text=True)
    assert 'class="key">' not in shown
    assert URL in admin.get("/studio/webhooks").get_data(as_text=True)
    admin.post(f"/studio/webhooks/{hook.id}/test")
    (sent,) = deliveries.listing(db, SYSTEM, hook.id)
    assert admin.post(f"/studio/webhooks/{hook.id}/{sent.id}").status_code == 302
    admin.post(f"/studio/webhooks/{hook.id}", data={"url": URL})
    assert not webhooks.by_id(db, SYSTEM, hook.id).enabled
    admin.post(f"/studio/webhooks/{hook.id}/remove")
    assert webhooks.listing(db, SYSTEM) == []


@pytest.mark.parametrize(
    "form",
    [{"url": "intranet"}, {"url": "http://x.example/"}, {"url": URL, "events": "x"}],
)
def test_a_refused_webhook_keeps_what_was_typed(
    admin: FlaskClient, db: Database, form: dict[str, str]
) -> None:
    refused = admin.post("/studio/webhooks", data=form)

    assert refused.status_code == 400
    assert f'value="{form["url"]}"' in refused.get_data(as_text=True)
    assert webhooks.listing(db, SYSTEM) == []


def test_a_rule_of_mail_is_kept_and_removed(admin: FlaskClient, db: Database) -> None:
    admin.post(
        "/studio/mail",
        data={"event": "job:fail", "recipients": "ada@example.org, b@x.de"},
    )
    rules = mail.rules(db, SYSTEM)

    assert rules.recipients == {"job:fail": ("ada@example.org", "b@x.de")}
    assert "ada@example.org" in admin.get("/studio/mail").get_data(as_text=True)
    stale = admin.post(
        "/studio/mail", data={"event": "job:fail", "recipients": "", "revision": "0"}
    )
    assert stale.status_code == 409
    admin.post("/studio/mail", data={"event": "job:fail", "revision": rules.revision})
    assert mail.rules(db, SYSTEM).recipients == {}
    refused = admin.post(
        "/studio/mail", data={"event": "job:fail", "recipients": "ada"}
    )
    assert refused.status_code == 400
    assert 'value="ada"' in refused.get_data(as_text=True)
    assert (
        admin.post("/studio/mail/test", data={"recipient": "a@x.de"}).status_code == 503
    )


def test_publishers_see_none_of_it(client: FlaskClient, sign_in: SignIn) -> None:
    sign_in(client, Role.PUBLISHER, "ada")

    for path in ("/studio/webhooks", "/studio/mail", "/studio/tokens", "/studio/brand"):
        assert client.get(path).status_code == 403
    assert client.get("/api/v1/webhooks").status_code == 403


def test_api_and_command_do_the_same(admin: FlaskClient, matinee: Any) -> None:
    made = admin.post("/api/v1/webhooks", json={"url": URL, "events": ["title:*"]})
    assert made.status_code == 201
    hook = made.json["id"]  # type: ignore[index]

    assert json.loads(matinee("webhook", "list", "--json").stdout)[0]["id"] == hook
    assert matinee("webhook", "set", hook, "--off").exit_code == 0
    shown = admin.get("/api/v1/webhooks").json["webhooks"]  # type: ignore[index]
    assert shown[0]["enabled"] is False
    assert admin.post(f"/api/v1/webhooks/{hook}/test").status_code == 202
    (sent,) = json.loads(matinee("webhook", "log", hook, "--json").stdout)
    assert matinee("webhook", "replay", hook, sent["id"]).exit_code == 0
    assert matinee("webhook", "remove", hook, "--yes").exit_code == 0
    assert admin.delete(f"/api/v1/webhooks/{hook}").status_code == 404
    told = admin.put("/api/v1/mail", json={"event": "job:*", "recipients": ["a@x.de"]})
    assert told.status_code == 200
    assert json.loads(matinee("mail", "list", "--json").stdout) == {"job:*": ["a@x.de"]}
    assert matinee("mail", "test", "a@x.de").exit_code == 3
