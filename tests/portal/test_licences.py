"""What of others is in here is told to whoever is signed in."""

from flask.testing import FlaskClient

from appliance.permissions import Role
from tests.conftest import SignIn


def test_viewers_see_what_of_others_is_in_here(
    client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(client, Role.VIEWER)

    page = client.get("/about/licences").text
    texts = client.get("/about/licences.txt")

    for name in ("flask", "shaka-player", "Shaka Packager", "ffmpeg"):
        assert name in page
        assert name in texts.text
    assert texts.mimetype == "text/plain"
    assert "Redistribution and use in source and binary forms" in texts.text


def test_the_foot_of_every_page_leads_there(
    client: FlaskClient, sign_in: SignIn
) -> None:
    assert "/about/licences" not in client.get("/login").text

    sign_in(client, Role.VIEWER)

    assert 'href="/about/licences"' in client.get("/").text


def test_strangers_do_not_learn_the_versions(client: FlaskClient) -> None:
    assert client.get("/about/licences").status_code in (302, 401)
    assert client.get("/about/licences.txt").status_code in (302, 401)
