"""The film of a title in the Studio: what it lacks, and going back."""

import pytest
from flask.testing import FlaskClient

from appliance.db import Database
from appliance.media import assets, jobs, tracks, versions
from appliance.media.assets import Asset
from appliance.permissions import SYSTEM, Role
from tests.builders import Builders
from tests.conftest import SignIn
from tests.pipeline.control_room import facts


@pytest.fixture
def film(make: Builders, db: Database) -> Asset:
    made = make.asset(heights=(96,))
    assets.inspected(db, made.id, facts(), None)
    return made


def test_a_version_is_put_back_after_a_question(
    client: FlaskClient, sign_in: SignIn, db: Database, film: Asset
) -> None:
    sign_in(client, Role.PUBLISHER)
    slug = _slug(db, film)
    gone = tracks.of_asset(db, film.id)[-1].public_id
    versions.change(db, SYSTEM, film.id, remove=[gone], reason="captions")

    page = client.get(f"/studio/titles/{slug}").get_data(as_text=True)
    question = client.get(f"/studio/titles/{slug}/versions/1").get_data(as_text=True)
    answer = client.post(f"/studio/titles/{slug}/versions/1")

    assert "captions changed" in page
    assert f'href="/studio/titles/{slug}/versions/1"' in page
    assert "Put version 1 of" in question
    assert answer.status_code == 302
    assert gone in {each.public_id for each in tracks.of_asset(db, film.id)}


def test_only_who_edits_a_title_puts_its_film_back(
    client: FlaskClient, sign_in: SignIn, db: Database, film: Asset
) -> None:
    sign_in(client, Role.CONTRIBUTOR)

    answer = client.post(f"/studio/titles/{_slug(db, film)}/versions/1")

    assert answer.status_code in (403, 404)


def test_a_job_is_paused_goes_on_and_goes_first(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    job = make.job(make.asset(state="uploaded"))

    client.post(f"/studio/jobs/{job}/pause")
    page = client.get(f"/studio/jobs/{job}").get_data(as_text=True)
    held = jobs.by_public_id(db, job).paused
    client.post(f"/studio/jobs/{job}/resume")
    client.post(f"/studio/jobs/{job}/priority", data={"priority": "7"})

    now = jobs.by_public_id(db, job)
    assert held
    assert "Paused at 0 %" in page
    assert f'action="/studio/jobs/{job}/resume"' in page
    assert (now.paused, now.priority) == (False, 7)


def test_a_priority_that_is_no_number_is_refused(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    sign_in(client, Role.PUBLISHER)
    job = make.job(make.asset(state="uploaded"))

    answer = client.post(f"/studio/jobs/{job}/priority", data={"priority": "soon"})

    assert answer.status_code == 400


def _slug(db: Database, film: Asset) -> str:
    slug: str = db.value("select slug from titles where id = ?", (film.title_id,))
    return slug
