"""Content steering: which hosts a viewer is sent to, and how manifests name all."""

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from appliance.clock import FixedClock
from appliance.db import Database
from appliance.delivery import dash, hls, routes, steering, tokens
from appliance.delivery.steering import Pathway
from appliance.errors import ConfigError
from appliance.media import tracks
from appliance.media.assets import Asset
from appliance.media.tracks import Track
from appliance.playback import sessions
from appliance.settings import Cdn, Edge, Settings
from tests.builders import Builders
from web import create_app

SITES = (
    "berlin=https://berlin.example[10.1.0.0/16],"
    "ost=https://ost.example[10.1.7.0/24 fd00:7::/32],"
    "one=https://one.example,two=https://two.example,three=https://three.example"
)
SESSION = "0000000000000001"
_NS = {"m": "urn:mpeg:dash:schema:mpd:2011"}


def with_edges(
    settings: Settings, sites: str = SITES, cdn: str = "", required: bool = False
) -> Settings:
    return replace(
        settings,
        edge=Edge(sites=sites, required=required),
        cdn=Cdn(name=cdn, url="https://cdn.example" if cdn else ""),
    )


@pytest.fixture
def film(make: Builders) -> Asset:
    return make.asset(languages=("en", "de"), captions=("en",))


@pytest.fixture
def shown(db: Database, film: Asset) -> list[Track]:
    return tracks.of_asset(db, film.id)


@pytest.mark.parametrize(
    ("address", "order"),
    [
        ("10.1.2.3", "berlin two three one here"),
        ("10.1.7.9", "ost berlin two three one here"),
        ("fd00:7::1", "ost two three one here"),
        ("::ffff:10.1.2.3", "berlin two three one here"),
        ("10.2.0.1", "two three one here"),
        ("203.0.113.1", "two three one here"),
        ("", "two three one here"),
    ],
)
def test_the_edge_of_the_smallest_network_comes_first(
    settings: Settings, address: str, order: str
) -> None:
    found = steering.priority(with_edges(settings), address, SESSION)

    assert found == tuple(order.split())


def test_sessions_share_the_edges_that_serve_everybody(settings: Settings) -> None:
    firsts = [
        steering.priority(with_edges(settings), "203.0.113.1", f"{number:016x}")[0]
        for number in range(30)
    ]

    assert {each: firsts.count(each) for each in firsts} == {
        "one": 10,
        "two": 10,
        "three": 10,
    }


def test_a_cdn_comes_after_the_edges_and_this_server_last(settings: Settings) -> None:
    both = with_edges(settings, "one=https://one.example", "bunny")

    assert steering.priority(both, "10.0.0.1", SESSION) == ("one", "cdn", "here")
    assert [each.id for each in steering.pathways(both, "ab")] == ["one", "cdn", "here"]


def test_where_edges_are_required_this_server_is_no_way(settings: Settings) -> None:
    strict = with_edges(settings, required=True)

    assert "here" not in steering.priority(strict, "10.1.2.3", SESSION)
    assert "here" not in [each.id for each in steering.pathways(strict, "ab")]
    assert routes.route(strict, "10.1.2.3").name == "berlin"
    assert routes.route(strict, "203.0.113.1").name == "one"


@pytest.mark.parametrize("name", ["here", "cdn"])
def test_an_edge_cannot_take_a_name_that_means_something(
    settings: Settings, name: str
) -> None:
    with pytest.raises(ConfigError, match=name):
        routes.edges(with_edges(settings, f"{name}=https://a.example"))


def test_the_answer_is_what_both_standards_ask_for() -> None:
    said = json.loads(json.dumps(steering.document(("one", "here"))))

    assert said == {"VERSION": 1, "TTL": 300, "PATHWAY-PRIORITY": ["one", "here"]}


def test_hls_names_every_track_once_for_each_pathway(
    settings: Settings, film: Asset, shown: list[Track]
) -> None:
    ways = steering.pathways(with_edges(settings), film.public_id)

    plain, text = hls.multivariant(shown), hls.multivariant(shown, pathways=ways)

    assert text.splitlines()[3] == (
        '#EXT-X-CONTENT-STEERING:SERVER-URI="steering.json",PATHWAY-ID="here"'
    )
    folder = f"https://berlin.example/media/-/{film.public_id}/"
    for way, prefix in (("berlin", folder), ("here", "")):
        variants = re.findall(
            rf'#EXT-X-STREAM-INF:.*AUDIO="([^"]+)",SUBTITLES="([^"]+)",'
            rf'PATHWAY-ID="{way}"\n(.*)',
            text,
        )
        assert len(variants) == plain.count("#EXT-X-STREAM-INF")
        for sound, words, address in variants:
            assert address.startswith(f"{prefix}hls/")
            for group in (sound, words):
                media = re.findall(rf'GROUP-ID="{group}".*URI="([^"]+)"', text)
                assert media
                assert all(each.startswith(f"{prefix}hls/") for each in media)
    assert text.count("#EXT-X-I-FRAME") == plain.count("#EXT-X-I-FRAME")
    groups = re.findall(
        r'#EXT-X-MEDIA:TYPE=(\w+),GROUP-ID="([^"]+)",NAME="([^"]+)"', text
    )
    assert len(groups) == len(set(groups)), "a name stands once in a group"


def test_dash_names_every_host_and_whom_to_ask(
    settings: Settings, film: Asset, shown: list[Track]
) -> None:
    ways = steering.pathways(with_edges(settings), film.public_id)

    text = dash.manifest(shown, 60.0, pathways=ways)
    mpd = ET.fromstring(text)

    bases = {
        each.attrib["serviceLocation"]: each.text
        for each in mpd.findall("m:BaseURL", _NS)
    }
    assert list(bases) == ["berlin", "ost", "one", "two", "three", "here"]
    assert bases["here"] == "./"
    assert bases["ost"] == f"https://ost.example/media/-/{film.public_id}/"
    asked = mpd.find("m:ContentSteering", _NS)
    assert asked is not None
    assert asked.text == "steering.json"
    assert asked.attrib == {
        "defaultServiceLocation": "here",
        "queryBeforeStart": "true",
    }
    plain = ET.fromstring(dash.manifest(shown, 60.0))
    assert plain.find("m:ContentSteering", _NS) is None
    assert plain.find("m:BaseURL", _NS) is None


def test_a_manifest_without_pathways_is_what_it_was(shown: list[Track]) -> None:
    assert hls.multivariant(shown, pathways=()) == hls.multivariant(shown)
    assert "PATHWAY" not in hls.multivariant(shown)
    assert Pathway("").folder == ""


class Asked:
    """An installation with edges, asked as players do."""

    def __init__(self, app: Flask, settings: Settings, clock: FixedClock) -> None:
        self.client, self.settings, self.clock = app.test_client(), settings, clock

    def get(
        self, asset: str, name: str, token: str = "", address: str = "10.1.2.3"
    ) -> TestResponse:
        ends = int(self.clock.now().timestamp()) + 100
        keys = tokens.load(self.settings.keys)
        token = token or tokens.sign(keys, asset, SESSION, ends)
        return self.client.get(
            f"/media/{token}/{asset}/{name}", environ_base={"REMOTE_ADDR": address}
        )


@pytest.fixture
def asked(settings: Settings, clock: FixedClock) -> Asked:
    changed = with_edges(settings)
    return Asked(create_app(changed, clock), changed, clock)


def test_the_answer_hangs_on_the_viewers_address(asked: Asked, film: Asset) -> None:
    near = asked.get(film.public_id, "steering.json")
    far = asked.get(film.public_id, "steering.json", address="203.0.113.1")

    assert json.loads(near.text)["PATHWAY-PRIORITY"][0] == "berlin"
    assert "berlin" not in json.loads(far.text)["PATHWAY-PRIORITY"]
    assert near.headers["Cache-Control"] == "private, no-store"
    assert near.mimetype == "application/json"


def test_nobody_learns_of_the_edges_without_a_token(asked: Asked, film: Asset) -> None:
    for token in ("-", "2.1.1.1.all.x", film.public_id):
        answer = asked.get(film.public_id, "steering.json", token)
        assert answer.status_code == 403
        assert "berlin" not in answer.text


def test_steered_manifests_are_the_same_for_everybody_and_hold_no_token(
    asked: Asked, film: Asset
) -> None:
    for name in ("steered.m3u8", "steered.mpd"):
        one = asked.get(film.public_id, name)
        two = asked.get(film.public_id, name, address="203.0.113.1")
        assert one.status_code == 200
        assert one.data == two.data
        assert SESSION not in one.text
        assert "/media/-/" in one.text


def test_without_edges_there_is_no_steered_manifest(
    settings: Settings, clock: FixedClock, film: Asset
) -> None:
    plain = Asked(create_app(settings, clock), settings, clock)

    for name in ("steered.m3u8", "steered.mpd"):
        assert plain.get(film.public_id, name).status_code == 404


@pytest.mark.parametrize(
    ("address", "swaps", "manifest"),
    [
        ("10.1.2.3", True, "/media/{}/steered.mpd"),
        ("203.0.113.1", True, "/media/{}/steered.mpd"),
        # Who can't put a token into other addresses is given one host, and stays there.
        ("10.1.2.3", False, "https://berlin.example/media/{}/manifest.mpd"),
        ("203.0.113.1", False, "/media/{}/manifest.mpd"),
    ],
)
def test_players_that_swap_tokens_are_steered(
    db: Database,
    settings: Settings,
    make: Builders,
    film: Asset,
    address: str,
    swaps: bool,
    manifest: str,
) -> None:
    viewer = replace(make.actor(), address=address)

    opened = sessions.open(
        db, with_edges(settings), viewer, asset=film.public_id, swaps=swaps
    )

    folder = f"{opened.media_token}/{opened.asset}"
    assert opened.manifests["dash"] == manifest.format(folder)


def test_whoever_is_near_no_edge_gets_the_plain_manifest(
    db: Database, settings: Settings, make: Builders, film: Asset
) -> None:
    only = with_edges(settings, "berlin=https://berlin.example[10.1.0.0/16]")
    viewer = replace(make.actor(), address="203.0.113.1")

    opened = sessions.open(db, only, viewer, asset=film.public_id)

    assert opened.manifests["dash"].endswith("/manifest.mpd")
    assert opened.manifests["dash"].startswith("/media/")
