"""Quality reports in the Studio and the API: who sees them, and who decides."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.catalog import titles
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.media import assets, quality
from appliance.media.assets import Asset
from appliance.permissions import SYSTEM, Role
from appliance.settings import Quality, Settings
from appliance.storage import Storage
from tests.builders import Builders
from tests.conftest import SignIn
from tests.core.test_quality_documents import found
from web import create_app


@pytest.fixture
def film(db: Database, make: Builders) -> Asset:
    asset = make.asset(make.title("Orchard", state="ready", slug="orchard"))
    quality.record(db, asset.id, 1, found())
    return asset


def _page(client: FlaskClient, path: str = "/studio/titles/orchard/quality") -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_page_shows_what_was_found(
    client: FlaskClient, sign_in: SignIn, film: Asset
) -> None:
    sign_in(client, Role.PUBLISHER)

    page = _page(client)

    assert "Passed with warnings" in page
    assert "Its true peak is 0.4 dBTP." in page
    assert "1920 × 1080 · avc1 · 2,885 kbit/s · VMAF 93.0" in page
    assert '<svg role="img" aria-label="VMAF of 2 renditions' in page
    assert page.count("<circle") >= 4
    assert "Note" in page
    assert "style=" not in page


def test_the_title_links_to_its_report_and_the_list_names_it(
    client: FlaskClient, sign_in: SignIn, film: Asset
) -> None:
    sign_in(client, Role.PUBLISHER)

    assert "/studio/titles/orchard/quality" in _page(client, "/studio/titles/orchard")
    assert "Orchard" in _page(client, "/studio/quality")
    assert "Orchard" in _page(client, "/studio/quality?review=none")
    assert "Orchard" not in _page(client, "/studio/quality?verdict=failed")


def test_a_reviewer_approves(
    client: FlaskClient, sign_in: SignIn, film: Asset, db: Database
) -> None:
    boss = sign_in(client, Role.PUBLISHER)

    answer = client.post(
        "/studio/titles/orchard/quality",
        data={"version": "1", "decision": "approved", "comment": "Good <enough>."},
    )

    assert answer.status_code == 302
    report = quality.latest(db, assets.by_id(db, film.id))
    assert report is not None
    assert (report.review, report.reviewer) == ("approved", boss.username)
    assert "Good &lt;enough&gt;." in _page(client)


def test_rejecting_without_a_reason_keeps_the_form_and_says_what_is_missing(
    client: FlaskClient, sign_in: SignIn, film: Asset
) -> None:
    sign_in(client, Role.PUBLISHER)

    answer = client.post(
        "/studio/titles/orchard/quality", data={"version": "1", "decision": "rejected"}
    )

    assert answer.status_code == 400
    assert "Say why you reject a film." in answer.text


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"version": "x", "decision": "approved"},
        {"version": "1", "decision": "none"},
    ],
)
def test_a_form_that_is_not_ours_is_refused(
    client: FlaskClient, sign_in: SignIn, film: Asset, form: dict[str, str]
) -> None:
    sign_in(client, Role.PUBLISHER)

    answer = client.post("/studio/titles/orchard/quality", data=form)

    assert answer.status_code in (400, 404)


def test_contributors_see_reports_of_their_own_films_only_and_do_not_decide(
    client: FlaskClient, sign_in: SignIn, db: Database, make: Builders, film: Asset
) -> None:
    ada = sign_in(client, Role.CONTRIBUTOR)
    own = make.asset(make.title("Own", state="ready", slug="own", actor=ada))
    quality.record(db, own.id, 1, found())

    assert "Approve" not in _page(client, "/studio/titles/own/quality")
    for path in ("", ".pdf"):
        assert client.get(f"/studio/titles/orchard/quality{path}").status_code == 404
    refused = client.post("/studio/titles/own/quality", data={"version": "1"})
    assert refused.status_code == 403


def test_a_pdf_is_downloaded(client: FlaskClient, sign_in: SignIn, film: Asset) -> None:
    sign_in(client, Role.PUBLISHER)

    answer = client.get("/studio/titles/orchard/quality.pdf")

    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF-")
    assert "orchard-quality-1.pdf" in answer.headers["Content-Disposition"]


def test_a_film_without_a_report_can_be_checked(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    sign_in(client, Role.PUBLISHER)
    make.asset(make.title("Old", state="ready", slug="old"))

    assert "There is no report yet" in _page(client, "/studio/titles/old/quality")
    answer = client.post("/studio/titles/old/quality/check")

    assert answer.status_code == 302
    assert "/studio/jobs/" in answer.headers["Location"]
    assert "Being checked" in _page(client, "/studio/titles/old/quality")


def test_a_film_that_failed_is_not_published_from_the_studio(
    client: FlaskClient, sign_in: SignIn, db: Database, film: Asset
) -> None:
    sign_in(client, Role.PUBLISHER)
    quality.record(db, film.id, 1, found("failed"))

    answer = client.post("/studio/titles/orchard/publish")

    assert answer.status_code == 409
    assert "did not pass its quality checks" in answer.text
    assert titles.by_slug(db, SYSTEM, "orchard").state == "ready"


def test_with_four_eyes_the_page_says_who_can_not_decide(
    settings: Settings,
    clock: FixedClock,
    storage: Storage,
    sign_in: SignIn,
    client: FlaskClient,
    db: Database,
    make: Builders,
) -> None:
    strict = replace(settings, quality=Quality(review=True, four_eyes=True))
    app: Flask = create_app(strict, clock)
    app.testing = True
    browser = app.test_client()
    ada = sign_in(browser, Role.PUBLISHER)
    own = make.asset(make.title("Own", state="ready", slug="own", actor=ada))
    quality.record(db, own.id, 1, found())

    page = _page(browser, "/studio/titles/own/quality")

    assert "somebody else must look" in page
    assert 'value="approved"' not in page


def test_programs_read_and_decide(
    client: FlaskClient, sign_in: SignIn, film: Asset
) -> None:
    sign_in(client, Role.PUBLISHER)
    address = "/api/v1/titles/orchard/quality"

    shown = client.get(address).get_json()
    late = _decide(client, address, version=2)
    unknown = _decide(client, address, decision="none")
    decided = _decide(client, address)

    assert shown["verdict"] == "warned"
    assert shown["checks"][0]["level"] == "warn"
    assert shown["scores"]["measure"] == "vmaf"
    assert (late.status_code, unknown.status_code) == (404, 400)
    assert decided.get_json()["review"]["decision"] == "approved"


def test_programs_of_others_do_not_decide(
    client: FlaskClient, sign_in: SignIn, film: Asset
) -> None:
    sign_in(client, Role.CONTRIBUTOR)

    assert client.get("/api/v1/titles/orchard/quality").status_code == 404
    assert _decide(client, "/api/v1/titles/orchard/quality").status_code == 403


def _decide(client: FlaskClient, address: str, **more: Any) -> Any:
    body = {"version": 1, "decision": "approved", "comment": "Fine."} | more
    return client.post(f"{address}/review", json=body)
