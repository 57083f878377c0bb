"""How services of others are reached: by which proxy, and whom we believe.

This is the one place that decides it, for every module that calls out. What the
environment of the machine says of proxies and authorities is for other programs: here
only the settings of ``outbound`` count, and the authorities of ``matinee trust``.
"""

import os
import secrets
import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import certifi

from appliance.errors import PreconditionFailed
from appliance.secret_file import SecretFile
from appliance.settings import Settings

_SYSTEM = Path("/etc/ssl/certs/ca-certificates.crt")
_CREDENTIALS = "proxy.toml"
_PORT = 3128


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways out of one installation.

    ``proxy`` may hold a password; ``direct`` are hosts, with all below them, and
    networks that are called without it; ``bundle`` is the file of those we believe,
    beside what lies in the folder ``authorities``.
    """

    proxy: str = field(repr=False)
    direct: tuple[str, ...]
    bundle: str
    authorities: Path

    def proxy_for(self, host: str) -> str:
        """Return the proxy for a host, as http://host:port; empty: straight on."""
        name = host.strip("[]").rstrip(".").lower()
        if not self.proxy or _is_loopback(name):
            return ""
        return "" if any(_means(each, name) for each in self.direct) else self.proxy

    def proxies_for(self, url: str) -> Mapping[str, str]:
        """Return the same by scheme, as libraries take it; empty: none."""
        found = self.proxy_for(urlsplit(url).hostname or "")
        return {"http": found, "https": found} if found else {}

    @property
    def trusted(self) -> str:
        """Return the file of all whom we believe.

        Errors: ``PreconditionFailed`` outbound.ca-bundle.
        """
        usual = Path(self.bundle or (_SYSTEM if _SYSTEM.is_file() else certifi.where()))
        if not usual.is_file():
            raise PreconditionFailed(
                "outbound.ca-bundle",
                f"There is no file {usual}: set outbound.ca_bundle to that of your"
                " authorities, or leave it empty.",
            )
        added = sorted(self.authorities.glob("*.pem"))
        return str(
            _together(self.authorities / "bundle", (usual, *added)) if added else usual
        )

    def context(self) -> ssl.SSLContext:
        """Return what TLS connections are made with. Errors: as of ``trusted``."""
        return ssl.create_default_context(cafile=self.trusted)


def of(settings: Settings) -> Ways:
    """Return the ways of these settings.

    Errors: those of :meth:`SecretFile.section`, where the proxy has a password.
    """
    wanted = settings.outbound
    return Ways(
        proxy=_proxy(settings) if wanted.proxy else "",
        direct=tuple(listed(wanted.direct)),
        bundle=wanted.ca_bundle,
        authorities=settings.home / "authorities",
    )


def address(proxy: str) -> tuple[str, int]:
    """Return host and port of a proxy."""
    parts = urlsplit(proxy)
    return parts.hostname or "", parts.port or _PORT


def proof(proxy: str) -> dict[str, str]:
    """Return the header that shows a proxy who we are; none without a password."""
    parts = urlsplit(proxy)
    if parts.username is None:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


def _proxy(settings: Settings) -> str:
    """Return the proxy, with the user name and password of proxy.toml where it is."""
    wanted = settings.outbound.proxy.rstrip("/")
    parts = urlsplit(wanted)
    bare = f"{parts.hostname}:{parts.port or _PORT}"
    if ":" in (parts.hostname or ""):
        bare = f"[{parts.hostname}]:{parts.port or _PORT}"
    if not (settings.keys / _CREDENTIALS).exists():
        return f"http://{bare}"
    kept = SecretFile(
        _CREDENTIALS, settings.keys, "", "outbound.credentials", "the proxy"
    ).section("proxy")
    user, password = (quote(kept[name], safe="") for name in ("username", "password"))
    return f"http://{user}:{password}@{bare}"


def listed(text: str) -> Iterator[str]:
    """Yield the words of ``outbound.direct``."""
    for each in text.split(","):
        if word := each.strip().lower():
            yield word.removeprefix("*").removeprefix(".")


def _means(word: str, host: str) -> bool:
    """Say whether a word of ``outbound.direct`` means a host, or one below it."""
    if host == word or host.endswith(f".{word}"):
        return True
    with suppress(ValueError):
        return ip_address(host) in ip_network(word, strict=False)
    return False


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def _together(bundle: Path, files: tuple[Path, ...]) -> Path:
    """Return a file with the content of all, written anew when one has changed."""
    marks = tuple((str(each), each.stat().st_mtime_ns) for each in files)
    if not bundle.is_file():
        _written.cache_clear()
    return _written(bundle, marks)


@lru_cache(maxsize=8)
def _written(bundle: Path, marks: tuple[tuple[str, int], ...]) -> Path:
    content = b"\n".join(Path(name).read_bytes() for name, _ in marks)
    if bundle.is_file() and bundle.read_bytes() == content:
        return bundle
    aside = bundle.with_name(f".bundle.{secrets.token_hex(4)}")
    try:
        aside.write_bytes(content)
        aside.chmod(0o644)
        if os.geteuid() == 0:
            home = bundle.parent.stat()
            os.chown(aside, home.st_uid, home.st_gid)
        aside.replace(bundle)
    except OSError:
        # A worker whose home is read-only goes on with what another process wrote.
        if not bundle.is_file():
            raise
    return bundle
