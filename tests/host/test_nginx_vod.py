"""Films packaged just in time: what is rendered, and what nginx does with it.

nginx-vod-module itself is the operator's: tests that need it run where the environment
variable ``MATINEE_VOD_MODULE`` names its file. The others put a double in its place.
"""

import re
import time
from base64 import b64decode
from collections.abc import Iterator
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
from appliance.errors import ConfigError
from appliance.media.tracks import Track, TrackKind
from appliance.settings import Settings
from appliance.storage import Storage
from nginx import PRIVATE, render, secrets, trial, versions
from nginx.roles import chosen
from tests import just_in_time
from tests.browser.live_portal import LivePortal
from tests.builders import Builders
from tests.doubles import vod_module
from tests.doubles.server import Service, served
from tests.doubles.vod_module import VodModule
from tests.host.served_nginx import Nginx, Stack, changed, environment, free_port
from tests.just_in_time import Film

SYSTEMS = (KeySystem.CLEARKEY, KeySystem.WIDEVINE, KeySystem.PLAYREADY)


def _rendered(home: Path, *roles: str, **origin: Any) -> dict[str, str]:
    settings = changed(Settings(home=home), "origin", **origin)
    return dict(render(settings, secrets.load(settings), roles or ("portal", "vod")))


@dataclass(frozen=True)
class Trap:
    """A trap of nginx-vod-module, and the rendered line that keeps us out of it."""

    name: str
    file: str
    line: str


TRAPS = (
    Trap("1 a client that leaves", "films.conf", "proxy_ignore_client_abort on;"),
    Trap("2 caches only behind a second hop", "films.conf", "proxy_pass http://127.0"),
    Trap("2 and there they are", "film_makings.conf", "proxy_cache film_keys;"),
    Trap("3 late pictures", "films.conf", "-${film_stream}1-x3.m4s break;"),
    Trap(
        "4 counters that repeat", "films.conf", '"matinee cenc $media_asset $media_tr'
    ),
    Trap("6 answers that are too large", "film_module.conf", "response_size 64k;"),
    Trap("6 heads that are too large", "film_module.conf", "headers_size 8k;"),
    Trap(
        "6 keys that are too large", "film_module.conf", "vod_drm_max_info_length 8k;"
    ),
    Trap("6 packed answers", "film_makings.conf", "gzip off;"),
    Trap("6 what viewers see of that", "media.conf", "error_page 502 503 504 =503"),
    Trap("7 names of the host", "film_makings.conf", "proxy_cache_key $uri;"),
    Trap("7 tokens in caches", "films.conf", "rewrite "),
    Trap("8 heads of viewers", "films.conf", "proxy_pass_request_headers off;"),
    Trap("8 heads behind the hop", "film_makings.conf", "request_headers off;"),
    Trap("11 addresses that never change", "films.conf", "immutable"),
    Trap("12 segments at keyframes", "film_module.conf", "align_segments_to_key_fr"),
    Trap("12 as our manifests count", "film_module.conf", "count_policy last_short;"),
    Trap("20 the host in answers", "film_module.conf", 'vod_base_url "";'),
    Trap("21 errors without CORS", "headers/cors.conf", "always;"),
    Trap(
        "21 preflights", "films.conf", "if ($request_method = OPTIONS) { return 204; }"
    ),
    Trap("22 mappings from files", "film_module.conf", "vod_upstream_location "),
    Trap("26 clocks that are set", "upstreams.conf", "max_fails=0;"),
    Trap("28 braces in expressions", "films.conf", 'location ~ "^/media/'),
    Trap("a clear first segment", "film_module.conf", "clear_lead_segment_count 0;"),
)
"""By their numbers in the notes on the module. Of the others, 5 (the seed that is also
a key), 9 (threads), 19 and 25 (lists and subtitles of the module) are kept out by what
is *not* rendered; 10, 11, 14 and 15 by how tracks are made (tests/pipeline); 13, 16,
17 and 18 by the mapping and our own manifests (test_vod_mapping, test_internal); 23
and 24 by the one handler there is; 27 concerns live streams."""


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_a_rendered_line_keeps_us_out_of_the_trap(trap: Trap, tmp_path: Path) -> None:
    assert trap.line in _rendered(tmp_path)[trap.file]


def test_traps_5_19_23_24_only_one_of_the_modules_handlers_is_switched_on(
    tmp_path: Path,
) -> None:
    handlers = re.findall(
        r"^\s*vod (\w+);", "".join(_rendered(tmp_path).values()), re.MULTILINE
    )

    assert set(handlers) == {"dash"}, "no vod none, thumb, hls, or its AES-128 keys"


def test_trap_1_no_log_holds_a_variable_of_the_module(tmp_path: Path) -> None:
    for name, text in _rendered(tmp_path).items():
        directives = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
        assert "$vod_" not in directives, name


def test_trap_9_slow_disks_are_told_what_helps_and_what_does_not(
    tmp_path: Path,
) -> None:
    slow = changed(Settings(home=tmp_path), "nginx", slow_disks=True)
    text = render(slow, secrets.load(slow), ("vod",))["film_module.conf"]

    assert "more nginx.workers than there are cores" in text
    assert "thread_pool" not in text


def test_one_setting_makes_every_origin_one_that_packages_just_in_time(
    tmp_path: Path,
) -> None:
    settings = changed(Settings(home=tmp_path), "origin", mode="vod")

    assert chosen(settings).names == ("portal", "vod")
    assert chosen(settings, ("origin",)).names == ("vod",)
    assert chosen(Settings(home=tmp_path)).names == ("portal", "origin")
    assert chosen(Settings(home=tmp_path), ("origin", "vod")).names == ("vod",)


def test_only_who_packages_just_in_time_needs_the_module(tmp_path: Path) -> None:
    line = "load_module modules/ngx_http_vod_module.so;"
    own = _rendered(tmp_path, vod_module="/opt/vod/ngx_http_vod_module.so")

    assert line in _rendered(tmp_path)["nginx.conf"]
    assert "load_module /opt/vod/ngx_http_vod_module.so;" in own["nginx.conf"]
    assert "vod" not in "".join(_rendered(tmp_path, "portal", "origin").values())


@pytest.mark.parametrize(
    "wrong",
    [
        {"vod_module": "relative.so"},
        {"vod_module": "/x.so;\ndaemon off"},
        {"vod_port": 0},
        {"vod_port": 70000},
    ],
)
def test_settings_that_nginx_cannot_be_given_are_refused_in_a_sentence(
    tmp_path: Path, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match=r"origin\.vod_") as refused:
        _rendered(tmp_path, **wrong)

    assert refused.value.message.endswith(".")


def test_the_secret_of_the_internal_door_stands_in_a_private_file_only(
    tmp_path: Path,
) -> None:
    files = _rendered(tmp_path)
    secret = keyring.key(Settings(home=tmp_path).keys, "internal").hex()

    holding = {name for name, text in files.items() if secret in text}

    assert holding == {"film_secrets.conf"}
    assert holding <= PRIVATE


def test_a_module_that_is_not_there_is_refused_and_what_was_in_use_stays(
    tmp_path: Path,
) -> None:
    settings = configuration.load(environ=environment(tmp_path / "home"))
    files = render(settings, secrets.load(settings), ("origin",))
    before = versions.install(settings, files, datetime.now(UTC)).folder
    wrong = changed(settings, "origin", mode="vod", vod_module="/no/such/module.so")

    with pytest.raises(ConfigError, match=r"/no/such/module\.so") as refused:
        versions.install(wrong, render(wrong, secrets.load(wrong)), datetime.now(UTC))

    assert "origin.vod_module" in refused.value.message
    assert (before.parent / "current").readlink().name == before.name


@pytest.mark.parametrize("token", ["md5", "hmac-sha256"])
@pytest.mark.parametrize("roles", [("vod",), ("portal", "vod")])
def test_all_but_the_modules_own_words_is_taken_by_nginx_and_gixy(
    tmp_path: Path, token: str, roles: tuple[str, ...]
) -> None:
    settings = configuration.load(environ=environment(tmp_path / "home"))
    settings = changed(settings, "portal", public_url="http://films.example")
    settings = changed(settings, "origin", token=token)
    for place in (settings.nginx.run, settings.nginx.log, settings.nginx.cache):
        Path(place).mkdir(parents=True)
    files = render(settings, secrets.load(settings), roles)
    folder = tmp_path / "rendered"
    trial.write(vod_module.in_place(files, "http://127.0.0.1:9"), folder)

    found = trial.examine(folder)

    assert [each for each in found if each.grave or each.source == "gixy"] == []
    assert (folder / "film_secrets.conf").stat().st_mode & 0o777 == 0o600


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
