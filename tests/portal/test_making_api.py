"""The work on films through the API."""

import json
from fractions import Fraction

import pytest
from flask.testing import FlaskClient

from appliance.catalog import libraries, titles
from appliance.db import Database
from appliance.media import assets, tracks, versions
from appliance.media.assets import Asset
from appliance.permissions import SYSTEM, Role
from appliance.settings import Encode
from jobs.planning.chunks import Grid
from tests.builders import Builders
from tests.conftest import SignIn
from tests.pipeline.control_room import facts


@pytest.fixture
def film(make: Builders, db: Database) -> Asset:
    made = make.asset(heights=(96,), duration=20)
    assets.inspected(db, made.id, facts(), None)
    grid = Grid(480, Fraction(24), 4, 2)
    cut = {
        "timescale": grid.timescale,
        "segments": [each.frames * grid.ticks for each in grid.segments()],
        "iframes": [[0, key * grid.ticks, 2, 3] for key in grid.keyframes()],
    }
    db.conn.execute(
        "update tracks set facts = json_patch(facts, ?) where kind = 'video'",
        (json.dumps(cut),),
    )
    return made


def test_a_job_is_held_and_let_go_first(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    sign_in(client, Role.PUBLISHER)
    job = f"/api/v1/jobs/{make.job(make.asset(state='uploaded'))}"

    paused = client.post(f"{job}/pause").get_json()
    again = client.post(f"{job}/pause")
    resumed = client.post(f"{job}/resume").get_json()
    urgent = client.put(f"{job}/priority", json={"priority": 5}).get_json()
    cancelled = client.post(f"{job}/cancel").get_json()

    assert (paused["paused"], resumed["paused"]) == (True, False)
    assert (again.status_code, again.get_json()["code"]) == (409, "job.paused")
    assert urgent["priority"] == 5
    assert cancelled["state"] == "cancelled"
    listed = client.get("/api/v1/jobs?state=cancelled").get_json()["jobs"]
    assert [each["kind"] for each in listed] == ["ingest"]


def test_contributors_control_no_jobs(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    sign_in(client, Role.CONTRIBUTOR)
    job = make.job(make.asset(state="uploaded"))

    assert client.post(f"/api/v1/jobs/{job}/pause").status_code == 403


def test_versions_are_listed_and_put_back(
    client: FlaskClient, sign_in: SignIn, db: Database, film: Asset
) -> None:
    sign_in(client, Role.PUBLISHER)
    slug = db.value("select slug from titles where id = ?", (film.title_id,))
    gone = tracks.of_asset(db, film.id)[-1].public_id
    versions.change(db, SYSTEM, film.id, remove=[gone], reason="captions")

    listed = client.get(f"/api/v1/titles/{slug}/versions").get_json()["versions"]
    restored = client.post(f"/api/v1/titles/{slug}/versions/1").get_json()
    missing = client.post(f"/api/v1/titles/{slug}/versions/9")

    assert [(each["number"], each["present"]) for each in listed] == [
        (2, True),
        (1, False),
    ]
    assert restored["present"]
    assert missing.status_code == 404


def test_what_a_film_lacks_is_said_and_asked_for(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database, film: Asset
) -> None:
    sign_in(client, Role.PUBLISHER)
    slug = db.value("select slug from titles where id = ?", (film.title_id,))
    address = f"/api/v1/titles/{slug}/supplement"

    lacking = client.get(address).get_json()
    wrong = client.post(address, json={"codecs": ["mpeg2"]})
    asked = client.post(address, json={"codecs": ["av1"]})

    assert lacking == {"adds": ["English"], "job": None}
    assert wrong.status_code == 400
    assert asked.status_code == 202
    assert asked.get_json()["adds"] == ["96p-av1"]


def test_a_title_says_its_library_to_who_sees_the_studio(
    client: FlaskClient, sign_in: SignIn, db: Database, make: Builders
) -> None:
    within, without = make.title("Solaris"), make.title("Playtime")
    library = libraries.add(db, SYSTEM, Encode(), "Old films", {})
    titles.edit(db, SYSTEM, within.slug, library_id=library.id)
    sign_in(client, Role.PUBLISHER)

    told = {
        slug: client.get(f"/api/v1/titles/{slug}").get_json()["library"]
        for slug in (within.slug, without.slug)
    }
    found = client.get("/api/v1/titles?library=old-films").get_json()
    unknown = client.get("/api/v1/titles?library=nowhere")

    assert told == {within.slug: "old-films", without.slug: None}
    assert [each["slug"] for each in found["titles"]] == [within.slug]
    assert found["total"] == 1
    assert (unknown.status_code, unknown.get_json()["code"]) == (404, "library.missing")


def test_viewers_are_not_told_how_films_are_encoded(
    client: FlaskClient, sign_in: SignIn, db: Database, make: Builders
) -> None:
    title = make.title("Solaris")
    library = libraries.add(db, SYSTEM, Encode(), "Old films", {})
    titles.edit(db, SYSTEM, title.slug, library_id=library.id)
    sign_in(client, Role.VIEWER)

    assert client.get(f"/api/v1/titles/{title.slug}").get_json()["library"] is None
    assert client.get("/api/v1/titles?library=old-films").status_code == 403
