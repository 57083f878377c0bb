"""Protection in the Studio: what is asked for, what is stored, what closes the gap."""

import re
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.cenc import KeySystem, Scheme
from appliance.db import Database, write
from appliance.media import assets, reports
from appliance.permissions import SYSTEM, Role
from appliance.protection import policies
from appliance.settings import Protection
from tests.builders import Builders
from tests.conftest import SignIn


def stored_by(db: Database, make: Builders, title: Title, scheme: str) -> None:
    """Give a title a film that is stored like that, an empty scheme for clear."""
    asset = make.asset(title)
    with write(db):
        db.conn.execute(
            """
            update tracks set scheme = ?, kid = ?
            where asset_id = ? and kind in ('video', 'audio')
            """,
            (scheme, "0" * 32 if scheme else None, asset.id),
        )


def page(client: FlaskClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.status
    return answer.get_data(as_text=True)


def test_how_a_title_is_protected_is_kept(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", state="draft")
    rental = policies.put(db, SYSTEM, "Rental", {"rental_seconds": 3600})

    answer = client.post(
        f"/studio/titles/{title.slug}/protection",
        data={
            "protected": "1",
            "key_systems": ["widevine", "fairplay"],
            "scheme": "cbcs",
            "policy": "Rental",
        },
        follow_redirects=True,
    )

    assert "Saved." in answer.get_data(as_text=True)
    kept = titles.by_id(db, title.id)
    assert kept.protected
    assert kept.key_systems == (KeySystem.WIDEVINE, KeySystem.FAIRPLAY)
    assert (kept.scheme, kept.policy_id) == (Scheme.CBCS, rental.id)


def test_no_tick_takes_protection_away_and_leaves_the_description(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", protected=1, synopsis="Trees.")

    client.post(f"/studio/titles/{title.slug}/protection", data={})

    kept = titles.by_id(db, title.id)
    assert not kept.protected
    assert (kept.synopsis, kept.key_systems) == ("Trees.", ())


def test_the_description_alone_leaves_protection_as_it_is(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", protected=1)

    client.post(f"/studio/titles/{title.slug}", data={"name": "Garden"})

    kept = titles.by_id(db, title.id)
    assert (kept.name, kept.protected) == ("Garden", True)


def test_the_upload_form_asks_whether_to_protect(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", state="draft")
    form = {"name": "Orchard", "asks-protection": "1"}

    client.post(f"/studio/titles/{title.slug}", data=form | {"protected": "1"})
    assert titles.by_id(db, title.id).protected

    client.post(f"/studio/titles/{title.slug}", data=form)
    assert not titles.by_id(db, title.id).protected


@pytest.mark.parametrize("protect", [True, False])
def test_a_film_that_is_uploaded_begins_as_the_library_says(
    app: Flask, client: FlaskClient, sign_in: SignIn, protect: bool
) -> None:
    sign_in(client, Role.CONTRIBUTOR)
    here = app.extensions["matinee"]
    library = replace(here.settings, protection=Protection(protect_new=protect))
    app.extensions["matinee"] = replace(here, settings=library)

    answer = client.post("/studio/upload", data={"filename": "a.mp4", "bytes": "9"})

    card = answer.get_data(as_text=True)
    box = re.search(r'<input type="checkbox" name="protected"[^>]*>', card)
    assert box is not None
    assert (" checked" in box.group()) is protect


@pytest.mark.parametrize(
    ("protected", "scheme", "stored", "says", "offers"),
    [
        (True, "", "", "not encrypted yet", "Encrypt now"),
        (True, "cbcs", "cenc", "by another scheme", "Encrypt again"),
        (True, "", "cbcs", "Stored encrypted", "New keys"),
        (False, "", "cbcs", "still encrypted", "Decrypt"),
        (False, "", "", "Stored without encryption", ""),
    ],
)
def test_the_page_says_where_the_stored_film_differs(
    client: FlaskClient,
    sign_in: SignIn,
    make: Builders,
    db: Database,
    protected: bool,
    scheme: str,
    stored: str,
    says: str,
    offers: str,
) -> None:
    sign_in(client, Role.ADMINISTRATOR)
    title = make.title("Orchard", protected=int(protected), scheme=scheme)
    stored_by(db, make, title, stored)

    shown = page(client, f"/studio/titles/{title.slug}")

    assert says in shown
    link = f"/studio/titles/{title.slug}/reencrypt"
    assert (link in shown) is bool(offers)
    assert offers in shown
    if offers:
        assert offers in page(client, link)


def test_encrypting_starts_a_job_and_the_page_shows_it(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    actor = sign_in(client, Role.CONTRIBUTOR)
    title = make.title("Orchard", protected=1, actor=actor)
    stored_by(db, make, title, "")

    answer = client.post(f"/studio/titles/{title.slug}/reencrypt")

    assert answer.location == f"/studio/titles/{title.slug}"
    report = reports.latest_of_title(db, title.id)
    assert report is not None
    assert report.state == "queued"
    shown = page(client, f"/studio/titles/{title.slug}")
    assert f"/studio/titles/{title.slug}/reencrypt" not in shown


def test_new_keys_are_for_those_who_keep_the_keys(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    title = make.title("Orchard", protected=1)
    stored_by(db, make, title, "cbcs")

    assert "New keys" not in page(client, f"/studio/titles/{title.slug}")
    answer = client.post(f"/studio/titles/{title.slug}/reencrypt")

    assert answer.status_code == 403
    assert assets.playable(db, title.id) is not None
    assert reports.latest_of_title(db, title.id) is None


def test_somebody_elses_title_is_not_protected_from_here(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.CONTRIBUTOR)
    title = make.title("Theirs")
    stored_by(db, make, title, "")

    path = f"/studio/titles/{title.slug}"
    asked = client.post(f"{path}/protection", data={"protected": "1"})

    assert asked.status_code == 403
    assert client.get(f"{path}/reencrypt").status_code == 403
    assert not titles.by_id(db, title.id).protected


def test_the_page_says_plainly_what_clearkey_does_not_do(
    client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(client, Role.CONTRIBUTOR)

    shown = page(client, "/studio/protection")

    assert "The key comes to the browser in the open" in shown
    assert "does not stop screen recorders" in shown
    assert shown.count("No licence service is set up") == 3
    assert "Content keys" not in shown


def test_the_page_says_which_licence_service_is_set_up(
    app: Flask, client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(client, Role.ADMINISTRATOR)
    here = app.extensions["matinee"]
    library = Protection(key_systems="widevine,playready", licences_from="axinom")
    app.extensions["matinee"] = replace(
        here, settings=replace(here.settings, protection=library)
    )

    shown = page(client, "/studio/protection")

    assert shown.count("Ready, used by default") == 2
    assert "axinom" in shown
    assert "0 in use, 0 retired" in shown
