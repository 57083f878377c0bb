"""Libraries in the Studio, and what was chosen for a film."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from appliance.catalog import libraries, titles
from appliance.db import Database
from appliance.permissions import SYSTEM, Role
from appliance.settings import Settings
from tests.builders import Builders
from tests.conftest import SignIn


@pytest.fixture
def admin(client: FlaskClient, sign_in: SignIn) -> FlaskClient:
    sign_in(client, Role.ADMINISTRATOR, "root")
    return client


def shown(client: FlaskClient, path: str) -> str:
    return client.get(path).get_data(as_text=True)


def test_a_library_is_made_changed_and_removed(
    admin: FlaskClient, db: Database
) -> None:
    made = admin.post("/studio/libraries", data={"name": "Fire <drills>"})
    assert made.location == "/studio/libraries/fire-drills"

    admin.post(
        made.location,
        data={
            "name": "Fire <drills>",
            "codecs": "h264,av1",
            "max_height": "1080",
            "keep_source": "30",
            "crf": "",
            "per_title": "",
        },
    )

    found = libraries.by_slug(db, "fire-drills")
    assert found.policy == {
        "codecs": "h264,av1",
        "max_height": 1080,
        "keep_source": "30",
    }
    listed = shown(admin, "/studio/libraries")
    assert "Fire &lt;drills&gt;" in listed
    assert "Removed after 30 days" in listed
    assert "titles and their films" not in shown(admin, f"{made.location}/remove")
    gone = admin.post(f"{made.location}/remove")
    assert gone.location == "/studio/libraries"
    assert libraries.listing(db) == []


def test_a_refusal_stands_beside_its_field_and_keeps_what_was_typed(
    admin: FlaskClient, db: Database
) -> None:
    admin.post("/studio/libraries", data={"name": "Films"})

    answer = admin.post(
        "/studio/libraries/films", data={"name": "Films", "crf": "99", "preset": "slow"}
    )

    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "crf must lie between 0 and 51." in page
    assert '<option value="slow" selected>' in page
    assert 'value="99"' in page
    assert libraries.by_slug(db, "films").policy == {}


def test_a_name_that_is_taken_is_refused(admin: FlaskClient) -> None:
    admin.post("/studio/libraries", data={"name": "Films"})

    answer = admin.post("/studio/libraries", data={"name": "films"})

    assert answer.status_code == 409
    assert "choose another name" in answer.get_data(as_text=True)


def test_a_number_of_days_that_a_command_set_can_be_kept(
    admin: FlaskClient, db: Database, settings: Settings
) -> None:
    libraries.add(db, SYSTEM, settings.encode, "Films", {"keep_source": "45"})

    page = shown(admin, "/studio/libraries/films")

    assert '<option value="45" selected>Removed after 45 days</option>' in page


@pytest.mark.parametrize("path", ["/studio/libraries", "/studio/libraries/films"])
def test_only_administrators_see_libraries(
    client: FlaskClient, sign_in: SignIn, path: str
) -> None:
    sign_in(client, Role.PUBLISHER, "paula")

    assert client.get(path).status_code == 403


def test_a_title_is_put_into_a_library_in_its_form(
    admin: FlaskClient, db: Database, settings: Settings, make: Builders
) -> None:
    library = libraries.add(db, SYSTEM, settings.encode, "Films", {})
    title = make.title("Solaris", slug="solaris")
    assert '<option value="films">Films</option>' in shown(
        admin, "/studio/titles/solaris"
    )

    admin.post("/studio/titles/solaris", data={"name": "Solaris", "library": "films"})

    assert titles.by_id(db, title.id).library_id == library.id
    assert '<option value="films" selected>Films</option>' in shown(
        admin, "/studio/titles/solaris"
    )
    admin.post("/studio/titles/solaris", data={"name": "Solaris", "library": ""})
    assert titles.by_id(db, title.id).library_id is None


def test_a_form_that_asks_for_no_library_leaves_it_alone(
    admin: FlaskClient, db: Database, settings: Settings, make: Builders
) -> None:
    library = libraries.add(db, SYSTEM, settings.encode, "Films", {})
    title = make.title("Solaris", slug="solaris")
    titles.edit(db, SYSTEM, title.slug, library_id=library.id)

    admin.post("/studio/titles/solaris", data={"name": "Solaris 2"})

    assert titles.by_id(db, title.id).library_id == library.id


def test_the_page_of_a_title_says_what_was_saved(
    admin: FlaskClient, db: Database, make: Builders
) -> None:
    title = make.title("Solaris", slug="solaris")
    asset = make.asset(title)
    _analyse(
        db,
        asset.id,
        {
            "kind": "screen",
            "measure": "vmaf",
            "renditions": [_entry("1080p", kept=False, why="Looks like 720p.")],
            "saved": {"percent": 38, "bytes": 412_000_000},
        },
    )

    page = shown(admin, "/studio/titles/solaris")

    assert "38 % smaller than the fixed ladder: 412 MB saved, by forecast" in page
    assert "recording of a screen" in page
    assert "Left out" in page
    assert "Looks like 720p." in page


def test_the_page_says_why_nothing_was_chosen(
    admin: FlaskClient, db: Database, make: Builders
) -> None:
    title = make.title("Solaris", slug="solaris")
    asset = make.asset(title)
    note = "Too short to be worth it: encoded as every film is."
    _analyse(
        db,
        asset.id,
        {"kind": "film", "measure": "", "renditions": [], "note": note},
    )

    assert note in shown(admin, "/studio/titles/solaris")


def _entry(name: str, *, kept: bool, why: str = "") -> dict[str, Any]:
    return {
        "name": name,
        "codec": "h264",
        "quality": 22,
        "kept": kept,
        "score": 93.2,
        "kbps": 900,
        "cap": 2600,
        "why": why,
    }


def _analyse(db: Database, asset: int, analysis: dict[str, Any]) -> None:
    db.table("assets").update(asset, {"analysis": json.dumps(analysis)})
