"""What stands between a viewer and us: proxies that are believed, names we answer to.

Whoever connects may write whatever he likes into ``X-Forwarded-For``, ``-Proto`` and
``-Host``. They count only from the web server at our own socket, and from the networks
of ``portal.trusted_proxies``. With ``portal.public_url`` set, no other name than its
own is answered: a link made from another one could lead people astray.
"""

import json
from collections.abc import Iterable, Sequence
from contextlib import nullcontext, suppress
from functools import lru_cache, partial
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask

from appliance.errors import MatineeError
from appliance.settings import Settings
from web import languages, refusals

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

BEFORE = "werkzeug.proxy_fix.orig"
"""What the environment held before a proxy was believed, as Werkzeug calls it."""

_Network = IPv4Network | IPv6Network
# Asked by machines, by whatever name or address; no link is made there.
_ANY_NAME = ("/-/", "/metrics", "/internal/")
_SCHEMES = ("http", "https")


def install(app: Flask, settings: Settings) -> bool:
    """Put it before the application; return whether anybody is believed."""
    networks = [ip_network(each) for each in _listed(settings.portal.trusted_proxies)]
    socket = bool(settings.web.socket)
    host = urlsplit(settings.portal.public_url).hostname or ""
    app.wsgi_app = Front(  # type: ignore[method-assign, assignment]
        app, networks, socket=socket, host=host
    )
    return socket or bool(networks)


class Front:
    """Believes proxies of ours, and sends away who asks for another host."""

    def __init__(
        self,
        app: Flask,
        networks: Sequence[_Network],
        *,
        socket: bool,
        host: str,
    ) -> None:
        self._app, self._usual = app, app.wsgi_app
        self._socket, self._host = socket, host
        # Few addresses ask much, and to read one costs more than to remember it.
        self._is_proxy = lru_cache(maxsize=4096)(partial(_is_in, networks))

    def __call__(
        self, environ: "WSGIEnvironment", start: "StartResponse"
    ) -> Iterable[bytes]:
        if self._believes(environ.get("REMOTE_ADDR", "")):
            self._hear(environ)
        if not self._is_for_us(environ):
            return _misdirected(self._app, environ, start)
        return self._usual(environ, start)

    def _believes(self, peer: str) -> bool:
        # Behind a Unix socket nobody but a web server asks, and has no address.
        return self._is_proxy(peer) if peer else self._socket

    def _hear(self, environ: "WSGIEnvironment") -> None:
        """Take over what a proxy says of its client."""
        environ[BEFORE] = {
            name: environ.get(name)
            for name in ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST")
        }
        address = self._client(environ.get("HTTP_X_FORWARDED_FOR", ""))
        if address:
            environ["REMOTE_ADDR"] = address
        scheme = _last(environ.get("HTTP_X_FORWARDED_PROTO", ""))
        if scheme in _SCHEMES:
            environ["wsgi.url_scheme"] = scheme
        host = _last(environ.get("HTTP_X_FORWARDED_HOST", ""))
        if host:
            environ["HTTP_HOST"] = host

    def _client(self, forwarded: str) -> str:
        """Return the last address that is none of our proxies; what is left of it is
        what a client wrote himself.
        """
        named = [each.strip() for each in forwarded.split(",")]
        for each in reversed(named):
            if not self._is_proxy(each):
                return each
        return named[0]

    def _is_for_us(self, environ: "WSGIEnvironment") -> bool:
        if not self._host or environ.get("PATH_INFO", "").startswith(_ANY_NAME):
            return True
        with suppress(ValueError):
            asked = urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname
            return asked == self._host
        return False


def _is_in(networks: Sequence[_Network], text: str) -> bool:
    with suppress(ValueError):
        address = ip_address(text.partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(
            address.version == each.version and address in each for each in networks
        )
    return False


def _misdirected(
    app: Flask, environ: "WSGIEnvironment", start: "StartResponse"
) -> list[bytes]:
    error = MatineeError("http.421", "This portal is reached under its own name only.")
    by_people = "text/html" in environ.get("HTTP_ACCEPT", "")
    with (
        app.request_context(environ),
        nullcontext() if by_people else languages.as_its_page(),
    ):
        document = {
            "type": f"urn:matinee:error:{error.code}",
            "title": refusals.titled(error.code, "Another name"),
            "status": 421,
            "detail": refusals.said(error),
            "code": error.code,
        }
    body = json.dumps(document).encode()
    start(
        "421 Misdirected Request",
        [
            ("Content-Type", "application/problem+json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ],
    )
    return [body]


def _last(text: str) -> str:
    return text.rpartition(",")[2].strip()


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]
