"""Where films come from: an office's edge, the CDN, or this server; and the shield."""

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.delivery import routes, shield
from appliance.delivery.routes import HERE, Route
from appliance.delivery.tokens import Scope
from appliance.errors import ConfigError
from appliance.settings import Cdn, Edge, Settings

SITES = (
    "berlin=https://edge.berlin.example[10.1.0.0/16 2001:db8:1::/48],"
    " lab = https://edge.lab.example:8443/ [10.1.7.0/24, 192.168.7.7],"
    "world=https://edge.example"
)


def with_edges(settings: Settings, sites: str = SITES) -> Settings:
    return replace(settings, edge=Edge(sites=sites))


def with_cdn(
    settings: Settings, name: str, url: str = "https://films.example"
) -> Settings:
    return replace(settings, cdn=Cdn(name=name, url=url))


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("10.1.2.3", "berlin"),
        ("10.1.7.3", "lab"),
        ("192.168.7.7", "lab"),
        ("2001:db8:1:2::3", "berlin"),
        ("::ffff:10.1.2.3", "berlin"),
        ("10.2.0.1", "here"),
        ("203.0.113.9", "here"),
        ("2001:db8:2::1", "here"),
        ("", "here"),
        ("unix:", "here"),
    ],
)
def test_viewers_in_an_office_get_films_from_its_edge(
    settings: Settings, address: str, name: str
) -> None:
    assert routes.route(with_edges(settings), address).name == name


def test_everybody_else_goes_through_the_cdn(settings: Settings) -> None:
    both = with_cdn(with_edges(settings), "bunny", "https://Films.example/")

    assert routes.route(both, "203.0.113.9") == Route(
        "cdn", "https://films.example", "bunny"
    )
    assert routes.route(both, "10.1.7.1") == Route(
        "lab", "https://edge.lab.example:8443"
    )
    assert routes.hosts(both) == (
        "https://edge.berlin.example",
        "https://edge.lab.example:8443",
        "https://edge.example",
        "https://films.example",
    )


def test_without_edges_and_cdn_everything_comes_from_here(settings: Settings) -> None:
    assert routes.route(settings, "10.1.2.3") == HERE
    assert routes.cdn(settings) is None
    assert routes.hosts(settings) == ()


def test_a_cdn_of_our_own_needs_no_signature_but_our_token(settings: Settings) -> None:
    assert routes.cdn(with_cdn(settings, "own")) == Route(
        "cdn", "https://films.example", ""
    )


@pytest.mark.parametrize(
    "sites",
    [
        "berlin",
        "berlin=edge.example",
        "berlin=https://edge.example[10.1.0.0/33]",
        "berlin=https://edge.example[office]",
        "berlin=https://edge.example[10.1.0.0/16",
        "berlin=https://edge.example/path",
        "berlin=https://user@edge.example",
        "berlin=https://edge.example;script-src",
        "berlin=javascript://edge.example",
        "a=https://a.example,a=https://b.example",
        "a=https://a.example b=https://b.example",
    ],
)
def test_an_edge_that_cannot_be_read_is_refused(settings: Settings, sites: str) -> None:
    with pytest.raises(ConfigError, match=r"edge\.sites"):
        routes.edges(with_edges(settings, sites))


@pytest.mark.parametrize(
    "url", ["", "films.example", "https://films.example/x", "https://a b", "https://"]
)
def test_a_cdn_needs_an_address(settings: Settings, url: str) -> None:
    with pytest.raises(ConfigError, match=r"cdn\.url"):
        routes.route(with_cdn(settings, "bunny", url), "203.0.113.9")


def test_the_address_for_cdns_names_asset_and_scope() -> None:
    path = shield.folder("ab" * 8, Scope.up_to(720))

    assert path == "/media/abababababababab/h720/"
    assert shield.read("ab" * 8, "h720") == ("ab" * 8, Scope("h720"))
    assert shield.read("ab" * 8, "all") == ("ab" * 8, Scope.ALL)
    for first, second in (
        ("1.1.1700000000.aa", "ab" * 8),
        ("ab" * 8, "licence"),
        ("ab" * 8, "h0720"),
        ("AB" * 8, "all"),
        ("ab" * 7, "all"),
        ("ab" * 8, "all\n"),
    ):
        assert shield.read(first, second) is None


def test_two_secrets_open_the_shield_while_a_cdn_learns_the_new_one(
    tmp_path: Path,
) -> None:
    first = shield.secrets(tmp_path)
    second = shield.rotate(tmp_path)

    assert shield.secrets(tmp_path) == (second, *first)
    third = shield.rotate(tmp_path)
    assert shield.secrets(tmp_path) == (third, second)
    assert shield.admits(shield.secrets(tmp_path), third)
    assert shield.admits(shield.secrets(tmp_path), second)
    for wrong in ("", first[0], third[:-1], third.upper() + "é", "\udce9"):
        assert not shield.admits(shield.secrets(tmp_path), wrong)
    assert not shield.admits((), "")
    assert [path.name for path in sorted(tmp_path.glob("*.key"))] == [
        "origin-2.key",
        "origin-3.key",
    ]
