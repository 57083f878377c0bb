"""Films packaged just in time: what is rendered, and what nginx does with it.

nginx-vod-module itself is the operator's: tests that need it run where the environment
variable ``MATINEE_VOD_MODULE`` names its file. The others put a double in its place.
"""

import dataclasses
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from appliance import keyring
from appliance import settings as configuration
from appliance.cenc import KeySystem
from appliance.errors import ConfigError
from appliance.settings import Settings
from nginx import PRIVATE, render, secrets, trial, versions
from nginx.roles import chosen
from tests import just_in_time
from tests.builders import Builders
from tests.conftest import Matinee
from tests.doubles import vod_module
from tests.host.served_nginx import changed, environment, free_port

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
    Trap("2 caches only behind a second hop", "films.conf", "pass http://film_makings"),
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
        "21 preflights", "films.conf", "OPTIONS) { rewrite ^ /-says/preflight last; }"
    ),
    Trap("22 mappings from files", "film_module.conf", "vod_upstream_location "),
    Trap("26 clocks that are set", "upstreams.conf", "max_fails=0;"),
    Trap("28 braces in expressions", "films.conf", 'location ~ "^/media/'),
    Trap("a clear first segment", "film_module.conf", "clear_lead_segment_count 0;"),
)
"""By their numbers in the notes on the module. Of the others, 5 (the seed that is also
a key), 9 (threads), 19 and 25 (lists and subtitles of the module) are kept out by what
is *not* rendered; 10, 11 and 15 by how tracks are made (tests/pipeline); 13, 14, 16,
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


@pytest.mark.parametrize(
    ("module", "said", "remedy"),
    [
        ("/no/such/module.so", "No such file", "let origin.vod_module name the file"),
        ("{home}/half.so", "file too short", "let origin.vod_module name the file"),
        ("/usr/lib/nginx/modules/ngx_http_js_module.so", "vod_mode", "another module"),
    ],
)
def test_checking_says_what_is_wrong_with_the_module(
    tmp_path: Path, module: str, said: str, remedy: str
) -> None:
    (tmp_path / "half.so").write_bytes(b"\x7fELF")
    settings = configuration.load(environ=environment(tmp_path / "home"))
    settings = changed(
        settings, "origin", mode="vod", vod_module=module.format(home=tmp_path)
    )
    for place in (settings.nginx.run, settings.nginx.log, settings.nginx.cache):
        Path(place).mkdir(parents=True)
    trial.write(render(settings, secrets.load(settings)), tmp_path / "rendered")

    (found,) = [each for each in trial.examine(tmp_path / "rendered") if each.grave]

    assert said in found.sentence
    assert remedy in found.remedy


@pytest.mark.parametrize("token", ["md5", "hmac-sha256"])
@pytest.mark.parametrize("roles", [("vod",), ("portal", "vod")])
def test_all_but_the_modules_own_words_is_taken_by_nginx_and_gixy(
    tmp_path: Path, token: str, roles: tuple[str, ...]
) -> None:
    settings = configuration.load(environ=environment(tmp_path / "home"))
    settings = changed(settings, "portal", public_url="http://films.example")
    settings = changed(settings, "origin", token=token, vod_port=free_port())
    for place in (settings.nginx.run, settings.nginx.log, settings.nginx.cache):
        Path(place).mkdir(parents=True)
    files = render(settings, secrets.load(settings), roles)
    folder = tmp_path / "rendered"
    trial.write(vod_module.in_place(files, "http://127.0.0.1:9"), folder)

    found = trial.examine(folder)

    assert [each for each in found if each.grave or each.source == "gixy"] == []
    assert (folder / "film_secrets.conf").stat().st_mode & 0o777 == 0o600


def test_doctor_knows_what_films_need_that_are_packaged_just_in_time(
    settings: Settings,
    make: Builders,
    matinee: Matinee,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def found() -> tuple[str, str]:
        document = json.loads(matinee("doctor", "--json").stdout)
        (check,) = [each for each in document["checks"] if each["id"] == "origin.films"]
        return check["level"], check["sentence"] + check["fix"]

    assert found() == ("ok", "films lie packaged on the disk")
    just_in_time.film(make)
    assert found()[0] == "warn"
    assert "origin.mode = vod" in found()[1]
    monkeypatch.setenv("MATINEE_ORIGIN_MODE", "vod")
    monkeypatch.setenv("MATINEE_ORIGIN_VOD_MODULE", "/no/such/module.so")
    assert found()[0] == "fail"
    assert "/no/such/module.so" in found()[1]
    monkeypatch.setenv("MATINEE_ORIGIN_VOD_MODULE", "")
    monkeypatch.setenv("MATINEE_NGINX_RUN", "/var/lib")
    assert "content keys" in found()[1]
    monkeypatch.setenv("MATINEE_NGINX_RUN", "/dev/shm/matinee/run")
    assert found() == ("ok", "films that are packaged just in time: 1")


def test_where_segments_leave_through_edges_only_these_do_so_too(
    tmp_path: Path,
) -> None:
    settings = changed(Settings(home=tmp_path), "edge", required=True)
    known = dataclasses.replace(secrets.load(settings), edges=("ab" * 32,))
    text = render(settings, known, ("vod",))["films.conf"]

    assert text.count('if ($from_edge = "") { return 403; }') == 2
