"""Checks of the front: what answers where viewers ask, and what it lets through.

The web server of this machine is asked by its own address, so that nothing in between
answers in its stead; only where none runs here, or proxies stand in front of it, the
name of the portal is looked up.
"""

import json
import socket
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from urllib.parse import urlsplit

from appliance import browser_policy
from appliance.checks.check import Answer, Check, Checks, ok
from appliance.checks.examined import Examined
from appliance.delivery import routes
from appliance.operations.certificates import place
from appliance.operations.findings import Level
from appliance.settings import Settings
from nginx import versions

_SECONDS = 10.0
_LARGEST = 256 * 1024
_FORGED = "203.0.113.66"
_STRANGER = "stranger.invalid"
_UNSET = "portal.public_url is not set: there is no front to look at"
_SEE = "systemctl status matinee-nginx matinee-web, and matinee logs nginx"
_INSTALL = "matinee nginx install, and look at what stands in front of it"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the front answered; without a status it hung up."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Front:
    """Where the portal answers: its name, and the address that is asked."""

    name: str
    address: str
    port: int
    secure: bool

    @property
    def host(self) -> str:
        usual = 443 if self.secure else 80
        shown = f"[{self.name}]" if ":" in self.name else self.name
        return shown if self.port == usual else f"{shown}:{self.port}"

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Ask for a path. Errors: ``OSError`` where nobody answers."""
        reached = socket.create_connection((self.address, self.port), _SECONDS)
        with closing(HTTPConnection(self.name, self.port)) as connection:
            # Whether the certificate holds is asked elsewhere (tls.*).
            connection.sock = self._inside(reached) if self.secure else reached
            connection.putrequest(method, path, skip_host=True)
            sent = {"Host": self.host, "Connection": "close", **(headers or {})}
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders()
            try:
                answer = connection.getresponse()
                body = answer.read(_LARGEST)
            except (HTTPException, ConnectionError):
                return Reply(0, {}, b"")
            return Reply(answer.status, dict(answer.headers.items()), body)

    def _inside(self, reached: socket.socket) -> ssl.SSLSocket:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context.wrap_socket(reached, server_hostname=self.name)


def of(settings: Settings) -> Front | None:
    """Return the front of an installation, or None where there is no address yet.

    Errors: ``OSError`` when its name can't be looked up.
    """
    parts = urlsplit(settings.portal.public_url)
    name = parts.hostname
    if not name:
        return None
    secure = parts.scheme == "https"
    alone = versions.in_use(settings) and not settings.portal.trusted_proxies
    address = _own_address() if alone and not _is_address(name) else name
    return Front(name, address, parts.port or (443 if secure else 80), secure)


def _own_address() -> str:
    """Return the address that this machine speaks from; nothing is sent for that."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        try:
            probe.connect((_FORGED, 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _answers(examined: Examined) -> Answer:
    front = of(examined.settings)
    if front is None:
        return ok(_UNSET)
    try:
        reply = front.ask("GET", "/-/live")
    except OSError as error:
        told = f"nobody answers at {front.host} ({front.address}:{front.port}): {error}"
        return Level.FAIL, told, _SEE
    if reply.status != 200:
        said = f"answers with {reply.status}" if reply.status else "hangs up"
        return Level.FAIL, f"the portal at {front.host} {said}", _SEE
    return ok(f"the portal answers at {front.host}")


def _forged_address(examined: Examined) -> Answer:
    """Claim to be somebody else; who believes that writes lies into the audit log."""
    front = of(examined.settings)
    if front is None:
        return ok(_UNSET)
    claims = {
        "X-Forwarded-For": _FORGED,
        "X-Real-IP": _FORGED,
        "Forwarded": f"for={_FORGED}",
        "X-Client-IP": _FORGED,
    }
    reply = front.ask("GET", "/-/seen", claims)
    if reply.status != 200:
        return Level.WARN, f"/-/seen was answered with {reply.status}", _SEE
    seen = json.loads(reply.body)
    if seen["address"] == _FORGED:
        return (
            Level.FAIL,
            "whoever asks can claim to have any address (X-Forwarded-For)",
            "set portal.trusted_proxies to the networks of the proxies in front of"
            " nginx and no others (none: empty), then matinee nginx install",
        )
    if seen["scheme"] != ("https" if front.secure else "http"):
        told = f"the portal takes {seen['scheme']} for the way it is asked"
        return Level.FAIL, told, _INSTALL
    return ok("nobody can claim another address than their own")


def _other_hosts(examined: Examined) -> Answer:
    """Ask for a stranger's name; a link with it in a letter would lead there."""
    front = of(examined.settings)
    if front is None:
        return ok(_UNSET)
    reply = front.ask("GET", "/login", {"Host": _STRANGER, "X-Forwarded-Host": ""})
    if reply.status < 400 and reply.status != 0:
        told = f"the portal answers to any name, as {_STRANGER} ({reply.status})"
        return Level.FAIL, told, _INSTALL
    return ok(f"the portal answers to {front.host} only")


def _headers(examined: Examined) -> Answer:
    front = of(examined.settings)
    if front is None:
        return ok(_UNSET)
    reply = front.ask("GET", "/login")
    sent = {name.lower(): value for name, value in reply.headers.items()}
    wanted = dict(browser_policy.headers(routes.hosts(examined.settings)))
    wrong = [name for name, value in wanted.items() if sent.get(name.lower()) != value]
    if wrong:
        told = f"the portal does not send {', '.join(wrong)} as it should"
        return Level.FAIL, told, _INSTALL
    lasting = front.secure and _vouched(examined.settings)
    if lasting and "strict-transport-security" not in sent:
        told = (
            "browsers may come back without TLS: Strict-Transport-Security is missing"
        )
        return Level.WARN, told, _INSTALL
    return ok("browsers are told what to allow")


def _vouched(settings: Settings) -> bool:
    """Say whether somebody else signed our certificate: only then it is promised."""
    if not settings.nginx.tls_certificate:
        return True
    return not place.described(place.of(settings)).self_signed


def _upload_limit(examined: Examined) -> Answer:
    """Announce a part of an upload, without sending it or anybody's name."""
    front = of(examined.settings)
    if front is None:
        return ok(_UNSET)
    size = examined.settings.uploads.chunk_megabytes * 1024**2
    told = {"Content-Length": str(size), "Tus-Resumable": "1.0.0"}
    reply = front.ask("POST", "/studio/uploads", told)
    if reply.status == 413:
        return (
            Level.FAIL,
            f"parts of uploads ({examined.settings.uploads.chunk_megabytes} MB) are too"
            " large for what stands in front",
            f"{_INSTALL}; or set uploads.chunk_megabytes lower",
        )
    return ok(f"parts of {size / 1024**2:.0f} MB pass")


def _name(examined: Examined) -> Answer:
    name = urlsplit(examined.settings.portal.public_url).hostname
    if not name:
        return ok(_UNSET)
    try:
        answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError as error:
        told = f"{name} can't be looked up: {error.strerror or error}"
        return Level.FAIL, told, f"enter {name} in DNS, with this machine's address"
    found = sorted({str(each[4][0]) for each in answers})
    listed = ", ".join(found)
    if any(map(_is_ours, found)) or examined.settings.portal.trusted_proxies:
        return ok(f"{name} is {listed}")
    return (
        Level.WARN,
        f"{name} is {listed}: not this machine",
        "correct the entry in DNS; right as it is behind NAT. For a proxy in front, set"
        " portal.trusted_proxies",
    )


def _is_ours(address: str) -> bool:
    """Say whether this machine has an address: others can't be bound."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


CHECKS: Checks = {
    "web.front": Check(_answers, seconds=25),
    "dns.host": Check(_name, slow=True, seconds=25),
    "nginx.proxy_headers": Check(_forged_address, slow=True, seconds=25),
    "nginx.other_hosts": Check(_other_hosts, slow=True, seconds=25),
    "nginx.upload_limit": Check(_upload_limit, slow=True, seconds=25),
    "web.headers": Check(_headers, slow=True, seconds=25),
}
