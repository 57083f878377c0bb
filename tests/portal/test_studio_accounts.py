"""Accounts and the audit log in the Studio."""

import csv
import io
import json

import pytest
from flask.testing import FlaskClient

from appliance.accounts import people, sessions
from appliance.db import Database, write
from appliance.errors import Unauthenticated
from appliance.events import Event, record
from appliance.permissions import Role
from appliance.settings import Settings
from tests.builders import Builders
from tests.conftest import SignIn

PASSWORD = "a fine long password"


@pytest.fixture
def admin(client: FlaskClient, sign_in: SignIn) -> FlaskClient:
    sign_in(client, Role.ADMINISTRATOR, "root")
    return client


def shown(client: FlaskClient, path: str) -> str:
    return client.get(path).get_data(as_text=True)


def test_an_account_is_created_and_can_sign_in(
    admin: FlaskClient, db: Database, settings: Settings
) -> None:
    answer = admin.post(
        "/studio/accounts/new",
        data={
            "username": "vera",
            "display_name": "Vera <Viewer>",
            "email": "vera@example.org",
            "password": PASSWORD,
            "roles": ["viewer", "contributor"],
        },
    )

    assert answer.location == "/studio/accounts/vera"
    account = people.find(db, "vera")
    assert account.roles == {Role.VIEWER, Role.CONTRIBUTOR}
    _, who = sessions.sign_in(
        db, settings, "vera", PASSWORD, None, address="", user_agent=""
    )
    assert who.account_id == account.id
    assert "Vera &lt;Viewer&gt;" in shown(admin, "/studio/accounts")


def test_a_refused_account_keeps_what_was_typed_but_not_the_password(
    admin: FlaskClient, db: Database
) -> None:
    answer = admin.post(
        "/studio/accounts/new",
        data={"username": "vera", "display_name": "Vera", "password": "short"},
    )

    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert 'role="alert"' in page
    assert 'value="vera"' in page
    assert "short" not in page.split("<main", 1)[1].replace("shorter", "")
    assert [each.username for each in people.listing(db)] == ["root"]


def test_a_user_name_is_given_once(admin: FlaskClient) -> None:
    answer = admin.post(
        "/studio/accounts/new",
        data={"username": "ROOT", "password": PASSWORD, "roles": "viewer"},
    )

    assert answer.status_code == 400
    assert "choose another user name" in answer.get_data(as_text=True)


def test_roles_are_changed(admin: FlaskClient, make: Builders, db: Database) -> None:
    make.actor(Role.VIEWER, username="carl")

    admin.post("/studio/accounts/carl/roles", data={"roles": ["publisher", "god"]})

    assert people.find(db, "carl").roles == {Role.PUBLISHER}


def test_an_account_keeps_at_least_one_role(
    admin: FlaskClient, make: Builders, db: Database
) -> None:
    make.actor(Role.VIEWER, username="carl")

    answer = admin.post("/studio/accounts/carl/roles", data={})

    assert answer.status_code == 400
    assert "at least one role" in answer.get_data(as_text=True)
    assert people.find(db, "carl").roles == {Role.VIEWER}


@pytest.mark.parametrize(
    ("path", "status"), [("roles", 400), ("disable", 409)], ids=["roles", "disable"]
)
def test_the_last_administrator_stays(
    admin: FlaskClient, db: Database, path: str, status: int
) -> None:
    answer = admin.post(f"/studio/accounts/root/{path}", data={"roles": "viewer"})

    assert answer.status_code == status
    assert "the last administrator" in answer.get_data(as_text=True)
    assert people.find(db, "root").state == "active"


def test_an_account_is_disabled_after_a_question_and_enabled(
    admin: FlaskClient, make: Builders, db: Database
) -> None:
    make.actor(Role.VIEWER, username="carl")

    assert "Disable “carl”?" in shown(admin, "/studio/accounts/carl/disable")
    admin.post("/studio/accounts/carl/disable")
    assert people.find(db, "carl").state == "disabled"

    admin.post("/studio/accounts/carl/enable")
    assert people.find(db, "carl").state == "active"


def test_a_password_is_reset(
    admin: FlaskClient, make: Builders, db: Database, settings: Settings
) -> None:
    make.actor(Role.VIEWER, username="carl")

    admin.post("/studio/accounts/carl/password", data={"password": PASSWORD})

    _, who = sessions.sign_in(
        db, settings, "carl", PASSWORD, None, address="", user_agent=""
    )
    assert who.username == "carl"


def test_a_weak_password_is_refused(
    admin: FlaskClient, make: Builders, db: Database, settings: Settings
) -> None:
    make.actor(Role.VIEWER, username="carl")

    answer = admin.post("/studio/accounts/carl/password", data={"password": "123"})

    assert answer.status_code == 400
    with pytest.raises(Unauthenticated):
        sessions.sign_in(db, settings, "carl", "123", None, address="", user_agent="")


def test_sessions_are_ended_one_by_one_or_all_at_once(
    admin: FlaskClient, make: Builders, db: Database, settings: Settings
) -> None:
    carl = make.actor(Role.VIEWER, username="carl")
    assert carl.account_id
    tokens = [
        sessions.start(
            db, settings, carl.account_id, address=f"192.0.2.{each}", user_agent="Fox"
        )
        for each in range(3)
    ]
    first = tokens[0][1].session_id
    assert "192.0.2.0" in shown(admin, "/studio/accounts/carl")

    admin.post(f"/studio/accounts/carl/sessions/{first}")
    alive = [sessions.resolve(db, settings, token) is not None for token, _ in tokens]
    assert alive == [False, True, True]

    admin.post("/studio/accounts/carl/sessions")
    assert sessions.listing(db, carl.account_id) == []


def test_an_account_that_is_not_there_is_not_found(admin: FlaskClient) -> None:
    assert admin.get("/studio/accounts/nobody").status_code == 404
    assert admin.post("/studio/accounts/nobody/disable").status_code == 404


def test_the_audit_log_tells_who_did_what_newest_first(
    admin: FlaskClient, make: Builders
) -> None:
    make.actor(Role.VIEWER, username="carl")
    admin.post("/studio/accounts/carl/disable")
    admin.post("/studio/accounts/carl/enable")

    page = shown(admin, "/studio/audit")

    assert page.index("account:enable</code>") < page.index("account:disable</code>")
    assert "127.0.0.1" in page
    only = shown(admin, "/studio/audit?event=account:disable&who=ROOT")
    assert "<code>account:disable</code>" in only
    assert "<code>account:enable</code>" not in only
    assert "Nothing of that kind" in shown(admin, "/studio/audit?who=nobody")


def test_the_audit_log_is_turned_page_by_page(
    admin: FlaskClient, make: Builders, db: Database
) -> None:
    make.actor(Role.VIEWER, username="carl")
    for _ in range(60):
        people.disable(db, make.actor(Role.ADMINISTRATOR), "carl")
        people.enable(db, make.actor(Role.ADMINISTRATOR), "carl")

    first = shown(admin, "/studio/audit")
    assert first.count("<code>account:") == 100
    older = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert 0 < shown(admin, older).count("<code>account:") < 100


def test_the_audit_log_is_narrowed_by_subject_and_time(
    admin: FlaskClient, make: Builders
) -> None:
    make.actor(Role.VIEWER, username="carl")
    admin.post("/studio/accounts/carl/disable")

    assert "account:disable</code>" in shown(admin, "/studio/audit?subject=account")
    assert "Nothing of that kind" in shown(admin, "/studio/audit?subject=acc")
    assert "account:disable</code>" in shown(admin, "/studio/audit?from=2000-01-01")
    assert "Nothing of that kind" in shown(admin, "/studio/audit?until=2000-01-01")
    wrong = admin.get("/studio/audit?from=yesterday&who=root")
    assert wrong.status_code == 400
    text = wrong.get_data(as_text=True)
    assert "“yesterday” is no time" in text
    assert 'value="root"' in text


def test_the_audit_log_is_saved_as_a_table_in_which_nothing_runs(
    admin: FlaskClient, db: Database, make: Builders
) -> None:
    root = make.actor(Role.ADMINISTRATOR, username="=cmd|calc")
    with write(db):
        for number in range(1100):
            record(db, root, Event.TITLE_UPDATE, f"title/{number}", name="Ä; “x”")

    answer = admin.get("/studio/audit.csv?event=title:update")
    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))

    assert len(rows) == 1100
    assert rows[0]["subject"] == "title/1099"
    assert {row["who"] for row in rows} == {"'=cmd|calc"}
    assert json.loads(rows[0]["data"]) == {"name": "Ä; “x”"}
    assert admin.get("/studio/audit.csv?from=x").status_code == 400
