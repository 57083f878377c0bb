"""Addresses that others name and we ask: never one of our own networks by mistake.

Whoever may name an address could reach through us what only we can: the database
next door, the metadata of a cloud machine. So a name is resolved once, every address
that it stands for must be public (or in a network that a setting allows), and exactly
that address is connected to: a name that means something else a moment later gains
nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit, urlunsplit

from appliance.errors import InvalidInput

_LONGEST = 2000
_PORTS = {"http": 80, "https": 443}
# IPv6 addresses that carry an IPv4 one, which a gateway would connect to.
_NAT64 = ip_network("64:ff9b::/96")
_Address = IPv4Address | IPv6Address
LookUp = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect, and what to ask for there; ``host`` is for TLS and headers.

    ``address`` is empty for a name that only a proxy can resolve.
    """

    scheme: str
    host: str
    port: int
    address: str
    path: str

    @property
    def named(self) -> str:
        """Return what stands in the Host header."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        usual = _PORTS[self.scheme] == self.port
        return name if usual else f"{name}:{self.port}"

    @property
    def url(self) -> str:
        """Return the whole address."""
        return f"{self.scheme}://{self.named}{self.path}"


def check(url: str) -> str:
    """Return a web address that can be asked, cleaned; nothing is resolved yet.

    Errors: ``InvalidInput``.
    """
    text = url.strip()
    if not text or len(text) > _LONGEST or not text.isprintable() or " " in text:
        raise _refusal("Give an address such as https://example.org/film.mp4.")
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise _refusal("That is no address.") from error
    if parts.scheme not in _PORTS or not host:
        raise _refusal("The address begins with http:// or https://.")
    if parts.username is not None or parts.password is not None:
        raise _refusal("An address with a password in it is not taken.")
    if port == 0:
        raise _refusal("There is no port 0.")
    return urlunsplit(parts._replace(fragment=""))


def resolve(url: str, look_up: LookUp, allowed: Iterable[str] = ()) -> Target:
    """Return where an address leads. ``allowed`` are networks beside public ones.

    ``look_up`` returns the addresses of a name; it is asked once, and returns none
    where a proxy will. Errors:
    ``InvalidInput`` for what must not be asked, and those of ``look_up``.
    """
    parts = urlsplit(check(url))
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    try:
        spelt = host if ":" in host else host.encode("idna").decode()
    except UnicodeError as error:
        raise _refusal(f"{host[:100]} is no name.") from error
    addresses = look_up(spelt, port)
    require_public(host, addresses, tuple(allowed))
    path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    return Target(parts.scheme, spelt, port, addresses[0] if addresses else "", path)


def require_public(host: str, addresses: Sequence[str], allowed: Sequence[str]) -> None:
    """Refuse a name of which any address is not public. Errors: ``InvalidInput``."""
    networks = [ip_network(each) for each in allowed]
    for each in addresses:
        address = ip_address(each.partition("%")[0])
        inside = any(
            address.version == network.version and address in network
            for network in networks
        )
        if not inside and not _public(address):
            raise InvalidInput(
                "address.private",
                f"{host[:100]} is in a private network: films are fetched from public"
                " addresses only, unless uploads.url_networks names that network.",
                {"field": "url"},
            )


def _public(address: _Address) -> bool:
    if isinstance(address, IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour
        if carried is None and address in _NAT64:
            carried = IPv4Address(int(address) & 0xFFFFFFFF)
        if carried is not None:
            return _public(carried)
        if address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _refusal(sentence: str) -> InvalidInput:
    return InvalidInput("address.invalid", sentence, {"field": "url"})
