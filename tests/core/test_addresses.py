"""The addresses that players get: from here, an edge, or a CDN with its signature."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.db import Database
from appliance.delivery import routes
from appliance.delivery.cdn.vendors import SIGNERS
from appliance.permissions import Actor, Role
from appliance.playback import addresses, heartbeats, sessions
from appliance.playback.descriptor import Descriptor
from appliance.playback.heartbeats import Beat
from appliance.sections import CDNS
from appliance.settings import Cdn, Edge, Portal, Settings
from tests.builders import Builders
from tests.core.test_cdn_signers import PAIRS, RSA, pem

FILMS = "https://films.tv.example"
SECRETS = f"""
[cloudfront]
key_pair_id = "K1"
private_key = "cloudfront.pem"
[akamai]
key = "{bytes(range(32)).hex()}"
[google]
key_name = "my-key"
key = "a2tra2tra2tra2tra2traw=="
[bunny]
key = "security"
[cloudflare]
secret = "secret"
[fastly]
key = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="
"""


@pytest.fixture
def secrets(settings: Settings) -> Path:
    addresses._complain.cache_clear()
    settings.keys.mkdir(parents=True, exist_ok=True)
    for name, content in (("cdn.toml", SECRETS.encode()), ("cloudfront.pem", pem(RSA))):
        (settings.keys / name).write_bytes(content)
        (settings.keys / name).chmod(0o600)
    return settings.keys / "cdn.toml"


@pytest.fixture
def film(make: Builders) -> str:
    title = make.title("Solaris")
    make.asset(title, captions=("de",))
    return title.slug


def through(settings: Settings, name: str, sites: str = "") -> Settings:
    return replace(
        settings,
        portal=Portal(public_url="https://tv.example"),
        cdn=Cdn(name=name, url=FILMS),
        edge=Edge(sites=sites),
    )


def play(
    db: Database,
    settings: Settings,
    make: Builders,
    film: str,
    address: str = "203.0.113.9",
    *,
    swaps: bool = True,
) -> tuple[Descriptor, Actor]:
    viewer = replace(make.actor(Role.VIEWER), address=address)
    opened = sessions.open(
        db, settings, viewer, title=film, device="browser", swaps=swaps
    )
    return opened, viewer


@pytest.mark.parametrize("name", PAIRS)
def test_films_come_through_the_cdn_with_its_signature(
    db: Database,
    settings: Settings,
    make: Builders,
    film: str,
    secrets: Path,
    name: str,
) -> None:
    behind = through(settings, name)
    opened, viewer = play(db, behind, make, film)
    now = int(db.clock.now().timestamp())

    files = [*opened.manifests.values(), opened.thumbnails, opened.text[0].url]
    for address in filter(None, files):
        assert address.startswith(f"{FILMS}/")
        assert f"/media/{opened.asset}/all/" in address
        assert opened.media_token not in address
        assert PAIRS[name].edge.status(address, now + 200) == 200
        assert PAIRS[name].edge.status(address, now + 300) in (403, 410)
    assert [each.host for each in opened.hosts] == [FILMS, ""]
    assert opened.hosts[1].path == f"/media/{opened.media_token}/{opened.asset}/"
    beat = heartbeats.heartbeat(db, behind, viewer, opened.session, Beat(1, 1.0))
    assert beat.hosts == opened.hosts
    assert opened.cookies is None


def test_the_limit_on_the_height_is_signed_too(
    db: Database, settings: Settings, make: Builders, film: str, secrets: Path
) -> None:
    behind = through(settings, "bunny")
    opened, viewer = play(db, behind, make, film)
    db.conn.execute("update playback_sessions set max_height = 720")

    beat = heartbeats.heartbeat(db, behind, viewer, opened.session, Beat(1, 1.0))

    assert beat.hosts[0].path.endswith(f"/media/{opened.asset}/h720/")


def test_our_own_edges_and_cdns_take_our_own_token(
    db: Database, settings: Settings, make: Builders, film: str
) -> None:
    sites = "a=https://a.example[10.1.0.0/16],b=https://b.example"
    both = through(settings, "own", sites)
    opened, _ = play(db, both, make, film, "10.1.2.3")
    folder = f"/media/{opened.media_token}/{opened.asset}/"

    assert opened.manifests["dash"] == f"{folder}steered.mpd"
    assert opened.thumbnails == f"https://a.example{folder}thumbnails.vtt"
    assert [(each.host, each.path, each.query) for each in opened.hosts] == [
        ("https://a.example", folder, ""),
        ("https://b.example", folder, ""),
        (FILMS, folder, ""),
        ("", folder, ""),
    ]


def test_without_secrets_films_come_from_here_and_the_log_says_why_once(
    db: Database,
    settings: Settings,
    make: Builders,
    film: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    addresses._complain.cache_clear()
    behind = through(settings, "fastly")
    with caplog.at_level(logging.ERROR, "matinee.delivery"):
        opened, _ = play(db, behind, make, film)
        play(db, behind, make, film)

    assert opened.manifests["hls"].startswith(f"/media/{opened.media_token}/")
    assert [each.host for each in opened.hosts] == [""]
    (line,) = caplog.messages
    assert "cdn.toml" in line


@pytest.mark.parametrize(
    ("name", "host", "cookies"),
    [
        ("bunny", FILMS, False),
        ("cloudfront", FILMS, True),
        ("google", FILMS, True),
        ("akamai", "", False),
        ("cloudflare", "", False),
        ("fastly", "", False),
        ("own", FILMS, False),
    ],
)
def test_players_that_swap_nothing_get_a_path_or_cookies_or_come_here(
    db: Database,
    settings: Settings,
    make: Builders,
    film: str,
    secrets: Path,
    name: str,
    host: str,
    cookies: bool,
) -> None:
    opened, _ = play(db, through(settings, name), make, film, swaps=False)

    assert [each.host for each in opened.hosts] == [host]
    assert "?" not in opened.manifests["hls"]
    assert bool(opened.cookies) == cookies
    if opened.cookies:
        assert opened.cookies.domain == "tv.example"
        edge, now = PAIRS[name].edge, int(db.clock.now().timestamp())
        values = opened.cookies.values
        assert edge.status(opened.manifests["hls"], now + 20_000, values) == 200


def test_cookies_are_set_only_for_a_host_below_the_portals(
    db: Database, settings: Settings, make: Builders, film: str, secrets: Path
) -> None:
    elsewhere = replace(
        through(settings, "cloudfront"),
        cdn=Cdn(name="cloudfront", url="https://nottv.example"),
    )

    opened, _ = play(db, elsewhere, make, film, swaps=False)

    assert opened.cookies is None
    assert [each.host for each in opened.hosts] == [""]


def test_protected_films_come_from_here_where_keys_are_relative(
    db: Database, settings: Settings, make: Builders, film: str, secrets: Path
) -> None:
    db.conn.execute(
        "update tracks set scheme = 'cbcs', kid = ? where kind = 'video'", ("ab" * 16,)
    )

    native, _ = play(db, through(settings, "bunny"), make, film, swaps=False)
    swapping, _ = play(db, through(settings, "bunny"), make, film)

    assert [each.host for each in native.hosts] == [""]
    assert swapping.hosts[0].host == FILMS


def test_a_descriptor_shows_no_address(
    db: Database, settings: Settings, make: Builders, film: str, secrets: Path
) -> None:
    opened, _ = play(db, through(settings, "cloudfront"), make, film, swaps=False)

    assert "Signature" not in repr(opened)
    assert opened.media_token not in repr(opened)


def test_routes_and_vendors_know_the_same_names() -> None:
    assert {*SIGNERS, routes.OWN} == set(CDNS)
