"""Under which addresses a playback session gets the files of its film.

A player that swaps tokens is told every host that may serve it, with the folder and
the query that count there now; heartbeats tell them anew. A player that swaps nothing
has the address it began with: it gets the film from where a path or a cookie is enough,
and a protected film from this server or an edge of ours, as the addresses of its keys
are relative to that.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from appliance.delivery import routes, shield, steering
from appliance.delivery.cdn import vendors
from appliance.delivery.cdn.signed import Grant, Signed
from appliance.delivery.routes import CDN, HERE, Route
from appliance.delivery.tokens import Scope
from appliance.errors import MatineeError
from appliance.playback.permission import Standing
from appliance.settings import Settings

_log = logging.getLogger("matinee.delivery")


@dataclass(frozen=True, slots=True)
class Source:
    """One host that serves the film: empty for this server, else https://host.

    ``path`` is the folder of the film there, and ``query`` what every address below it
    ends with.
    """

    host: str
    path: str = field(repr=False)
    query: str = field(default="", repr=False)

    def address(self, name: str) -> str:
        """Return the address of a file of the film."""
        ending = f"?{self.query}" if self.query else ""
        return f"{self.host}{self.path}{name}{ending}"


@dataclass(frozen=True, slots=True)
class Cookies:
    """Cookies that open a folder of a CDN, set for ``domain`` and ``path``."""

    domain: str
    path: str
    values: Mapping[str, str] = field(repr=False)
    expires: int = 0


@dataclass(frozen=True, slots=True)
class Sources:
    """The hosts that serve a film; the first is the one to begin with.

    ``steered`` is where manifests lie that name several hosts, for players that can
    change from one to another; None where they lie with the film.
    """

    hosts: tuple[Source, ...]
    cookies: Cookies | None = None
    steered: Source | None = field(default=None, repr=False)

    @property
    def manifests(self) -> Mapping[str, str]:
        """Return the addresses of the manifests by their format."""
        if self.steered is not None:
            names = {"hls": "steered.m3u8", "dash": "steered.mpd"}
            return {each: self.steered.address(names[each]) for each in names}
        first = self.hosts[0]
        return {
            "hls": first.address("master.m3u8"),
            "dash": first.address("manifest.mpd"),
        }


def of_session(
    settings: Settings,
    standing: Standing,
    media_token: str,
    expires: int,
    *,
    protected: bool = False,
) -> Sources:
    """Return where a session gets its film from, with signatures until ``expires``."""
    here = Source("", _own_folder(media_token, standing))
    if standing.swaps:
        every = dict.fromkeys(_ways(settings, standing.address))
        found = [_source(settings, each, here, standing, expires)[0] for each in every]
        hosts = tuple(dict.fromkeys([*filter(None, found), here]))
        ways = steering.priority(settings, standing.address, standing.session)
        through_edges = ways[:1] not in ((), (HERE.name,), (CDN,))
        return Sources(hosts, steered=here if through_edges else None)
    route = routes.route(settings, standing.address)
    # Our own edges pass requests for keys on.
    if protected and route.name in (HERE.name, CDN):
        return Sources((here,))
    source, signed = _source(settings, route, here, standing, expires)
    if source is None:
        return Sources((here,))
    if not source.query:
        return Sources((source,))
    return _by_cookies(settings, source, signed, expires) or Sources((here,))


def _ways(settings: Settings, address: str) -> Iterator[Route]:
    """Yield the route of an address, and then the others that steering may choose."""
    yield routes.route(settings, address)
    for edge in routes.edges(settings):
        yield Route(edge.name, edge.base)
    through = routes.cdn(settings)
    if through is not None:
        yield through


def _source(
    settings: Settings, route: Route, here: Source, standing: Standing, expires: int
) -> tuple[Source | None, Signed | None]:
    """Return the film at one host, and what a CDN's signature is; none without keys."""
    if route == HERE:
        return here, None
    if not route.vendor:
        return Source(route.base, here.path), None
    folder = shield.folder(standing.asset, Scope.up_to(standing.max_height))
    try:
        signer = vendors.signer(settings, route.vendor)
        signed = signer.sign(Grant(route.base, folder, expires))
    except MatineeError as error:
        # Viewers can still be served from here, and the operator must hear of it.
        _complain(error.message)
        return None, None
    return Source(route.base, signed.path, signed.query), signed


def _by_cookies(
    settings: Settings, source: Source, signed: Signed | None, expires: int
) -> Sources | None:
    """Return the film as cookies open it, where the CDN's host lies below ours.

    Any other host could not be given cookies by this one.
    """
    ours = urlsplit(settings.portal.public_url).hostname or ""
    theirs = urlsplit(source.host).hostname or ""
    if signed is None or not signed.cookies or not ours:
        return None
    if not theirs.endswith(f".{ours}"):
        return None
    cookies = Cookies(ours, signed.path, signed.cookies, expires)
    return Sources((Source(source.host, source.path),), cookies)


def _own_folder(media_token: str, standing: Standing) -> str:
    return f"/media/{media_token}/{standing.asset}/"


@lru_cache(maxsize=8)
def _complain(message: str) -> None:
    """Log what is wrong with the CDN, once for each trouble and not for each viewer."""
    _log.error("films come from this server and not from the CDN: %s", message)
