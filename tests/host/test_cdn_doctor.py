"""The CDN's doctor before a real nginx that plays the CDN, well and badly."""

import base64
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.checks import through_cdn
from appliance.delivery import routes, shield, tokens
from appliance.delivery.cdn import vendors
from appliance.delivery.cdn.visitor import Visitor
from appliance.delivery.tokens import Algorithm
from appliance.media.assets import Asset
from appliance.operations.findings import Finding, Level
from appliance.settings import Cdn as CdnSettings
from appliance.settings import Settings
from tests.doubles.ways import STRAIGHT
from tests.host.cdn_nginx import RIGHT, Cdn, Setup
from tests.host.served_nginx import Stack, free_port, stack

KEY = base64.b64encode(b"k" * 32).decode()
ALLOW = "add_header Access-Control-Allow-Origin"
FORWARD = "proxy_pass @origin@; add_header X-Cache $upstream_cache_status always;"
KEEPS = (
    FORWARD + " proxy_cache cdn; proxy_cache_key $uri; proxy_cache_valid any 1h;"
    " proxy_ignore_headers Cache-Control Expires Set-Cookie Vary;"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    port = str(free_port())
    with stack(
        tmp_path_factory.mktemp("doctor") / "home",
        MATINEE_NGINX_HTTP_PORT=port,
        MATINEE_PORTAL_PUBLIC_URL=f"http://127.0.0.1:{port}",
        MATINEE_CDN_URL=f"http://127.0.0.1:{free_port()}",
        MATINEE_CDN_NAME="fastly",
    ) as running:
        yield running


@pytest.fixture(scope="module")
def film(served: Stack) -> Asset:
    portal = served.portal
    found = portal.make.asset(captions=("en",))
    for path in (portal.settings.media / "packages" / found.public_id).rglob("*.m4s"):
        path.write_bytes(bytes(range(256)) * 40)
    return found


def settings_of(served: Stack, name: str) -> Settings:
    settings = served.portal.settings
    secrets = settings.keys / "cdn.toml"
    secrets.write_text(f'[fastly]\nkey = "{KEY}"\n')
    secrets.chmod(0o600)
    return replace(settings, cdn=CdnSettings(name=name, url=settings.cdn.url))


def cdn_of(settings: Settings, tmp_path: Path) -> Cdn:
    keys = tokens.load(settings.keys)
    return Cdn(
        home=tmp_path,
        origin=settings.portal.public_url,
        secret=shield.secrets(settings.keys)[0],
        token_key=KEY,
        media_secret=keys.secrets[keys.current].hex(),
        own=settings.cdn.name == "own",
        port=int(settings.cdn.url.rpartition(":")[2]),
    )


def examined(
    settings: Settings, film: Asset, tmp_path: Path, setup: Setup, portal: str = ""
) -> dict[str, Finding]:
    route = routes.cdn(settings)
    assert route is not None
    visitor = Visitor(
        route,
        film.public_id,
        tokens.load(settings.keys),
        Algorithm(settings.origin.token),
        STRAIGHT,
        vendors.signer(settings, route.vendor) if route.vendor else None,
    )
    with cdn_of(settings, tmp_path).running(setup):
        found = through_cdn.examine(
            visitor, portal or settings.portal.public_url, int(time.time())
        )
        return {each.id: each for each in found}


@pytest.mark.parametrize("name", ["fastly", "own"])
def test_a_cdn_that_does_everything_right_is_told_so(
    served: Stack, film: Asset, tmp_path: Path, name: str
) -> None:
    found = examined(settings_of(served, name), film, tmp_path, RIGHT)

    assert {
        each.id: each.sentence for each in found.values() if each.level != "ok"
    } == {}
    assert list(found) == ["cdn.delivers", *through_cdn.CHECKS]


@pytest.mark.parametrize("name", ["fastly", "own"])
@pytest.mark.parametrize(
    ("setup", "failing"),
    [
        (Setup(checks=False), {"token.expired", "token.foreign", "token.forged"}),
        (Setup(key="$request_uri"), {"cdn.shared"}),
        (Setup(cache="proxy_cache cdn; proxy_no_cache 1;"), {"cdn.hit", "cdn.shared"}),
        (
            Setup(cors=f"{ALLOW} $http_origin;"),
            {"cors.right"},
        ),
        (Setup(cors=f"{ALLOW} https://x.example;"), {"cors.right"}),
        (Setup(cors=""), {"cors.right"}),
        (Setup(more="max_ranges 0;"), {"ranges.right"}),
        (
            Setup(
                more="proxy_hide_header Cache-Control;"
                " proxy_hide_header Access-Control-Allow-Origin;"
                " add_header Cache-Control max-age=86400;"
            ),
            {"lifetimes.right"},
        ),
        (Setup(keys=KEEPS), {"keys.kept"}),
        (Setup(elsewhere=KEEPS), {"keys.kept", "pages.kept"}),
    ],
)
def test_what_is_wrong_is_found_and_nothing_else(
    served: Stack,
    film: Asset,
    tmp_path: Path,
    name: str,
    setup: Setup,
    failing: set[str],
) -> None:
    found = examined(settings_of(served, name), film, tmp_path, setup)

    failed = {each.id for each in found.values() if each.level is Level.FAIL}
    # Where nothing is checked, our own token still is, at the origin.
    assert failed - {"token.bare"} == failing
    assert all(found[each].fix for each in failed)


def test_what_only_looks_doubtful_is_a_warning(
    served: Stack, film: Asset, tmp_path: Path
) -> None:
    settings = settings_of(served, "fastly")
    everybody = Setup(
        cors=f"{ALLOW} *;",
        tells="",
        elsewhere="proxy_pass @origin@;",
    )

    found = examined(settings, film, tmp_path, everybody)

    warned = {each.id for each in found.values() if each.level is Level.WARN}
    assert warned == {"cdn.hit", "cdn.shared", "cors.right", "pages.kept"}
    assert not any(each.level is Level.FAIL for each in found.values())


def test_an_origin_that_is_open_to_everybody_is_found(
    served: Stack, film: Asset, tmp_path: Path
) -> None:
    settings = settings_of(served, "fastly")
    other = replace(cdn_of(settings, tmp_path), port=free_port())
    with other.running(Setup(checks=False)):
        found = examined(settings, film, tmp_path, RIGHT, portal=other.url)

    assert found["origin.closed"].level is Level.FAIL


def test_a_cdn_that_gives_nothing_is_one_finding(
    served: Stack, film: Asset, tmp_path: Path
) -> None:
    settings = settings_of(served, "fastly")
    nobody = replace(
        settings, cdn=replace(settings.cdn, url=f"http://127.0.0.1:{free_port()}")
    )
    route = routes.cdn(nobody)
    assert route is not None
    visitor = Visitor(
        route,
        film.public_id,
        tokens.load(settings.keys),
        Algorithm.MD5,
        STRAIGHT,
        vendors.signer(settings, "fastly"),
    )

    (gone,) = through_cdn.examine(visitor, "http://127.0.0.1", int(time.time()))
    (wrong,) = examined(
        settings, film, tmp_path, replace(RIGHT, more="return 404;")
    ).values()

    assert (gone.level, "cannot be reached" in gone.sentence) == (Level.FAIL, True)
    assert (wrong.level, "404" in wrong.sentence) == (Level.FAIL, True)


def test_the_command_asks_for_the_newest_film(
    served: Stack, film: Asset, tmp_path: Path
) -> None:
    settings = settings_of(served, "fastly")
    with cdn_of(settings, tmp_path).running():
        told = served.command("cdn", "doctor")

    assert told["ok"] is True
    assert {each["level"] for each in told["checks"]} == {"ok"}
