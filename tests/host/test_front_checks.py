"""The doctor before a real front that lets through, or keeps back, what it should not.

And before a mail server and a CDN that do.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import nginx
from appliance.checks import Examined, Level
from appliance.delivery import shield, tokens
from appliance.sections import Cdn as CdnSettings
from appliance.settings import Settings
from nginx import secrets, trial
from tests.doubles.mail_server import mail_server
from tests.host.cdn_nginx import RIGHT, Cdn, Setup
from tests.host.served_nginx import Stack, changed, free_port, stack
from tests.unwell import unwell, well

KEY = base64.b64encode(b"k" * 32).decode()
Files = Mapping[str, str]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    port = str(free_port())
    with stack(
        tmp_path_factory.mktemp("front") / "home",
        MATINEE_NGINX_HTTP_PORT=port,
        MATINEE_PORTAL_PUBLIC_URL=f"http://127.0.0.1:{port}",
    ) as running:
        yield running


@pytest.fixture
def front(served: Stack) -> Examined:
    return Examined(served.portal.settings)


@contextmanager
def edited(served: Stack, edit: Callable[[Files], Files]) -> Iterator[None]:
    """Let nginx run for a while by a configuration that somebody has edited."""
    served.nginx.altered = edit
    served.nginx.install()
    try:
        yield
    finally:
        served.nginx.altered = lambda files: files
        served.nginx.install()


def _with(name: str, old: str, new: str) -> Callable[[Files], Files]:
    def edit(files: Files) -> Files:
        assert old in files[name]
        return {**files, name: files[name].replace(old, new)}

    return edit


def test_a_front_that_is_right_in_everything(front: Examined) -> None:
    well("web.front", front)
    well("web.headers", front)
    well("dns.host", front)
    well("nginx.config", front)
    well("nginx.proxy_headers", front)
    well("nginx.other_hosts", front)
    well("nginx.upload_limit", front)


def test_nobody_who_answers(served: Stack, front: Examined) -> None:
    served.stop_web()
    found = unwell("web.front", front, Level.FAIL)
    served.start_web()
    elsewhere = f"http://127.0.0.1:{free_port()}"
    moved = changed(front.settings, "portal", public_url=elsewhere)

    assert "503" in found.sentence
    assert (
        "nobody answers" in unwell("web.front", replace(front, settings=moved)).sentence
    )


def test_whoever_claims_another_address_is_believed(
    served: Stack, front: Examined
) -> None:
    claims = _with(
        "proxy.conf",
        "X-Forwarded-For $remote_addr",
        "X-Forwarded-For $http_x_forwarded_for",
    )
    with edited(served, claims):
        found = unwell("nginx.proxy_headers", front, Level.FAIL)

    assert "portal.trusted_proxies" in found.fix


def test_the_portal_believes_to_be_asked_by_another_way(
    served: Stack, front: Examined
) -> None:
    with edited(served, _with("proxy.conf", "Proto http;", "Proto https;")):
        unwell("nginx.proxy_headers", front, Level.FAIL)


def test_any_name_is_answered(served: Stack, front: Examined) -> None:
    def edit(files: Files) -> Files:
        whole = files["nginx.conf"].replace("return 444;", "include everybody.conf;")
        everybody = "location / { include proxy.conf; }\n"
        return {**files, "nginx.conf": whole, "everybody.conf": everybody}

    with edited(served, edit):
        unwell("nginx.other_hosts", front, Level.FAIL)


def test_parts_of_uploads_are_too_large(served: Stack, front: Examined) -> None:
    part = f"client_max_body_size {front.settings.uploads.chunk_megabytes + 1}m"
    smaller = _with("portal.conf", part, "client_max_body_size 1m")
    with edited(served, smaller):
        unwell("nginx.upload_limit", front, Level.FAIL)


def test_a_header_that_keeps_browsers_safe_is_lost(
    served: Stack, front: Examined
) -> None:
    hidden = "proxy_hide_header Content-Security-Policy;\nproxy_pass http://web;"
    with edited(served, _with("proxy.conf", "proxy_pass http://web;", hidden)):
        found = unwell("web.headers", front, Level.FAIL)

    assert "Content-Security-Policy" in found.sentence


def test_a_configuration_that_somebody_edited(served: Stack, front: Examined) -> None:
    with edited(served, _with("portal.conf", "8m", "9m")):
        found = unwell("nginx.config", front, Level.FAIL)

    assert "portal.conf" in found.sentence
    assert found.fix == "matinee nginx install"


def test_settings_that_were_changed_since(front: Examined) -> None:
    later = changed(front.settings, "uploads", chunk_megabytes=99)

    unwell("nginx.config", replace(front, settings=later), Level.FAIL)


def test_a_certificate_that_nginx_can_not_read(front: Examined, tmp_path: Path) -> None:
    """The same files are refused, though they are what the settings say."""
    settings = changed(
        front.settings,
        "nginx",
        folder=str(tmp_path / "nginx"),
        tls_certificate=str(tmp_path / "c.pem"),
        tls_key=str(tmp_path / "k.pem"),
    )
    _lay(settings)
    (tmp_path / "c.pem").write_text("no certificate\n")
    (tmp_path / "k.pem").write_text("no key\n")

    found = unwell("nginx.config", replace(front, settings=settings), Level.FAIL)

    assert "nginx refuses" in found.sentence


def _lay(settings: Settings) -> None:
    folder = Path(settings.nginx.folder) / "current"
    folder.mkdir(parents=True)
    trial.write(nginx.render(settings, secrets.load(settings)), folder)


def test_a_name_that_is_not_in_dns(front: Examined) -> None:
    nowhere = changed(front.settings, "portal", public_url="https://films.invalid")
    found = unwell("dns.host", replace(front, settings=nowhere), Level.FAIL)
    another = changed(front.settings, "portal", public_url="https://192.0.2.7")

    assert "films.invalid" in found.fix
    unwell("dns.host", replace(front, settings=another), Level.WARN)


def test_a_mail_server_that_refuses_us(front: Examined) -> None:
    with mail_server() as post:
        sending = changed(
            front.settings,
            "mail",
            host=post.host,
            port=post.port,
            security="none",
            sender="matinee@example.org",
        )
        well("mail.send", replace(front, settings=sending))
        assert post.letters == [], "a check sends nothing"
        secured = changed(sending, "mail", security="starttls")
        unwell("mail.send", replace(front, settings=secured), Level.FAIL)

    unwell("mail.send", replace(front, settings=sending), Level.FAIL)


@pytest.fixture
def through(served: Stack) -> Examined:
    """An installation whose films go through a CDN."""
    settings = served.portal.settings
    kept = settings.keys / "cdn.toml"
    kept.write_text(f'[fastly]\nkey = "{KEY}"\n')
    kept.chmod(0o600)
    url = f"http://127.0.0.1:{free_port()}"
    named = replace(settings, cdn=CdnSettings(name="fastly", url=url))
    film = served.portal.make.asset(captions=("en",))
    for path in (settings.media / "packages" / film.public_id).rglob("*.m4s"):
        path.write_bytes(bytes(range(256)) * 40)
    return Examined(named)


def _cdn(examined: Examined, home: Path) -> Cdn:
    settings = examined.settings
    keys = tokens.load(settings.keys)
    return Cdn(
        home=home,
        origin=settings.portal.public_url,
        secret=shield.secrets(settings.keys)[0],
        token_key=KEY,
        media_secret=keys.secrets[keys.current].hex(),
        port=int(settings.cdn.url.rpartition(":")[2]),
    )


def test_a_cdn_that_is_away_keeps_nothing_or_checks_nothing(
    served: Stack, through: Examined, tmp_path: Path
) -> None:
    cdn = _cdn(through, tmp_path)
    served.nginx.install()  # the secret for CDNs is new
    with cdn.running(RIGHT):
        well("cdn.reachable", through)
        well("cdn.cache_hit", through)
        well("cdn.signed_url", through)
    with cdn.running(Setup(cache="proxy_cache cdn; proxy_no_cache 1;")):
        unwell("cdn.cache_hit", through, Level.FAIL)
    with cdn.running(Setup(checks=False)):
        unwell("cdn.signed_url", through, Level.FAIL)

    unwell("cdn.reachable", through, Level.FAIL)
