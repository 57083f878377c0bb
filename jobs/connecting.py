"""Connections to the addresses that films come from: straight on, or by a proxy.

Straight on it is the very address that was checked, whatever the name means a moment
later. Through a proxy the name goes, and the proxy resolves it.
"""

import socket
import ssl
from collections.abc import Iterable
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit

from appliance import outbound, safe_addresses
from appliance.errors import TryAgain
from appliance.outbound import Ways
from appliance.safe_addresses import Target

SECONDS = 30.0
"""How long connecting may take, and each silence after that."""


def target(url: str, ways: Ways, allowed: Iterable[str]) -> tuple[Target, str]:
    """Return where an address leads, and the proxy that is asked to go there."""
    proxy = ways.proxy_for(urlsplit(url).hostname or "")

    def look_up(host: str, port: int) -> list[str]:
        try:
            return addresses(host, port)
        except TryAgain:
            if proxy:
                return []
            raise

    return safe_addresses.resolve(url, look_up, allowed), proxy


def connection(target: Target, proxy: str, ways: Ways) -> HTTPConnection:
    if proxy:
        return _through(target, proxy, ways)
    if target.scheme == "https":
        return _Secure(target, ways.context())
    return _Plain(target)


def addresses(host: str, port: int) -> list[str]:
    """Return what a name stands for. Errors: ``TryAgain``."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise TryAgain(
            "address.unknown", f"The name {host[:100]} can’t be resolved: check it."
        ) from error
    return [str(each[4][0]) for each in found]


def _through(target: Target, proxy: str, ways: Ways) -> HTTPConnection:
    """Return a connection to the proxy; for TLS it is a tunnel through it."""
    host, port = outbound.address(proxy)
    if target.scheme == "http":
        return HTTPConnection(host, port, timeout=SECONDS)
    tunnel = HTTPSConnection(host, port, timeout=SECONDS, context=ways.context())
    tunnel.set_tunnel(target.host, target.port, outbound.proof(proxy))
    return tunnel


class _Plain(HTTPConnection):
    """Connects to the address that was checked, whatever the name means by now."""

    def __init__(self, target: Target) -> None:
        super().__init__(target.host, target.port, timeout=SECONDS)
        self._address = (target.address, target.port)

    def connect(self) -> None:
        self.sock = socket.create_connection(self._address, SECONDS)


class _Secure(HTTPSConnection):
    """The same with TLS: the certificate must be that of the name."""

    def __init__(self, target: Target, trusted: ssl.SSLContext) -> None:
        super().__init__(target.host, target.port, timeout=SECONDS, context=trusted)
        self._address, self._trusted = (target.address, target.port), trusted

    def connect(self) -> None:
        plain = socket.create_connection(self._address, SECONDS)
        self.sock = self._trusted.wrap_socket(plain, server_hostname=self.host)
