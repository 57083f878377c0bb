"""Markers in the Studio."""

import re

import pytest
from flask.testing import FlaskClient

from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.media import markers
from appliance.media.markers import MarkerKind, Stretch
from appliance.permissions import SYSTEM, Role
from tests.builders import Builders
from tests.conftest import SignIn


@pytest.fixture
def film(make: Builders) -> tuple[Title, int]:
    title = make.title("Pilot")
    return title, make.asset(title, duration=10.0).id


def test_an_editor_marks_changes_and_removes(
    client: FlaskClient, sign_in: SignIn, db: Database, film: tuple[Title, int]
) -> None:
    sign_in(client, Role.PUBLISHER)
    title, asset = film
    page = f"/studio/titles/{title.slug}/markers"

    client.post(page, data={"kind": "intro", "start": "0:01", "end": "4", "label": ""})
    [made] = markers.of_asset(db, asset)
    assert "0:00:01.000" in client.get(page).text

    typed = {"kind": "recap", "start": "0", "end": "2", "label": "<b>", "act": "save"}
    client.post(f"{page}/{made.public_id}", data=typed)
    [changed] = markers.of_asset(db, asset)
    assert (changed.kind, changed.label) == (MarkerKind.RECAP, "<b>")
    assert "&lt;b&gt;" in client.get(page).text

    client.post(f"{page}/{made.public_id}", data={"act": "remove"})
    assert markers.of_asset(db, asset) == []


def test_what_was_refused_stays_as_it_was_typed(
    client: FlaskClient, sign_in: SignIn, db: Database, film: tuple[Title, int]
) -> None:
    sign_in(client, Role.PUBLISHER)
    title, asset = film

    answer = client.post(
        f"/studio/titles/{title.slug}/markers",
        data={"kind": "intro", "start": "soon", "end": "4", "label": "The song"},
    )

    assert answer.status_code == 400
    assert "“soon” is no time" in answer.text
    assert 'value="The song"' in answer.text
    assert markers.of_asset(db, asset) == []


def test_a_marker_of_another_film_is_out_of_reach(
    client: FlaskClient,
    sign_in: SignIn,
    db: Database,
    make: Builders,
    film: tuple[Title, int],
) -> None:
    sign_in(client, Role.PUBLISHER)
    other = make.asset(make.title("Other")).id
    theirs = markers.add(db, SYSTEM, other, Stretch(MarkerKind.INTRO, 1, 2))

    answer = client.post(
        f"/studio/titles/{film[0].slug}/markers/{theirs.public_id}",
        data={"act": "remove"},
    )

    assert answer.status_code == 404
    assert markers.of_asset(db, other) == [theirs]


def test_contributors_mark_their_own_films_only(
    client: FlaskClient, sign_in: SignIn, film: tuple[Title, int]
) -> None:
    sign_in(client, Role.CONTRIBUTOR)

    assert client.get(f"/studio/titles/{film[0].slug}/markers").status_code == 403


def test_comparing_needs_films_that_were_listened_to(
    client: FlaskClient, sign_in: SignIn, make: Builders, film: tuple[Title, int]
) -> None:
    sign_in(client, Role.PUBLISHER)
    other = make.title("Second night")
    make.asset(other)

    answer = client.post(
        f"/studio/titles/{film[0].slug}/markers/detect", data={"episodes": other.slug}
    )

    assert answer.status_code == 409
    assert "Nobody has listened to" in answer.text


def test_an_episode_is_compared_with_those_of_its_series_alone(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    sign_in(client, Role.PUBLISHER)
    series, another = (make.title(name, kind="series") for name in ("Harbour", "Fog"))
    pilot, _second, _strange = (
        make.title(name, kind="episode", parent_id=of.id, season_number=1)
        for name, of in (("Pilot", series), ("Low Water", series), ("Dusk", another))
    )
    make.asset(pilot)

    offered = client.get(f"/studio/titles/{pilot.slug}/markers").text

    names = re.findall(
        r'<option value="[^"]*">([^<]*)</option>\s*(?=<option|</select>)',
        offered.partition('name="episodes"')[2],
    )
    assert names == ["Low Water"]
