"""The page that says who may watch what, and everything that decides it."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from appliance.access import availability, entitlements
from appliance.access.evaluate import Reason
from appliance.accounts import profiles
from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.permissions import SYSTEM, Actor, Role
from tests.builders import Builders
from web.studio.access import IN_SHORT

SignIn = Callable[..., Actor]


@pytest.fixture
def title(make: Builders) -> Title:
    return make.title("Solaris", rating="12")


@pytest.fixture
def studio(client: FlaskClient, sign_in: SignIn, make: Builders) -> FlaskClient:
    """A publisher in the Studio, and an account “ada” to ask about."""
    sign_in(client, Role.PUBLISHER)
    make.actor(username="ada")
    return client


def _ask(studio: FlaskClient, title: Title, **query: str) -> str:
    asked = {"user": "ada", "title": title.slug} | query
    answer = studio.get("/studio/access", query_string=asked)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_page_asks_first_and_offers_titles(
    studio: FlaskClient, title: Title
) -> None:
    page = studio.get("/studio/access").text

    assert f'<option value="{title.slug}">Solaris</option>' in page
    assert "What was considered" not in page
    assert 'href="/studio/access" aria-current="page"' in page


def test_a_yes_is_said_plainly_with_what_it_rests_on(
    studio: FlaskClient, db: Database, title: Title
) -> None:
    entitlements.grant(
        db, SYSTEM, "account:ada", source="plan:basic", streams=2, max_height=720
    )

    page = _ask(studio, title)

    assert "ada may watch “Solaris”" in page
    assert "Yes, without an end." in page
    assert "<strong>installation</strong>" in page
    assert "<strong>plan:basic</strong>" in page
    assert "2 streams, up to 720p" in page
    assert "0 now, at most 2" in page
    assert f'href="/studio/titles/{title.slug}"' in page


def test_a_no_gives_every_reason_and_shows_what_does_not_count(
    studio: FlaskClient, db: Database, title: Title
) -> None:
    db.conn.execute("insert into groups values (1, 'g1', 'Training')")
    availability.add(
        db,
        SYSTEM,
        title.slug,
        starts_at="2026-02-01",
        territories=["AT"],
        group="Training",
    )
    profiles.limit(db, SYSTEM, profiles.named(db, "ada").public_id, 6)
    entitlements.withdraw(db, SYSTEM, entitlements.listing(db)[0].id)
    entitlements.grant(db, SYSTEM, "account:ada", ends_at="2026-01-01")

    page = _ask(studio, title, address="81.2.69.142")

    assert "ada may not watch “Solaris”" in page
    for code in (
        "no-longer",
        "not-yet-available",
        "territory-unknown",
        "not-for-group",
        "rating-too-high",
    ):
        assert f"<code>{code}</code>" in page
    assert "Ended" in page
    assert "Not open yet, Country unknown, Other group" in page
    assert "Austria" in page
    assert "81.2.69.142, country unknown" in page
    assert "12, from age 12" in page


def test_another_time_can_be_asked_about(
    studio: FlaskClient, db: Database, title: Title
) -> None:
    availability.add(db, SYSTEM, title.slug, starts_at="2026-02-01")

    assert "ada may not watch" in _ask(studio, title)
    page = _ask(studio, title, at="2026-02-01T20:00")
    assert "ada may watch" in page
    assert 'value="2026-02-01T20:00"' in page
    assert "1 Feb 2026, 20:00 UTC" in page


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ({"user": "nobody"}, 404, "There is no account “nobody”."),
        ({"title": "nothing"}, 404, "There is no title “nothing”."),
        ({"at": "tomorrow"}, 400, "“tomorrow” is no time"),
        ({"profile": "Kids"}, 404, "has no profile “Kids”"),
        ({"user": "<b>"}, 404, "“&lt;b&gt;”"),
    ],
)
def test_a_question_that_can_t_be_answered_says_why_and_keeps_what_was_typed(
    studio: FlaskClient, title: Title, query: dict[str, str], status: int, says: str
) -> None:
    asked = {"user": "ada", "title": title.slug} | query

    answer = studio.get("/studio/access", query_string=asked)

    assert answer.status_code == status
    assert says in answer.text
    assert f'value="{title.slug}"' in answer.text


def test_names_of_accounts_are_offered_to_those_who_manage_them(
    client: FlaskClient, sign_in: SignIn, studio: FlaskClient
) -> None:
    assert '<option value="ada">' not in studio.get("/studio/access").text

    sign_in(client, Role.ADMINISTRATOR)

    assert '<option value="ada">' in client.get("/studio/access").text


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CONTRIBUTOR])
def test_it_is_for_those_who_may_explain_access(
    client: FlaskClient, sign_in: SignIn, role: Role
) -> None:
    sign_in(client, role)

    assert client.get("/studio/access").status_code == 403


def test_every_reason_of_a_right_or_a_window_has_short_words() -> None:
    of_the_viewer = {
        Reason.ACCOUNT_DISABLED,
        Reason.SIGNED_OUT,
        Reason.TITLE_UNAVAILABLE,
        Reason.NOT_ENTITLED,
        Reason.RATING_TOO_HIGH,
        Reason.RATING_UNKNOWN,
        Reason.STREAM_LIMIT,
    }

    assert set(IN_SHORT) == set(Reason) - of_the_viewer
