"""Manifests for this viewer now: how high their pictures, and what opens them."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from appliance.clock import FixedClock
from appliance.db import Database
from appliance.delivery import tokens
from appliance.delivery.tokens import Scope
from appliance.media.assets import Asset
from appliance.settings import Settings
from tests.builders import Builders


@pytest.fixture
def film(make: Builders) -> Asset:
    """A published film with pictures of 234 and 360 lines."""
    return make.asset()


@pytest.fixture
def base(settings: Settings, clock: FixedClock, film: Asset) -> Callable[[Scope], str]:
    """``base(scope) -> address``: where the film is for a token of that scope."""

    def address(scope: Scope) -> str:
        expires = int(clock.now().timestamp()) + 300
        keys = tokens.load(settings.keys)
        token = tokens.sign(keys, film.public_id, "0123456789abcdef", expires, scope)
        return f"/media/{token}/{film.public_id}"

    return address


def _playlists(client: FlaskClient, base: str) -> dict[str, str]:
    """Return the address of each variant's playlist by its height."""
    text = client.get(f"{base}/master.m3u8").text
    found = re.findall(r"#EXT-X-STREAM-INF.*RESOLUTION=\d+x(\d+).*\n(.+)", text)
    return {height: f"{base}/{name}" for height, name in found}


def test_a_limit_on_the_height_leaves_renditions_out_of_every_manifest(
    client: FlaskClient, base: Callable[[Scope], str]
) -> None:
    everything, low = base(Scope.ALL), base(Scope.up_to(359))

    shown = _playlists(client, low)

    assert list(shown) == ["234"]
    assert list(_playlists(client, everything)) == ["234", "360"]
    assert list(_playlists(client, base(Scope.up_to(360)))) == ["234", "360"]
    assert 'height="360"' not in client.get(f"{low}/manifest.mpd").text
    assert 'height="360"' in client.get(f"{everything}/manifest.mpd").text
    high = _playlists(client, everything)["360"].replace(everything, low)
    assert client.get(high).status_code == 404
    assert client.get(high.replace(".m3u8", "-iframes.m3u8")).status_code == 404
    assert client.get(shown["234"]).status_code == 200
    assert client.get(f"{low}/thumbnails.vtt").status_code == 200


def test_below_everything_there_is_the_lowest_rendition_stays(
    client: FlaskClient, base: Callable[[Scope], str]
) -> None:
    assert list(_playlists(client, base(Scope.up_to(100)))) == ["234"]


def test_the_files_that_its_manifests_name_open_with_a_limited_token(
    client: FlaskClient, base: Callable[[Scope], str]
) -> None:
    low = base(Scope.up_to(240))
    playlist = client.get(_playlists(client, low)["234"]).text

    names = re.findall(r'\.\./(tracks/[^"\s]+)', playlist)

    assert len(names) == 4
    for name in names:
        assert client.get(f"{low}/{name}", buffered=True).status_code == 200


def test_a_token_for_licences_opens_no_media(
    client: FlaskClient, base: Callable[[Scope], str]
) -> None:
    every, licence = base(Scope.ALL), base(Scope.LICENCE)
    playlist = _playlists(client, every)["360"]
    segment = re.findall(r"\.\./(tracks/\S+m4s)", client.get(playlist).text)[0]

    for name in ("master.m3u8", "manifest.mpd", "thumbnails.vtt", segment):
        assert client.get(f"{every}/{name}", buffered=True).status_code == 200
        assert client.get(f"{licence}/{name}").status_code == 403
    assert client.get(playlist.replace(every, licence)).status_code == 403


def test_a_key_system_that_is_switched_off_leaves_the_manifests_at_once(
    client: FlaskClient, db: Database, base: Callable[[Scope], str]
) -> None:
    kid, iv = "ab" * 16, "cd" * 16
    db.conn.execute(
        "update tracks set scheme = 'cbcs', kid = ?, iv = ? where kind = 'video'",
        (kid, iv),
    )

    def said() -> str:
        here = base(Scope.ALL)
        playlist = _playlists(client, here)["360"]
        addresses = (f"{here}/manifest.mpd", f"{here}/master.m3u8", playlist)
        return "".join(client.get(address).text for address in addresses)

    before = said()
    db.conn.execute("update titles set key_systems = '[\"com.widevine.alpha\"]'")
    after = said()

    assert f'URI="../key/{kid}",IV=0x{iv},KEYFORMAT="identity"' in before
    assert ">/licence/clearkey<" in before
    assert "mp4protection" in after
    assert "identity" not in after
    assert "clearkey" not in after.lower()
