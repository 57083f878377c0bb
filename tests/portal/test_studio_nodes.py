"""The machines that do media work, in the Studio."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from appliance.permissions import Role
from appliance.storage import Storage
from jobs.machines import nodes, wishes
from jobs.machines.wishes import Wish
from tests.conftest import SignIn

PAGE = "/studio/nodes"


@pytest.fixture
def admin(client: FlaskClient, sign_in: SignIn) -> FlaskClient:
    sign_in(client, Role.ADMINISTRATOR, "root")
    return client


def test_the_page_says_how_a_machine_joins(admin: FlaskClient) -> None:
    assert "matinee worker --media" in admin.get(PAGE).text


def test_the_page_shows_load_and_what_each_machine_is_doing(
    admin: FlaskClient, storage: Storage
) -> None:
    doing = {"unit": "encode-0003", "seconds": 61.0, "progress": 0.4, "fps": 31.0}
    _announce(
        storage,
        name="encoder-1",
        slots={"cpu": 4},
        load=3.5,
        cores=8,
        labels=["<b>rack"],
        encoders=[
            {"codec": codec, "family": family, "device": "x", "fps": 90}
            for codec, family in (
                ("h264", "software"),
                ("h264", "vaapi"),
                ("hevc", "vaapi"),
            )
        ],
        doing=[{"job": "0123456789abcdef", **doing}],
    )
    _announce(storage, name="encoder-2", refused="Its tools are <old>.")

    page = admin.get(PAGE).text

    for shown in (
        "encode-0003",
        "40 %, 31 frames/s",
        "/studio/jobs/0123456789abcdef",
        "3.5",
        "of 8",
        "VA-API: H.264, HEVC",
        "&lt;b&gt;rack",
        "Working",
        "Refused",
        "encoder-2: Its tools are &lt;old&gt;.",
    ):
        assert shown in page


def test_a_machine_is_drained_limited_and_resumed(
    admin: FlaskClient, storage: Storage
) -> None:
    _announce(storage, name="encoder-1", slots={"cpu": 4})

    admin.post(f"{PAGE}/encoder-1/drain")
    admin.post(f"{PAGE}/encoder-1/limit", data={"units": "3"})
    assert wishes.of(storage, "encoder-1") == Wish(drain=True, limit=3)
    page = admin.get(PAGE).text
    assert "Drained" in page
    assert "at most 3" in page

    admin.post(f"{PAGE}/encoder-1/resume")
    admin.post(f"{PAGE}/encoder-1/limit", data={"units": "0"})
    assert wishes.of(storage, "encoder-1") == Wish()
    assert admin.post(f"{PAGE}/nobody/drain").status_code == 404
    assert admin.post(f"{PAGE}/encoder-1/remove").status_code == 409


def test_who_may_not_manage_machines_sees_none(
    client: FlaskClient, sign_in: SignIn, storage: Storage
) -> None:
    _announce(storage, name="encoder-1")
    sign_in(client, Role.CONTRIBUTOR, "cora")

    assert client.get(PAGE).status_code == 403
    assert client.post(f"{PAGE}/encoder-1/drain").status_code == 403
    assert wishes.of(storage, "encoder-1") == Wish()


def _announce(storage: Storage, **told: Any) -> None:
    text = json.dumps({"place": "another kernel", **told})
    storage.write(nodes.FOLDER / f"{told['name']}.json", text.encode())
