"""A real nginx that packages films just in time, with a double for its module.

Tokens, names, what is asked of the application and what is kept of it are the real
ones; :mod:`tests.host.test_vod_module` is about the module itself.
"""

import re
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from appliance import keyring, migrations
from appliance import settings as configuration
from appliance.cenc import KeySystem
from appliance.db import Database
from appliance.delivery import vod
from appliance.delivery.tokens import Scope
from appliance.media.tracks import Track, TrackKind
from appliance.storage import Storage
from nginx import render, secrets, versions
from tests import just_in_time
from tests.browser.live_portal import LivePortal
from tests.builders import Builders
from tests.doubles import vod_module
from tests.doubles.server import Service, served
from tests.doubles.vod_module import VodModule
from tests.host.mounts import Mounts
from tests.host.served_nginx import Nginx, Stack, environment, free_port
from tests.just_in_time import Film

SYSTEMS = (KeySystem.CLEARKEY, KeySystem.WIDEVINE, KeySystem.PLAYREADY)


@dataclass
class _WithDouble(Nginx):
    """An nginx in which a double stands where the module would."""

    double: Service = field(default_factory=lambda: Service(None))  # type: ignore[arg-type]

    def install(self) -> versions.Installed:
        files = render(self.settings, secrets.load(self.settings), self.roles)
        files = vod_module.in_place(files, self.double.url)
        # A second is enough to see what outlives it.
        makings = files["film_makings.conf"]
        files["film_makings.conf"] = makings.replace("200 10s;", "200 1s;")
        return versions.install(self.settings, files, datetime.now(UTC))


@dataclass(frozen=True)
class Origin:
    """A portal with a clear and a protected film, and an nginx that packages them."""

    stack: Stack
    double: Service
    clear: Film
    locked: Film

    def address(self, film: Film, track: Track, name: str) -> str:
        token = self.stack.nginx.token(asset=film.asset.public_id)
        return f"/media/{token}/{film.asset.public_id}/tracks/{track.public_id}/{name}"

    def get(
        self, film: Film, track: Track, name: str, **extra: Any
    ) -> requests.Response:
        return self.stack.nginx.get(self.address(film, track, name), **extra)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    home = tmp_path_factory.mktemp("vod") / "home"
    port = str(free_port())
    environ = environment(home, MATINEE_ORIGIN_MODE="vod", MATINEE_ORIGIN_VOD_PORT=port)
    settings = configuration.load(environ=environ)
    migrations.migrate(settings.database)
    settings.media.mkdir(parents=True)
    storage, database = Storage(settings.media), Database(settings.database)
    make = Builders(database, settings, storage)
    clear = just_in_time.film(make, captions=("de",))
    locked = just_in_time.film(make, systems=SYSTEMS)
    secret = keyring.key(settings.keys, "internal").hex()
    module = VodModule(f"http://127.0.0.1:{port}/media/-makings", secret)
    with served(module) as double:
        nginx = _WithDouble(settings, double=double)
        portal = LivePortal(nginx.url, settings, database, storage, make)
        stack = Stack(nginx, environ, portal)
        try:
            nginx.start()
            stack.start_web()
            yield Origin(stack, double, clear, locked)
        finally:
            stack.stop_web()
            nginx.stop()
            database.close()


def _streams(film: Film) -> list[Track]:
    return [*film.of(TrackKind.VIDEO), *film.of(TrackKind.AUDIO)]


def test_the_names_of_our_manifests_become_names_of_the_module(origin: Origin) -> None:
    for film, how in ((origin.clear, "clear"), (origin.locked, "cenc")):
        for track in _streams(film):
            stream = "v1" if track.kind is TrackKind.VIDEO else "a1"
            place = f"/{how}/{film.asset.public_id}/{track.public_id}"
            for name, wanted in (
                ("init.mp4", f"init-{stream}-x3.mp4"),
                ("00001.m4s", f"fragment-1-{stream}-x3.m4s"),
                ("00010.m4s", f"fragment-10-{stream}-x3.m4s"),
                ("12345.m4s", f"fragment-12345-{stream}-x3.m4s"),
            ):
                answer = origin.get(film, track, vod.prefix(track) + name)
                assert answer.status_code == 200, answer.text
                assert origin.double.seen[-1].path == f"{place}/{wanted}"
                assert answer.json()["path"].endswith(f"{track.path}/{vod.FILM}")


def test_every_address_in_our_manifests_is_one_that_is_packaged(origin: Origin) -> None:
    for film in (origin.clear, origin.locked):
        asset = film.asset.public_id
        base = f"/media/{origin.stack.nginx.token(asset=asset)}/{asset}"
        named = set[str]()
        for track in _streams(film):
            playlist = origin.stack.nginx.get(f"{base}/hls/{track.public_id}.m3u8")
            assert playlist.status_code == 200
            named |= set(re.findall(r"tracks/[\w/-]+\.(?:mp4|m4s)", playlist.text))
        mpd = origin.stack.nginx.get(f"{base}/manifest.mpd").text
        assert set(re.findall(r'initialization="([^"]+)"', mpd)) < named
        assert len(named) == len(_streams(film)) * 4
        for name in named:
            assert origin.stack.nginx.get(f"{base}/{name}").status_code == 200, name


def test_the_answer_may_be_kept_for_ever_and_errors_for_no_time(origin: Origin) -> None:
    track = _streams(origin.clear)[0]

    good = origin.get(origin.clear, track, "video-00001.m4s")
    bad = origin.get(origin.clear, track, "audio-00001.m4s")

    assert good.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert good.headers["X-Content-Type-Options"] == "nosniff"
    assert bad.status_code >= 400
    assert "immutable" not in bad.headers.get("Cache-Control", "")


def test_protected_tracks_leave_encrypted_or_not_at_all(origin: Origin) -> None:
    for track in _streams(origin.locked):
        right = origin.get(origin.locked, track, f"cenc-{track.kind}-00001.m4s")
        assert b64decode(right.json()["key_id"]).hex() == track.kid
        assert b64decode(right.json()["key"]) == origin.locked.key(track).key

        for name in ("00001.m4s", "init.mp4"):
            wrong = origin.get(origin.locked, track, f"{track.kind}-{name}")
            assert wrong.status_code == 404
            assert wrong.json()["code"] == "media.missing"


def test_a_clear_track_is_not_given_out_by_the_name_of_a_protected_one(
    origin: Origin,
) -> None:
    track = _streams(origin.clear)[0]

    answer = origin.get(origin.clear, track, "cenc-video-00001.m4s")

    assert answer.status_code == 404


def test_trap_4_no_two_tracks_begin_to_count_at_the_same_number(origin: Origin) -> None:
    seeds = [
        origin.get(origin.locked, track, f"cenc-{track.kind}-init.mp4").json()["seed"]
        for track in _streams(origin.locked)
    ]

    assert len(set(seeds)) == len(seeds) == 3


@pytest.mark.parametrize(
    "name",
    [
        *("film.clear.mp4", "film%2eclear.mp4", "./film.clear.mp4", "film.clear.mp4/"),
        *("video-0.m4s", "video-00000.m4s", "video-1.m4s", "video-000001.m4s"),
        *("video-00001.mp4", "video-init.m4s", "text-00001.m4s", "CENC-video-init.mp4"),
        *("cenc-00001.m4s", "cenc-cenc-video-00001.m4s", "video-00001-x3.m4s"),
        *("thumb-1000-v1.jpg", "thumb-1000-w9999.jpg", "video-99999x.m4s"),
        *("manifest.mpd", "master.m3u8", "clear/film.clear.mp4", "..%2fvideo-init.mp4"),
    ],
)
def test_nothing_else_reaches_the_module_or_the_file(origin: Origin, name: str) -> None:
    for film in (origin.clear, origin.locked):
        before = len(origin.double.seen)
        address = origin.address(film, _streams(film)[0], name)

        status = origin.stack.nginx.status(address)

        assert status in (400, 403, 404), name
        assert len(origin.double.seen) == before


def test_the_token_is_checked_before_the_module_is_asked(origin: Origin) -> None:
    film, track = origin.clear, _streams(origin.clear)[0]
    nginx, asset = origin.stack.nginx, origin.clear.asset.public_id
    place = f"{asset}/tracks/{track.public_id}/video-00001.m4s"
    before = len(origin.double.seen)

    for token, status in (
        (nginx.token(asset="f" * 16), 403),
        (nginx.token(asset=asset)[:-9] + "AAAAAAAAA", 403),
        (nginx.token(asset=asset, seconds=-2), 410),
        (nginx.token(asset=asset, scope=Scope.LICENCE), 403),
        ("x", 403),
        ("", 403),
    ):
        assert nginx.status(f"/media/{token}/{place}") == status, token
    post = origin.address(film, track, "video-00001.m4s")
    assert nginx.status(post, "POST") in (403, 405)
    assert nginx.status(post, "OPTIONS") == 204
    assert len(origin.double.seen) == before


def test_a_cdn_that_knows_the_secret_is_given_the_same_and_nobody_else(
    origin: Origin,
) -> None:
    film, track = origin.locked, _streams(origin.locked)[0]
    loaded = secrets.load(origin.stack.nginx.settings)
    address = (
        f"/media/{film.asset.public_id}/all/tracks/{track.public_id}"
        "/cenc-video-00001.m4s"
    )
    known = {"X-Origin-Secret": next(iter(loaded.shield))}

    answer = origin.stack.nginx.get(address, headers=known)

    assert b64decode(answer.json()["key_id"]).hex() == track.kid
    assert origin.stack.nginx.status(address) == 403


@pytest.mark.parametrize(
    "address",
    [
        "/media/-makings/map/{asset}/{track}",
        "/media/-makings/drm/{asset}/{track}",
        "/media//-makings/drm/{asset}/{track}",
        "/media/%2dmakings/drm/{asset}/{track}",
        "/internal/drm/{asset}/{track}",
        "//internal/drm/{asset}/{track}",
        "/internal%2fdrm/{asset}/{track}",
        "/x/../internal/drm/{asset}/{track}",
        "/clear/{asset}/{track}/init-v1-x3.mp4",
        "/cenc/{asset}/{track}/init-v1-x3.mp4",
    ],
)
def test_no_address_outside_leads_to_a_key_or_a_path(
    origin: Origin, address: str
) -> None:
    track = _streams(origin.locked)[0]
    asset = origin.locked.asset.public_id
    secret = keyring.key(origin.stack.nginx.settings.keys, "internal").hex()
    filled = address.format(asset=asset, track=track.public_id)

    assert origin.stack.nginx.status(filled) in (400, 403, 404)
    with_secret = origin.stack.nginx.get(filled, headers={"X-Matinee-Internal": secret})
    assert with_secret.status_code in (400, 403, 404)


def test_who_is_on_this_machine_without_the_secret_gets_no_key(origin: Origin) -> None:
    settings = origin.stack.nginx.settings
    track = _streams(origin.locked)[0]
    makings = f"http://127.0.0.1:{settings.origin.vod_port}"
    place = f"{origin.locked.asset.public_id}/{track.public_id}"

    for headers in ({}, {"X-Matinee-Internal": "0" * 64}, {"X-Matinee-Internal": ""}):
        for address in (f"/media/-makings/drm/{place}", "/internal/", "/", "/login"):
            answer = requests.get(makings + address, headers=headers, timeout=30)
            assert answer.status_code == 404


def test_keys_are_kept_in_a_folder_for_nobody_else(origin: Origin) -> None:
    origin.get(origin.locked, _streams(origin.locked)[0], "cenc-video-init.mp4")
    folder = Path(origin.stack.nginx.settings.nginx.run) / "film-keys"

    assert folder.stat().st_mode & 0o777 == 0o700
    files = [each for each in folder.rglob("*") if each.is_file()]
    assert files
    assert {each.stat().st_mode & 0o777 for each in files} == {0o600}


def test_the_log_of_media_names_the_track_and_no_token(origin: Origin) -> None:
    film, track = origin.clear, _streams(origin.clear)[0]
    cmcd = "?CMCD=bl%3D4000"
    origin.get(film, track, f"video-00002.m4s{cmcd}")

    line = origin.stack.nginx.logged("media.log", 1, file="video-00002.m4s")[-1]

    assert (line["track"], line["status"]) == (track.public_id, 200)
    assert "4000" in line["cmcd"]
    assert origin.stack.nginx.token(asset=film.asset.public_id)[:30] not in str(line)


def test_films_that_are_known_go_on_while_the_application_is_away(
    origin: Origin,
) -> None:
    known, unknown = _streams(origin.locked)[0], _streams(origin.locked)[1]
    unseen = just_in_time.film(origin.stack.portal.make)
    name = "cenc-video-00002.m4s"
    assert origin.get(origin.locked, known, name).status_code == 200
    origin.stack.stop_web()
    try:
        # Three times as long as an answer is fresh in this test.
        ends = time.monotonic() + 3
        while time.monotonic() < ends:
            answer = origin.get(origin.locked, known, name)
            assert answer.status_code == 200
            assert b64decode(answer.json()["key_id"]).hex() == known.kid

        missing = origin.get(unseen, _streams(unseen)[0], "video-00001.m4s")

        assert missing.status_code == 503
        assert missing.json()["code"] == "media.away"
        assert missing.headers["Retry-After"] == "5"
    finally:
        origin.stack.start_web()
    assert origin.get(origin.locked, unknown, name).status_code == 200
    assert origin.get(unseen, _streams(unseen)[0], "video-00001.m4s").ok


def test_where_even_memory_is_full_keys_are_told_and_kept_nowhere(
    origin: Origin, mounts: Mounts
) -> None:
    """nginx hangs up on itself, and asks again by the other address (film_makings)."""
    nginx = origin.stack.nginx
    film = just_in_time.film(origin.stack.portal.make, systems=SYSTEMS)
    full(mounts, nginx)
    track = film.of(TrackKind.AUDIO)[0]
    secret = keyring.key(nginx.settings.keys, "internal").hex()
    place = f"/media/-makings/drm/{film.asset.public_id}/{track.public_id}"

    def ask(host: str) -> requests.Response:
        return requests.get(
            f"http://{host}:{nginx.settings.origin.vod_port}{place}",
            headers={"X-Matinee-Internal": secret},
            timeout=30,
        )

    with pytest.raises(requests.ConnectionError):
        ask("127.0.0.1")
    (told,) = ask("127.0.0.2").json()
    assert b64decode(told["key_id"]).hex() == track.kid


def full(mounts: Mounts, nginx: Nginx) -> None:
    """Let there be no room for keys any more."""
    place = mounts.disk(Path(nginx.settings.nginx.run) / "film-keys", kilobytes=64)
    with suppress(OSError), (place / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(b"\0" * 4096)


def test_tracks_that_lie_packaged_are_sent_from_the_disk_as_before(
    origin: Origin,
) -> None:
    packaged = origin.stack.portal.make.asset(captions=("en",))
    token = origin.stack.nginx.token(asset=packaged.public_id)
    before = len(origin.double.seen)
    base = f"/media/{token}/{packaged.public_id}"
    playlist = origin.stack.nginx.get(f"{base}/manifest.mpd").text

    for track in re.findall(r'initialization="([^"]+)"', playlist):
        assert origin.stack.nginx.get(f"{base}/{track}").content == b"init"
    assert len(origin.double.seen) == before
