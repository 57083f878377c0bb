"""The address that CDNs fetch films from: a secret in a header opens it, to them."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from appliance.delivery import shield
from appliance.media.assets import Asset
from appliance.settings import Cdn, Edge, Settings
from tests.builders import Builders
from tests.portal.test_media import _crawl
from web import create_app


@pytest.fixture
def film(make: Builders) -> Asset:
    return make.asset(languages=("en",), captions=("en",))


@pytest.fixture
def secret(settings: Settings) -> str:
    return shield.secrets(settings.keys)[0]


def test_a_cdn_gets_everything_that_a_manifest_leads_to(
    client: FlaskClient, film: Asset, secret: str
) -> None:
    client.environ_base["HTTP_X_ORIGIN_SECRET"] = secret

    found = _crawl(client, f"/media/{film.public_id}/all")

    assert any(address.endswith(".m4s") for address in found)


def test_what_a_cdn_may_keep_is_said_without_a_word_about_viewers(
    client: FlaskClient, film: Asset, secret: str
) -> None:
    headers = {shield.HEADER: secret}
    base = f"/media/{film.public_id}"

    manifest = client.get(f"{base}/all/manifest.mpd", headers=headers)
    capped = client.get(f"{base}/h234/manifest.mpd", headers=headers)
    assert manifest.headers["Cache-Control"] == "public, max-age=10"
    assert "Set-Cookie" not in manifest.headers
    assert manifest.text != capped.text


@pytest.mark.parametrize("given", ["", "0" * 64, "secret", "é" * 64])
def test_nobody_else_gets_in(
    client: FlaskClient, film: Asset, secret: str, given: str
) -> None:
    for name in ("manifest.mpd", "master.m3u8", "tracks/" + "0" * 16 + "/00001.m4s"):
        answer = client.get(
            f"/media/{film.public_id}/all/{name}",
            headers={shield.HEADER: given.encode().decode("latin-1")},
        )
        assert (answer.status_code, answer.get_json()["code"]) == (403, "media.token")


def test_the_secret_opens_no_key_and_no_other_address(
    client: FlaskClient, settings: Settings, film: Asset, secret: str
) -> None:
    headers = {shield.HEADER: secret}
    base = f"/media/{film.public_id}"

    for path in (
        f"{base}/all/key/{'0' * 32}",
        f"{base}/licence/manifest.mpd",
        f"{base}/h1/manifest.mpd",
        f"/media/x/{film.public_id}/manifest.mpd",
    ):
        assert client.get(path, headers=headers).status_code == 403, path
    assert client.get(f"{base}/all/../../x", headers=headers).status_code in (403, 404)
    assert (
        client.get("/media/" + "0" * 16 + "/all/x", headers=headers).status_code == 404
    )


def test_a_secret_that_was_rotated_out_opens_nothing(
    client: FlaskClient, settings: Settings, film: Asset, secret: str
) -> None:
    address = f"/media/{film.public_id}/all/manifest.mpd"
    shield.rotate(settings.keys)
    assert client.get(address, headers={shield.HEADER: secret}).status_code == 200
    shield.rotate(settings.keys)

    assert client.get(address, headers={shield.HEADER: secret}).status_code == 403


def test_pages_may_ask_the_hosts_that_films_come_from_and_no_other(
    settings: Settings,
) -> None:
    app = create_app(
        replace(
            settings,
            cdn=Cdn(name="bunny", url="https://films.example"),
            edge=Edge(sites="berlin=https://edge.example[10.0.0.0/8]"),
        )
    )

    policy = app.test_client().get("/login").headers["Content-Security-Policy"]

    hosts = "https://edge.example https://films.example"
    for directive in ("connect-src 'self'", "img-src 'self' data: blob:"):
        assert f"{directive} {hosts};" in policy
    assert f"media-src 'self' blob: data: {hosts};" in policy
    assert "script-src 'self';" in policy
