"""Addresses that others name: public ones are asked, ours are not."""

import pytest

from appliance import safe_addresses
from appliance.errors import InvalidInput, TryAgain
from jobs import connecting


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org/film.mp4",
        "ftp://example.org/film.mp4",
        "file:///etc/passwd",
        "gopher://example.org/",
        "http://",
        "http:///film.mp4",
        "https://ada:secret@example.org/film.mp4",
        "https://example.org:0/",
        "https://example.org:99999/",
        "https://example.org/a b",
        "https://example.org/\r\nHost: x",
        "https://" + "x" * 2000,
        "https://[::1",
        "javascript:alert(1)",
    ],
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        safe_addresses.check(url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.100.100.200",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "2001:db8::1",
    ],
)
def test_no_address_of_our_own_networks_is_asked(address: str) -> None:
    with pytest.raises(InvalidInput, match="private network"):
        safe_addresses.require_public("example.org", [address], ())
    with pytest.raises(InvalidInput, match="private network"):
        safe_addresses.require_public("example.org", ["93.184.215.14", address], ())


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::1111", "8.8.8.8"])
def test_public_addresses_are_asked(address: str) -> None:
    safe_addresses.require_public("example.org", [address], ())


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost:8600/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[fe80::1%25lo]/",
    ],
)
def test_no_way_of_writing_our_own_machine_gets_past(url: str) -> None:
    with pytest.raises((InvalidInput, TryAgain)):
        safe_addresses.resolve(url, connecting.addresses)


def test_a_network_can_be_allowed_and_nothing_beside_it() -> None:
    url = "http://127.0.0.1:8080/a/film.mp4?key=1#top"

    target = safe_addresses.resolve(url, connecting.addresses, ("127.0.0.0/8",))

    assert (target.address, target.port, target.path, target.named) == (
        "127.0.0.1",
        8080,
        "/a/film.mp4?key=1",
        "127.0.0.1:8080",
    )
    with pytest.raises(InvalidInput):
        safe_addresses.require_public("x", ["10.0.0.1"], ("127.0.0.0/8", "::1/128"))


def test_a_name_is_resolved_once_and_pinned() -> None:
    asked: list[str] = []

    def look_up(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["93.184.215.14" if len(asked) == 1 else "127.0.0.1"]

    target = safe_addresses.resolve("https://films.example.org/one.mp4", look_up)

    assert (target.address, target.host) == ("93.184.215.14", "films.example.org")
    assert asked == ["films.example.org"]
