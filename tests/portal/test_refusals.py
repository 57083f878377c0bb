"""What is refused, in the language of whoever reads it."""

import ast
import html
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance import errors
from appliance.access.evaluate import SENTENCES
from appliance.accounts import pins, profiles, sessions
from appliance.db import Database
from appliance.permissions import ROLES, SYSTEM, Action, Actor, Role
from appliance.settings import Settings
from tests.builders import PASSWORD, Builders
from tests.reached import Place, reached
from web import create_app, guard, languages, refusals
from web.refusals import titles
from web.refusals.watching import REASONS

GERMAN = {"Accept-Language": "de"}
OF_A_GERMAN_PAGE = {languages.PAGE: "de", "Accept": "application/json"}

_WEB = Path(__file__).parents[2] / "web"
_OF_STUDIO = "templates/studio/*"
# What is out of order on a machine: viewers read that it is, and operators the log.
_OF_OPERATORS = (
    *("access.geoip", "config.value", "database.", "keyring.", "objects."),
    *("outbound.", "policy.", "protection.", "storage.", "totp.key"),
    # What services outside and their secrets are called, in front of a code.
    *("{code}-", "{place.code}-", "{self._place.code}-", "{self.code}-"),
    # Said of people and films to whoever administers them.
    *("email.invalid", "library.missing", "role.none", "time.invalid"),
)
# What codes can be that are put together, or given.
_STAND_FOR = {
    "{self.word}.missing": ("genre.missing", "tag.missing"),
    "code": ("pin.pause", "sign-in.pause"),
    "error.code": (),
}
_ERRORS = {
    name: each
    for name, each in vars(errors).items()
    if isinstance(each, type) and issubclass(each, errors.MatineeError)
}


def _views(app: Flask) -> Iterator[Place]:
    """Return what a viewer reaches with a page, a player or a form."""
    for rule in app.url_map.iter_rules():
        view: Any = app.view_functions[rule.endpoint]
        place = rule.endpoint.partition(".")[0]
        needs = getattr(view, "matinee_guard", None)
        if isinstance(needs, Action):
            theirs = needs in ROLES[Role.VIEWER]
        else:
            theirs = needs is not None and place not in ("api", "internal", "studio")
        if theirs and place != "monitoring":
            while hasattr(view, "__wrapped__"):
                view = view.__wrapped__
            yield view.__module__, view.__qualname__.partition(".")[0]
    yield from (("web.guard", "_enforce"), ("web.house", "_refuse_while_closed"))


def _raised(app: Flask) -> Iterator[tuple[str, str, ast.Call]]:
    """Return each code that a viewer can meet, where, and how the error is made."""
    for module, statement in reached(set(_views(app))):
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and _called(node) in _ERRORS and node.args:
                where = f"{module}:{node.lineno}"
                for code in _codes(node.args[0]):
                    if not code.startswith(_OF_OPERATORS):
                        yield code, where, node


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func).rpartition(".")[2]


def _codes(given: ast.expr) -> tuple[str, ...]:
    """Return what a code can be: itself, or of ``f"filter.{name}"`` filter.*."""
    if isinstance(given, ast.Constant):
        return (str(given.value),)
    text = ast.unparse(given)
    if isinstance(given, ast.JoinedStr):
        text = text[2:-1]
    together = re.sub(r"^(\w+)\.\{.*", r"\1.*", text)
    return _STAND_FOR.get(text, (together,))


def test_every_refusal_that_a_viewer_can_meet_has_a_sentence(app: Flask) -> None:
    met = {code: where for code, where, _ in _raised(app)}
    own = refusals.SENTENCES.keys()

    assert {code: where for code, where in met.items() if code not in own} == {}


def test_no_sentence_is_kept_for_what_nobody_refuses_any_more(app: Flask) -> None:
    met = {code for code, _, _ in _raised(app)} | {"internal", "http.*"}
    subjects = {code.removesuffix("*") for code in met if code.endswith("*")}

    kept = refusals.SENTENCES.keys() - met
    assert {code for code in kept if not code.startswith(tuple(subjects))} == set()


def test_what_stands_in_a_sentence_is_in_the_details_of_its_error(app: Flask) -> None:
    lacking = {}
    for code, where, node in _raised(app):
        sentence = refusals.SENTENCES[code]
        told = () if callable(sentence) else re.findall(r"%\((\w+)\)", str(sentence))
        given = ast.unparse(node.args[2]) if len(node.args) > 2 else ""
        if any(f"'{each}':" not in given for each in told):
            lacking[code] = where

    assert lacking == {}


def test_every_reason_and_every_heading_is_said() -> None:
    spoken = {reason: str(sentence) for reason, sentence in REASONS.items()}
    headed = {str(each) for each in titles.OF_KINDS}

    assert spoken == SENTENCES
    assert {each.title for each in _ERRORS.values()} == headed


def test_viewers_are_told_nothing_in_bare_english() -> None:
    bare = [
        f"{path.name}: {each}"
        for folder in ("auth", "portal", "profiles", "templates")
        for path in sorted((_WEB / folder).rglob("*.*"))
        if path.suffix in (".py", ".html") and not path.match(_OF_STUDIO)
        for each in re.findall(
            r"error\.message|flash\(\s*f?\"", path.read_text(encoding="utf-8")
        )
    ]

    # It stands in the Studio alone.
    assert bare == ["custom_fields.html: error.message"]


@pytest.fixture
def german(
    client: FlaskClient, make: Builders, db: Database, settings: Settings
) -> Actor:
    """A viewer whose profile reads German; the browser asks for Spanish."""
    token, signed_in = sessions.start(
        *(db, settings, make.account("ada").id), address="127.0.0.1", user_agent="test"
    )
    db.conn.execute("update profiles set language = 'de'")
    client.set_cookie(guard.COOKIE, token)
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "es"
    return signed_in.actor("127.0.0.1")


def _text(answer: TestResponse) -> str:
    return html.unescape(answer.text)


def test_a_wrong_password_is_refused_in_german(
    client: FlaskClient, make: Builders
) -> None:
    make.account("ada")
    form = {"username": "ada", "password": "a guess"}

    answer = client.post("/login", data=form, headers=GERMAN)

    assert answer.status_code == 401
    assert "Benutzername und Passwort passen nicht zusammen." in _text(answer)


def test_too_many_tries_are_told_with_the_time_to_wait_in_german(
    client: FlaskClient, make: Builders, settings: Settings
) -> None:
    make.account("ada")
    form = {"username": "ada", "password": "a guess"}
    for _ in range(settings.accounts.throttle_after):
        client.post("/login", data=form)

    answer = client.post("/login", data=form, headers=GERMAN)

    assert answer.status_code == 429
    wait = re.search(r"Warten Sie (\d+) (Sekunde|Minute)", _text(answer))
    assert wait, _text(answer)


def test_a_wrong_pin_is_refused_in_german(
    client: FlaskClient, german: Actor, make: Builders, db: Database, settings: Settings
) -> None:
    assert german.account_id is not None
    bo = profiles.add(db, settings, SYSTEM, german.account_id, "Bo")
    pins.set_of_profile(db, settings, german, bo.public_id, "4821", PASSWORD)

    answer = client.post(f"/profiles/{bo.public_id}/open", data={"pin": "0000"})

    assert answer.status_code == 400
    assert "Das ist nicht die PIN." in _text(answer)


@pytest.mark.parametrize(
    ("path", "form", "sentence"),
    [
        ("/profiles/new", {"name": "ada"}, "Ein Profil „ada“ gibt es schon."),
        ("/profiles/new", {"name": ""}, "Ein Name hat 1 bis 80 sichtbare Zeichen."),
        (
            "/account/password",
            {"old": PASSWORD, "new": "short"},
            "Ein Passwort hat mindestens 10 Zeichen.",
        ),
        (
            "/account/tokens",
            {"name": "", "scopes": "portal:see", "days": "7"},
            "Sagen Sie in höchstens 60 Zeichen, wofür es ist.",
        ),
        (
            "/account/tokens",
            {"name": "a", "scopes": "portal:see", "days": "999"},
            "Ein Token gilt 1 bis 366 Tage.",
        ),
    ],
)
@pytest.mark.usefixtures("german")
def test_forms_are_refused_in_german(
    client: FlaskClient, path: str, form: dict[str, str], sentence: str
) -> None:
    assert sentence in _text(client.post(path, data=form))


@pytest.mark.usefixtures("german")
def test_what_is_not_there_is_said_in_german_on_pages(client: FlaskClient) -> None:
    nowhere, no_title = client.get("/nowhere"), client.get("/title/none")

    assert (nowhere.status_code, no_title.status_code) == (404, 404)
    assert "<h1>Nicht gefunden</h1>" in re.sub(r"<h1[^>]*>", "<h1>", _text(nowhere))
    assert "Unter dieser Adresse gibt es nichts." in _text(nowhere)
    assert "Diesen Titel gibt es nicht." in _text(no_title)


@pytest.mark.usefixtures("german")
def test_a_film_that_is_not_yet_to_be_seen_says_when_in_german(
    client: FlaskClient, make: Builders, db: Database
) -> None:
    title = make.title("Solaris")
    make.asset(title, heights=(360,))
    db.conn.execute("update entitlements set starts_at = '2031-05-04T20:00:00.000Z'")

    page = _text(client.get(f"/title/{title.slug}"))
    player = client.post(
        "/api/v1/playback", json={"title": title.slug}, headers=OF_A_GERMAN_PAGE
    )

    sentence = (
        "Ihr Recht, diesen Titel anzusehen, hat noch nicht begonnen."
        " Beginn: 4. Mai 2031, 20:00 UTC."
    )
    assert sentence in page
    assert (player.get_json()["code"], player.get_json()["detail"]) == (
        "playback.refused",
        sentence,
    )
    assert player.get_json()["title"] == "Nicht erlaubt"


@pytest.mark.usefixtures("german")
def test_a_player_at_the_limit_is_told_so_in_the_language_of_its_page(
    client: FlaskClient, make: Builders, db: Database
) -> None:
    title = make.title("Solaris")
    make.asset(title, heights=(360,))
    db.conn.execute("update entitlements set streams = 1")
    film = {"title": title.slug}
    client.post("/api/v1/playback", json=film)

    refused = client.post("/api/v1/playback", json=film, headers=OF_A_GERMAN_PAGE)

    assert refused.get_json()["detail"].startswith(
        "Ihr Konto kann nur 1 Film auf einmal"
    )


@pytest.mark.usefixtures("german")
def test_programs_are_refused_in_english_whatever_they_accept(
    client: FlaskClient,
) -> None:
    answer = client.get("/api/v1/titles/none/progress", headers=GERMAN)

    assert answer.get_json()["detail"] == "There is no title “none”."
    assert answer.get_json()["title"] == "Not found"


def test_the_door_of_licences_speaks_as_the_page_does(client: FlaskClient) -> None:
    page = client.post("/licence/clearkey", data="{}", headers=OF_A_GERMAN_PAGE)
    program = client.post("/licence/clearkey", data="{}", headers=GERMAN)

    assert (
        page.get_json()["code"] == program.get_json()["code"] == "licence.token-missing"
    )
    assert page.get_json()["detail"].endswith("Drücken Sie noch einmal „Abspielen“.")
    assert program.get_json()["detail"].endswith("press Play again.")


def test_a_form_from_elsewhere_is_refused_in_german(app: Flask, make: Builders) -> None:
    make.account("ada")
    form = {"username": "ada", "password": PASSWORD}

    answer = app.test_client().post("/login", data=form, headers=GERMAN)

    assert answer.status_code == 403
    assert "Laden Sie sie neu" in _text(answer)


def test_under_another_name_people_are_told_so_in_their_language(
    settings: Settings,
) -> None:
    portal = replace(settings.portal, public_url="https://films.example")
    app = create_app(replace(settings, portal=portal))
    browser = {**GERMAN, "Accept": "text/html", "Host": "other.example"}

    german = app.test_client().get("/", headers=browser)
    program = app.test_client().get("/", headers=browser | {"Accept": "*/*"})

    assert (german.status_code, program.status_code) == (421, 421)
    assert german.get_json()["detail"].startswith("Dieses Portal ist nur unter")
    assert program.get_json()["detail"].startswith("This portal is reached")


@pytest.mark.usefixtures("german")
def test_what_only_operators_can_mend_is_not_told_to_viewers_in_english(
    app: Flask,
) -> None:
    error = errors.PreconditionFailed("storage.away", "The storage /srv is away.")

    with app.test_request_context(headers=GERMAN):
        assert refusals.said(error).startswith("Das geht im Augenblick nicht.")
    with app.test_request_context():
        assert refusals.said(error) == "The storage /srv is away."
