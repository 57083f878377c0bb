"""Media behind a token: what it opens, and what nobody opens without it."""

import re
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from socketserver import ThreadingMixIn
from urllib.parse import urljoin
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.clock import FixedClock, SystemClock
from appliance.db import Database
from appliance.delivery import tokens
from appliance.media import assets, tracks, versions
from appliance.media.assets import Asset
from appliance.permissions import SYSTEM
from appliance.settings import Settings
from appliance.storage import Storage
from tests.builders import Builders
from tests.core import packaged
from web import create_app

_SESSION = "0123456789abcdef"
_NUMBER = "$Number%05d$"


@pytest.fixture
def film(make: Builders) -> Asset:
    """A published film with two sizes, two languages, captions and thumbnails."""
    return make.asset(languages=("en", "de"), captions=("en",))


def _token(
    settings: Settings, clock: FixedClock, asset: str, seconds: int = 300
) -> str:
    expires = int(clock.now().timestamp()) + seconds
    return tokens.sign(tokens.load(settings.keys), asset, _SESSION, expires)


def _crawl(client: FlaskClient, base: str) -> set[str]:
    """Return every address that the manifests and what they name lead to."""
    found = set()
    waiting = [f"{base}/{name}" for name in ("master.m3u8", "manifest.mpd")]
    waiting.append(f"{base}/thumbnails.vtt")
    while waiting:
        address = waiting.pop()
        if address in found:
            continue
        found.add(address)
        answer = client.get(address, buffered=True)
        assert answer.status_code == 200, address
        names = _named(address, answer.text) if _is_list(address) else []
        waiting += [urljoin(address, name.partition("#")[0]) for name in names]
    return found


def _is_list(address: str) -> bool:
    return address.endswith((".m3u8", ".mpd", "thumbnails.vtt"))


def _named(address: str, text: str) -> Iterator[str]:
    if address.endswith(".mpd"):
        yield from _named_in_mpd(text)
    elif address.endswith(".vtt"):
        yield from re.findall(r"^tracks/\S+", text, re.MULTILINE)
    else:
        yield from re.findall(r'URI="([^"]+)"', text)
        yield from re.findall(r"^(?!#)\S+", text, re.MULTILINE)


def _named_in_mpd(text: str) -> Iterator[str]:
    mpd = ET.fromstring(text)
    for element in mpd.iter():
        if element.tag.endswith("BaseURL") and element.text:
            yield element.text
        if element.tag.endswith("SegmentTemplate"):
            if "initialization" in element.attrib:
                yield element.attrib["initialization"]
            runs = [each for each in element.iter() if each.tag.endswith("}S")]
            count = sum(int(each.attrib.get("r", "0")) + 1 for each in runs) or 1
            for number in range(1, count + 1):
                yield element.attrib["media"].replace(_NUMBER, f"{number:05}")


def test_an_anonymous_crawl_of_a_published_title_gets_nothing(
    client: FlaskClient,
    settings: Settings,
    clock: FixedClock,
    make: Builders,
    film: Asset,
) -> None:
    token = _token(settings, clock, film.public_id)
    addresses = _crawl(client, f"/media/{token}/{film.public_id}")
    other = make.asset()
    wrong = {
        "none": ("-", 403),
        "another film's": (_token(settings, clock, other.public_id), 403),
        "expired": (_token(settings, clock, film.public_id, seconds=-3600), 410),
        "altered": (token[:-1] + ("A" if token[-1] != "A" else "B"), 403),
        "prolonged": (token.replace(token.split(".")[2], "1999999999"), 403),
        "another session's": (token.replace(_SESSION, "f" * 16), 403),
    }
    kinds = {Path(address).suffix for address in addresses}
    assert kinds == {".m3u8", ".mpd", ".mp4", ".m4s", ".vtt", ".jpg"}
    assert sum("-iframes" in address for address in addresses) == 2
    assert len(addresses) == 29

    for address in addresses:
        for text, status in wrong.values():
            answer = client.get(address.replace(token, text))
            assert answer.status_code == status, (address, text)
            assert answer.mimetype == "application/problem+json"
        without = client.get(address.replace(f"/{token}", ""))
        assert without.status_code in (403, 404), address


def test_signing_in_opens_no_media_without_a_token(
    client: FlaskClient, sign_in: object, film: Asset
) -> None:
    sign_in(client)  # type: ignore[operator]

    answer = client.get(f"/media/-/{film.public_id}/master.m3u8")

    assert answer.status_code == 403


def test_segments_are_looked_up_without_the_database(
    app: Flask, client: FlaskClient, settings: Settings, clock: FixedClock, film: Asset
) -> None:
    base = f"/media/{_token(settings, clock, film.public_id)}/{film.public_id}"
    segment = next(each for each in _crawl(client, base) if each.endswith(".m4s"))
    client.set_cookie("matinee_session", "of somebody")
    settings.database.unlink()

    assert client.get(segment, buffered=True).status_code == 200


@pytest.mark.parametrize(
    ("name", "mimetype"),
    [
        ("master.m3u8", "application/vnd.apple.mpegurl"),
        ("manifest.mpd", "application/dash+xml"),
        ("thumbnails.vtt", "text/vtt"),
    ],
)
def test_manifests_are_private_short_lived_and_asked_for_by_etag(
    client: FlaskClient,
    settings: Settings,
    clock: FixedClock,
    film: Asset,
    name: str,
    mimetype: str,
) -> None:
    token = _token(settings, clock, film.public_id)
    address = f"/media/{token}/{film.public_id}/{name}"

    first = client.get(address, buffered=True)
    again = client.get(
        address, buffered=True, headers={"If-None-Match": first.headers["ETag"]}
    )
    head = client.head(address, buffered=True)

    assert first.mimetype == mimetype
    assert first.headers["Cache-Control"] == "private, max-age=10"
    assert again.status_code == 304
    assert (head.status_code, head.data) == (200, b"")
    assert head.content_length == first.content_length
    assert token not in first.text


def test_segments_are_kept_for_a_year_and_served_in_ranges(
    client: FlaskClient,
    settings: Settings,
    clock: FixedClock,
    storage: Storage,
    film: Asset,
) -> None:
    base = f"/media/{_token(settings, clock, film.public_id)}/{film.public_id}"
    address = min(each for each in _crawl(client, base) if each.endswith(".m4s"))
    track = address.split("/")[-2]
    storage.write(
        f"packages/{film.public_id}/tracks/{track}/{Path(address).name}",
        bytes(range(100)),
    )

    whole = client.get(address, buffered=True)
    piece = client.get(address, buffered=True, headers={"Range": "bytes=10-19"})
    tail = client.get(address, buffered=True, headers={"Range": "bytes=-5"})
    beyond = client.get(address, buffered=True, headers={"Range": "bytes=100-"})
    kept = client.get(
        address, buffered=True, headers={"If-None-Match": whole.headers["ETag"]}
    )

    assert whole.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert whole.mimetype == "video/iso.segment"
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert (piece.status_code, piece.data) == (206, bytes(range(10, 20)))
    assert piece.headers["Content-Range"] == "bytes 10-19/100"
    assert tail.data == bytes(range(95, 100))
    assert beyond.status_code == 416
    assert beyond.headers["Content-Range"] == "bytes */100"
    assert kept.status_code == 304
    assert client.head(address, buffered=True).content_length == 100


@pytest.mark.parametrize(
    "name",
    [
        "tracks/../../../../matinee.db",
        "tracks/..%2f..%2f..%2f..%2fmatinee.db",
        "tracks/%2e%2e/%2e%2e/x.mp4",
        "../../../sources/x/source.mp4",
        "tracks//etc/passwd",
        "tracks/0000000000000000/../init.mp4",
        "tracks/0000000000000000/.mp4",
        "tracks/0000000000000000/init.mp4%00.jpg",
        "tracks/0000000000000000/init.py",
        "tracks/0000000000000000/00001.m4s",
        "hls/0000000000000000.m3u8",
        "source.mp4",
        "x",
    ],
)
def test_no_path_leads_out_of_the_tracks_of_the_film(
    client: FlaskClient, settings: Settings, clock: FixedClock, film: Asset, name: str
) -> None:
    token = _token(settings, clock, film.public_id)

    answer = client.get(f"/media/{token}/{film.public_id}/{name}")

    assert answer.status_code in (404, 308, 403)
    assert b"SQLite" not in answer.data


def test_a_token_for_a_path_that_is_no_asset_opens_nothing(
    client: FlaskClient, settings: Settings, clock: FixedClock
) -> None:
    for asset in ("..", "%2e%2e", "../sources", "x"):
        token = _token(settings, clock, asset)
        answer = client.get(f"/media/{token}/{asset}/tracks/{'0' * 16}/init.mp4")
        assert answer.status_code in (403, 404)


def test_keys_that_were_rotated_are_seen_without_a_restart(
    client: FlaskClient, settings: Settings, clock: FixedClock, film: Asset
) -> None:
    def opens(token: str) -> int:
        address = f"/media/{token}/{film.public_id}/master.m3u8"
        return client.get(address, buffered=True).status_code

    first = _token(settings, clock, film.public_id)
    assert opens(first) == 200

    tokens.rotate(settings.keys)
    second = _token(settings, clock, film.public_id)

    assert (opens(first), opens(second)) == (200, 200)
    tokens.rotate(settings.keys)
    assert (opens(first), opens(second)) == (403, 200)


def test_a_new_version_of_a_film_has_a_new_manifest(
    client: FlaskClient,
    settings: Settings,
    clock: FixedClock,
    db: Database,
    film: Asset,
) -> None:
    token = _token(settings, clock, film.public_id)
    address = f"/media/{token}/{film.public_id}/master.m3u8"
    before = client.get(address, buffered=True)
    db.conn.execute("delete from tracks where height = 360")
    assets.switched(db, film.id, film.version + 1, 10.0)

    after = client.get(address, buffered=True)

    assert "x360" in before.text
    assert "x360" not in after.text
    assert before.headers["ETag"] != after.headers["ETag"]


def test_who_began_with_an_older_version_changes_its_renditions_to_the_end(
    client: FlaskClient,
    settings: Settings,
    clock: FixedClock,
    db: Database,
    film: Asset,
) -> None:
    token = _token(settings, clock, film.public_id)
    beside = f"/media/{token}/{film.public_id}"
    gone = next(each for each in tracks.of_asset(db, film.id) if each.height == 360)
    before = client.get(f"{beside}/hls/{gone.public_id}.m3u8", buffered=True)
    versions.change(db, SYSTEM, film.id, remove=[gone.public_id], reason="replace")

    after = client.get(f"{beside}/hls/{gone.public_id}.m3u8", buffered=True)
    master = client.get(f"{beside}/master.m3u8", buffered=True)

    assert (before.status_code, after.status_code) == (200, 200)
    assert after.text == before.text
    assert gone.public_id not in master.text


def test_an_asset_that_is_not_ready_has_no_manifest(
    client: FlaskClient, settings: Settings, clock: FixedClock, make: Builders
) -> None:
    raw = make.asset(state="processing")
    token = _token(settings, clock, raw.public_id)

    for name in ("master.m3u8", "manifest.mpd", "thumbnails.vtt"):
        answer = client.get(f"/media/{token}/{raw.public_id}/{name}")
        assert answer.status_code == 404


def test_media_is_only_read(
    client: FlaskClient, settings: Settings, clock: FixedClock, film: Asset
) -> None:
    token = _token(settings, clock, film.public_id)

    for method in ("post", "put", "delete", "patch"):
        answer = getattr(client, method)(f"/media/{token}/{film.public_id}/master.m3u8")
        assert answer.status_code == 405


class _Server(ThreadingMixIn, WSGIServer):
    """Answers several requests at once, as players ask for several things at once."""


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing: the test says what went wrong."""


@pytest.fixture
def server(settings: Settings, storage: Storage) -> Iterator[str]:
    app = create_app(settings, SystemClock())
    with make_server("127.0.0.1", 0, app, _Server, _Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.media
@pytest.mark.parametrize("manifest", ["master.m3u8", "manifest.mpd"])
def test_a_program_of_others_plays_a_real_film_over_http(
    server: str,
    settings: Settings,
    db: Database,
    make: Builders,
    tmp_path: Path,
    manifest: str,
) -> None:
    folder = tmp_path / "film"
    folder.mkdir()
    film = packaged.make(folder)
    asset = make.asset(heights=(), languages=(), duration=film.duration)
    packaged.install(film, make, asset)
    expires = int(datetime.now(UTC).timestamp()) + 300
    token = tokens.sign(tokens.load(settings.keys), asset.public_id, _SESSION, expires)

    counts = packaged.packets(f"{server}/media/{token}/{asset.public_id}/{manifest}")

    assert sorted(counts) == sorted(film.packets.values())
