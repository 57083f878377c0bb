"""Where a player gets a film from: an office's edge, a CDN, or this server.

An edge of ours checks our own media token, as this server does. A CDN checks a
signature of its own kind (:mod:`appliance.delivery.cdn`), unless it is one of ours too
(``cdn.name = "own"``).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from appliance.errors import ConfigError
from appliance.settings import Settings

OWN = "own"
"""The name of a CDN that checks our tokens itself."""

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::[0-9]{1,5})?"
_ORIGIN = re.compile(rf"https?://(?:{_HOST}|\[[0-9A-Fa-f:.]+\](?::[0-9]{{1,5}})?)")
_SITE = re.compile(
    r"\s*(?P<name>[A-Za-z0-9_-]{1,40})\s*=\s*(?P<base>https?://[^\s,\[]+)"
    r"(?:\s*\[(?P<networks>[^\]]*)\])?\s*(?:,|$)"
)


@dataclass(frozen=True, slots=True)
class Edge:
    """A caching server of ours: its address, and whose networks prefer it."""

    name: str
    base: str
    networks: tuple[IPv4Network | IPv6Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """One way to a film.

    ``base`` is empty for this server, else ``https://host`` without a slash; ``vendor``
    names the CDN whose signature is needed there, and is empty where our token counts.
    """

    name: str
    base: str = ""
    vendor: str = ""


HERE = Route("here")
CDN = "cdn"
_TAKEN = frozenset({HERE.name, CDN})


def route(settings: Settings, address: str) -> Route:
    """Return the way for a viewer at an address: an office's edge, the CDN, or here.

    Of several networks that the address is in, the smallest counts. Where films leave
    through edges only, an edge for everybody takes the place of this server.
    Errors: ``ConfigError`` for addresses of edges or of a CDN that can't be used.
    """
    known = edges(settings)
    found = near(known, address)
    if settings.edge.required and not found:
        found = tuple(each for each in known if not each.networks)
    if found:
        return Route(found[0].name, found[0].base)
    return cdn(settings) or HERE


def cdn(settings: Settings) -> Route | None:
    """Return the way through the CDN; None where there is none. Errors: as above."""
    if not settings.cdn.name:
        return None
    base = origin("cdn.url", settings.cdn.url)
    return Route(CDN, base, "" if settings.cdn.name == OWN else settings.cdn.name)


def edges(settings: Settings) -> tuple[Edge, ...]:
    """Return the edges that ``edge.sites`` lists. Errors: ``ConfigError``."""
    return _edges(settings.edge.sites)


def near(known: Iterable[Edge], address: str) -> tuple[Edge, ...]:
    """Return the edges whose networks an address is in, the smallest network first."""
    try:
        there = ip_address(address)
    except ValueError:
        return ()
    there = getattr(there, "ipv4_mapped", None) or there
    lengths = {
        edge: max((n.prefixlen for n in edge.networks if there in n), default=-1)
        for edge in known
    }
    found = [edge for edge, length in lengths.items() if length >= 0]
    return tuple(sorted(found, key=lambda each: -lengths[each]))


def hosts(settings: Settings) -> tuple[str, ...]:
    """Return every origin, as https://host, that films may come from besides here."""
    through = cdn(settings)
    found = [each.base for each in edges(settings)]
    return tuple(dict.fromkeys([*found, *([through.base] if through else [])]))


@lru_cache(maxsize=8)
def _edges(text: str) -> tuple[Edge, ...]:
    found = tuple(_parsed(text))
    names = [each.name for each in found]
    if len(set(names)) < len(names):
        raise _wrong(f"two edges have the same name in “{text}”")
    if taken := _TAKEN.intersection(names):
        raise _wrong(f"no edge can be called {' or '.join(sorted(taken))}")
    return found


def _parsed(text: str) -> Iterator[Edge]:
    at = 0
    while text[at:].strip():
        match = _SITE.match(text, at)
        if match is None:
            raise _wrong(f"“{text[at:].strip()}” is none")
        at = match.end()
        base = origin("edge.sites", match["base"])
        yield Edge(match["name"], base, tuple(_networks(match["networks"] or "")))


def _networks(text: str) -> Iterator[IPv4Network | IPv6Network]:
    for word in text.replace(",", " ").split():
        try:
            yield ip_network(word, strict=False)
        except ValueError as error:
            raise _wrong(f"{error}") from error


def origin(key: str, text: str) -> str:
    """Return the address of a host, as browsers write it. Errors: ``ConfigError``."""
    found = text.rstrip("/")
    if not _ORIGIN.fullmatch(found):
        raise ConfigError(
            "config.value", f"{key} must be an address as https://host, not “{text}”."
        )
    return found.lower()


def _wrong(what: str) -> ConfigError:
    return ConfigError(
        "config.value",
        "edge.sites lists edges as name=https://host[10.1.0.0/16 10.2.0.0/16], with"
        f" commas between: {what}.",
    )
