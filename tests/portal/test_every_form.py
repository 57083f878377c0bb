"""What no form may do, whatever is typed into it, and whoever sends it."""

import hashlib

import pytest
from flask.testing import FlaskClient

from appliance.db import Database
from appliance.permissions import Role
from tests.builders import Builders
from tests.conftest import SignIn
from tests.portal.forms import Form, all_forms

_HOSTILE = "\"><script>alert(1)</script>'; drop table titles; --"
_WORDS = "Words that somebody typed"
_TEXTS = frozenset({"text", "textarea", "search", "email", "url", "input"})
_BAD = {
    "nothing": "",
    "too much": "x" * 100_000,
    "markup": _HOSTILE,
    "a formula": '=cmd|" /C calc"!A0',
    "control characters": "a\x00b\x1b[2J\u202e",
    "no number": "twelve",
}
# What changes with every request, or by being refused.
_RESTLESS = frozenset({"sessions", "sign_in_failures", "sqlite_sequence"})


@pytest.fixture
def house(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> tuple[FlaskClient, list[Form]]:
    """An administrator's browser in a house with something of everything."""
    sign_in(client, Role.ADMINISTRATOR, "root")
    make.account("carl")
    make.asset(make.title("The First Film", genres=("Drama",)), captions=("en",))
    series = make.title("A Series", kind="series")
    make.title("Part one", kind="episode", parent_id=series.id, season_number=1)
    forms = all_forms(client)
    assert len(forms) > 50, "something keeps the pages from being walked through"
    return client, forms


def test_no_form_breaks_or_repeats_markup_whatever_is_typed(
    house: tuple[FlaskClient, list[Form]], db: Database
) -> None:
    client, forms = house
    wrong = []
    for form in forms:
        for what, value in _BAD.items() if form.fields else ():
            before = _contents(db)
            answer = client.post(form.action, data=_filled(form, value))
            told = f"{what} at {form.action} ({form.page}): {answer.status_code}"
            # 503 is the sentence that something must be set up first.
            if answer.status_code >= 500 and answer.status_code != 503:
                wrong.append(told)
            if b"<script>alert(1)" in answer.get_data():
                wrong.append(f"{told}, and the markup is repeated")
            if answer.status_code >= 400 and _contents(db) != before:
                wrong.append(f"{told}, and something is stored")
    assert not wrong, "\n".join(wrong)


def test_what_was_typed_is_kept_where_something_is_wrong_with_it(
    house: tuple[FlaskClient, list[Form]],
) -> None:
    client, forms = house
    lost = []
    for form in forms:
        if not any(each.kind in _TEXTS for each in form.fields):
            continue
        sent = dict(form.hidden)
        for each in form.fields:
            sent[each.name] = _WORDS if each.kind in _TEXTS else "twelve"
        answer = client.post(form.action, data=sent)
        refused = answer.status_code in (400, 409, 413, 422)
        if refused and _WORDS not in answer.get_data(as_text=True):
            lost.append(f"{form.action} ({form.page}): {answer.status_code}")
    assert not lost, "\n".join(lost)


def test_a_page_that_was_left_open_changes_nothing_after_signing_out(
    house: tuple[FlaskClient, list[Form]], db: Database
) -> None:
    client, forms = house
    client.post("/logout")
    before = _contents(db)
    let_in = []
    for form in forms:
        if form.action.startswith(("/login", "/setup", "/logout")):
            continue
        sent = dict(form.hidden) | {each.name: each.value for each in form.fields}
        answer = client.post(form.action, data=sent)
        led_to_sign_in = answer.status_code in (302, 303) and (
            answer.location.startswith("/login")
        )
        if not led_to_sign_in and answer.status_code not in (400, 401, 403):
            let_in.append(f"{form.action}: {answer.status_code}")
    assert not let_in, "\n".join(let_in)
    assert _contents(db) == before


def _filled(form: Form, value: str) -> dict[str, str]:
    return dict(form.hidden) | {each.name: value for each in form.fields}


def _contents(db: Database) -> str:
    """Return what all tables hold, as one word."""
    found = hashlib.sha256()
    for row in db.rows("select name from sqlite_master where type = 'table'"):
        name = row["name"]
        if name not in _RESTLESS and "_fts" not in name:
            for each in db.conn.execute(f'select * from "{name}"'):
                found.update(repr(tuple(each)).encode())
    return found.hexdigest()
