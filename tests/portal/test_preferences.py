"""``/api/v1/profile/preferences``: how a profile likes to watch."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from appliance.accounts import profiles
from appliance.db import Database
from appliance.permissions import Actor

SignIn = Callable[..., Actor]
_ADDRESS = "/api/v1/profile/preferences"

USUAL = {
    "autoplay_next": True,
    "previews": True,
    "audio": "",
    "captions": "",
    "caption_style": {},
    "speed": 1.0,
    "data_saver": False,
    "keys": True,
}


def test_a_profile_begins_with_what_is_usual(
    client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(client)

    assert client.get(_ADDRESS).get_json() == USUAL


def test_what_is_left_out_stays_as_it_was(client: FlaskClient, sign_in: SignIn) -> None:
    sign_in(client)
    client.patch(_ADDRESS, json={"speed": 1.5, "captions": "DE"})

    answer = client.patch(
        _ADDRESS,
        json={"data_saver": True, "caption_style": {"size": "150", "edge": "none"}},
    )

    assert answer.status_code == 200
    expected = USUAL | {
        "speed": 1.5,
        "captions": "de",
        "data_saver": True,
        "caption_style": {"size": "150"},
    }
    assert answer.get_json() == client.get(_ADDRESS).get_json() == expected


@pytest.mark.parametrize(
    "wrong",
    [
        {"speed": 3},
        {"speed": True},
        {"speed": "fast"},
        {"autoplay_next": "yes"},
        {"autoplay_next": None},
        {"captions": "<script>"},
        {"audio": "x" * 5000},
        {"caption_style": {"size": "url(https://example.org)"}},
        {"caption_style": {"evil": "1"}},
        {"caption_style": "large"},
        {"rating_limit": 21},
        [],
    ],
)
def test_a_wrong_preference_is_refused_by_its_name_and_changes_nothing(
    client: FlaskClient, sign_in: SignIn, wrong: Any
) -> None:
    sign_in(client)

    answer = client.patch(_ADDRESS, json=wrong)

    assert answer.status_code == 400
    assert client.get(_ADDRESS).get_json() == USUAL


def test_each_profile_has_its_own(
    client: FlaskClient, sign_in: SignIn, db: Database
) -> None:
    ada = sign_in(client, username="ada")
    bob = sign_in(client, username="bob")
    client.patch(_ADDRESS, json={"keys": False})

    assert ada.profile_id is not None
    assert bob.profile_id is not None
    assert profiles.preferences(db, ada.profile_id).keys is True
    assert profiles.preferences(db, bob.profile_id).keys is False


def test_a_stranger_has_none(client: FlaskClient) -> None:
    assert client.get(_ADDRESS).status_code == 401
    assert client.patch(_ADDRESS, json={}).status_code == 401
