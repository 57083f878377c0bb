"""The address for CDNs at a real nginx: its secret, and nothing else, opens it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from appliance.delivery import shield
from tests.host.served_nginx import ASSET, TRACK, Nginx, origin, put

FILE = f"/media/{ASSET}/all/tracks/{TRACK}/00001.m4s"


@pytest.fixture(scope="module", params=["md5", "hmac-sha256"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Nginx]:
    home = tmp_path_factory.mktemp("shield") / "home"
    with origin(
        home,
        MATINEE_ORIGIN_TOKEN=request.param,
        MATINEE_PORTAL_PUBLIC_URL="http://127.0.0.1",
        MATINEE_CDN_NAME="bunny",
        MATINEE_CDN_URL="https://films.example",
    ) as nginx:
        yield nginx


def secret(nginx: Nginx) -> str:
    return shield.secrets(nginx.settings.keys)[0]


def test_a_cdn_gets_files_that_it_may_keep_for_everybody(served: Nginx) -> None:
    headers = {shield.HEADER: secret(served), "Origin": "https://elsewhere.example"}
    answer = served.get(FILE, headers=headers)

    assert (answer.status_code, answer.content) == (200, b"0123456789" * 1000)
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Access-Control-Allow-Origin"] == "http://127.0.0.1"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Origin" not in answer.headers.get("Vary", "")
    assert served.get(FILE.replace("all", "h720"), headers=headers).status_code == 200


def test_a_range_is_a_range(served: Nginx) -> None:
    headers = {shield.HEADER: secret(served), "Range": "bytes=10-19"}
    answer = served.get(FILE, headers=headers)

    assert (answer.status_code, answer.content) == (206, b"0123456789")


@pytest.mark.parametrize("given", ["", "x", "0" * 64, "{}x", "x{}", "{0:.63}"])
def test_without_the_secret_nobody_gets_anything(served: Nginx, given: str) -> None:
    headers = {shield.HEADER: given.format(secret(served))}

    for path in (FILE, f"/media/{ASSET}/all/manifest.mpd", f"/media/{ASSET}/all/"):
        assert served.get(path, headers=headers).status_code == 403


def test_the_secret_opens_files_and_nothing_more(served: Nginx) -> None:
    headers = {shield.HEADER: secret(served)}
    put(served.settings, "hidden.key", b"no")

    for path in (
        f"/media/{ASSET}/all/key/{'0' * 32}",
        f"/media/{ASSET}/licence/tracks/{TRACK}/00001.m4s",
        f"/media/{ASSET}/h0720/tracks/{TRACK}/00001.m4s",
        f"/media/{ASSET}/all/tracks/{TRACK}/hidden.key",
        f"/media/{ASSET}/all/tracks/{TRACK}/..%2f..%2f{TRACK}/00001.m4s",
        f"/media/x/{ASSET}/tracks/{TRACK}/00001.m4s",
    ):
        assert served.get(path, headers=headers).status_code in (403, 404), path
    missing = served.get(FILE.replace("00001", "99999"), headers=headers)
    assert missing.status_code == 404
    posted = requests.post(served.url + FILE, headers=headers, timeout=10)
    assert posted.status_code == 403


def test_secrets_stand_in_the_private_file_only(served: Nginx) -> None:
    folder = served.settings.nginx.folder
    known = secret(served)

    holding = [
        path.name
        for path in Path(folder).rglob("*.conf")
        if known in path.read_text(encoding="utf-8")
    ]
    assert set(holding) == {"secrets.conf"}
    assert "https://films.example" in "".join(
        path.read_text() for path in Path(folder).rglob("security.conf")
    )


def test_behind_cloudflare_the_origin_answers_to_its_name_too(tmp_path: Path) -> None:
    with origin(
        tmp_path / "home",
        MATINEE_PORTAL_PUBLIC_URL="http://127.0.0.1",
        MATINEE_CDN_NAME="cloudflare",
        MATINEE_CDN_URL="https://films.example",
    ) as nginx:
        headers = {shield.HEADER: secret(nginx), "Host": "films.example"}
        assert nginx.get(FILE, headers=headers).status_code == 200
        assert (
            nginx.get(FILE, headers=headers | {"X-Origin-Secret": ""}).status_code
            == 403
        )
        with pytest.raises(requests.ConnectionError):
            nginx.get(FILE, headers=headers | {"Host": "elsewhere.example"})
