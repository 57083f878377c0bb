"""``GET /api/v1/titles/<slug>/access``: may I watch this, and why not."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from appliance.access import availability, entitlements
from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.permissions import SYSTEM, Actor, Role
from tests.builders import Builders

SignIn = Callable[..., Actor]


@pytest.fixture
def title(make: Builders) -> Title:
    title = make.title("Solaris")
    make.asset(title)
    return title


def _ask(client: FlaskClient, title: Title, **query: str) -> Any:
    return client.get(f"/api/v1/titles/{title.slug}/access", query_string=query)


def test_a_viewer_learns_whether_and_why_not_and_nothing_of_the_set_up(
    client: FlaskClient, sign_in: SignIn, db: Database, title: Title
) -> None:
    sign_in(client, Role.VIEWER, "ada")
    assert _ask(client, title).get_json()["allowed"] is True

    (everybody,) = entitlements.listing(db)
    entitlements.withdraw(db, SYSTEM, everybody.id)
    entitlements.grant(db, SYSTEM, "everyone", starts_at="2026-02-01", max_height=720)
    told = _ask(client, title).get_json()

    assert told == {
        "allowed": False,
        "sentence": "Your right to watch this title has not begun yet. It begins on"
        " 1 February 2026, 00:00 UTC.",
        "reasons": [
            {
                "code": "not-yet",
                "sentence": "Your right to watch this title has not begun yet. It"
                " begins on 1 February 2026, 00:00 UTC.",
                "begins_at": "2026-02-01T00:00:00.000000Z",
            }
        ],
        "limits": {"streams": 0, "uhd_streams": 0, "max_height": None},
        "until": None,
        "at": "2026-01-02T12:00:00.000000Z",
        "account": "ada",
        "profile": "ada",
        "title": title.slug,
    }
    later = _ask(client, title, at="2026-02-01").get_json()
    assert (later["allowed"], later["limits"]["max_height"]) == (True, 720)


def test_a_viewer_learns_nothing_of_what_is_not_shown_yet(
    client: FlaskClient, sign_in: SignIn, db: Database, title: Title
) -> None:
    sign_in(client, Role.VIEWER, "ada")

    availability.add(db, SYSTEM, title.slug, starts_at="2026-02-01")

    assert _ask(client, title).status_code == 404


def test_a_viewer_may_not_ask_about_others(
    client: FlaskClient, sign_in: SignIn, make: Builders, title: Title
) -> None:
    sign_in(client, Role.VIEWER, "ada")
    make.actor(username="ben")

    for somebody in ("ben", "nobody"):
        answer = _ask(client, title, account=somebody)
        assert answer.status_code == 403, answer.text
        assert answer.get_json()["code"] == "permission.missing"
    assert _ask(client, title, account="ADA").get_json()["allowed"] is True


def test_whoever_explains_access_sees_what_was_considered(
    client: FlaskClient,
    sign_in: SignIn,
    make: Builders,
    db: Database,
    title: Title,
) -> None:
    sign_in(client, Role.PUBLISHER)
    make.actor(username="ben")
    right = entitlements.grant(
        db, SYSTEM, "account:ben", source="plan:basic", ends_at="2026-01-01", streams=1
    )
    window = availability.add(db, SYSTEM, title.slug, territories=["DE"])

    told = _ask(client, title, account="ben", address="81.2.69.142").get_json()

    assert told["reasons"][0]["code"] == "territory-unknown"
    assert (told["address"], told["territory"]) == ("81.2.69.142", None)
    assert [each["source"] for each in told["rights"]] == ["installation", "plan:basic"]
    assert told["rights"][1] == {
        "id": right.id,
        "source": "plan:basic",
        "starts_at": None,
        "ends_at": "2026-01-01T00:00:00.000000Z",
        "streams": 1,
        "uhd_streams": None,
        "max_height": None,
        "counts": False,
        "reasons": ["no-longer"],
    }
    assert [(each["id"], each["counts"]) for each in told["windows"]] == [
        (window.id, False)
    ]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"at": "tomorrow"}, 400, "time.invalid"),
        ({"profile": "Kids"}, 404, "profile.missing"),
        ({"account": "x" * 201}, 400, "request.invalid"),
    ],
)
def test_bad_questions_are_refused_in_words(
    client: FlaskClient,
    sign_in: SignIn,
    title: Title,
    query: dict[str, str],
    status: int,
    code: str,
) -> None:
    sign_in(client, Role.VIEWER)

    answer = _ask(client, title, **query)

    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    assert answer.get_json()["code"] == code


def test_a_title_one_may_not_see_is_not_there(
    client: FlaskClient, sign_in: SignIn, make: Builders, title: Title
) -> None:
    assert _ask(client, title).status_code == 401
    sign_in(client, Role.VIEWER)
    assert _ask(client, make.title(state="draft")).status_code == 404
