"""What the templates of an origin see of the object storage behind it."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from appliance import objects
from appliance.errors import ConfigError
from appliance.secret_file import Section
from appliance.settings import Settings
from nginx import words
from nginx.secrets import Secrets
from nginx.words import Trusted

_RESOLV = Path("/etc/resolv.conf")
_KEY = re.compile(r"[A-Za-z0-9+/=._~-]{1,200}")
_PORTS = {"http": 80, "https": 443}
# What a segment weighs about: the names of all that fit are kept in memory.
_SEGMENT_BYTES = 400_000
_NAMES_IN_MEGABYTE = 8000
_LEAST_MEGABYTES = 16
# What the storage says of itself, and what browsers are told by this server alone.
_HIDDEN = (
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Headers",
    "Access-Control-Allow-Methods",
    "Access-Control-Expose-Headers",
    "Access-Control-Max-Age",
    "Cache-Control",
    "Set-Cookie",
    "Strict-Transport-Security",
    "Vary",
    "X-Amz-Content-Sha256",
    "X-Amz-Date",
    "X-Amz-Id-2",
    "X-Amz-Request-Id",
    "X-Amz-Server-Side-Encryption",
    "X-Amz-Version-Id",
)


def values(settings: Settings, _secrets: Secrets) -> Mapping[str, Any]:
    """Return what the templates see; little where no bucket is set.

    Errors: ``ConfigError``, ``PreconditionFailed`` without its keys.
    """
    if not settings.objects.bucket:
        return {"objects": False}
    place, keys = objects.place(settings), objects.keys(settings)
    scheme, host, name, port = _address(place.url)
    server, resolvers = _server(name)
    return {
        "objects": True,
        "objects_scheme": scheme,
        "objects_server": Trusted(f"{server}:{port}"),
        "objects_resolvers": resolvers,
        "objects_host": Trusted(host),
        "objects_name": name.strip("[]"),
        "objects_folder": words.path("objects.prefix", f"{place.folder}packages"),
        "objects_region": words.plain("objects.region", settings.objects.region),
        "objects_access_key": _quoted(keys, "access_key"),
        "objects_secret_key": _quoted(keys, "secret_key"),
        "objects_seconds": settings.objects.timeout_seconds,
        "objects_cache_gigabytes": settings.objects.cache_gigabytes,
        "objects_names_megabytes": max(
            _LEAST_MEGABYTES,
            settings.objects.cache_gigabytes
            * 10**9
            // _SEGMENT_BYTES
            // _NAMES_IN_MEGABYTE,
        ),
        "objects_hidden": _HIDDEN,
    }


def _quoted(keys: Section, field: str) -> Trusted:
    """Return a key in quotes. Errors: ``ConfigError``, which does not show it."""
    if not _KEY.fullmatch(keys[field]):
        raise keys.wrong(f"“{field}” must be letters, digits and +/=._~- only.")
    return Trusted(f'"{keys[field]}"')


def _address(url: str) -> tuple[str, str, str, int]:
    """Return the scheme, what stands in Host, the name alone, and the port."""
    found = urlsplit(words.origins("objects.endpoint", url)[0])
    name = found.hostname or ""
    name = f"[{name}]" if ":" in name else name
    return found.scheme, found.netloc, name, found.port or _PORTS[found.scheme]


def _server(name: str) -> tuple[str, Trusted | str]:
    """Return whom to connect to, and who knows where that is.

    Names are looked up again and again, for a large storage moves from one address to
    the next; and an nginx that starts without them starts all the same.
    """
    if name == "localhost":
        return "127.0.0.1", ""
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return name, _resolvers()
    return name, ""


def _resolvers() -> Trusted:
    """Return the name servers of this machine. Errors: ``ConfigError``."""
    text = _RESOLV.read_text(encoding="utf-8") if _RESOLV.is_file() else ""
    found = re.findall(r"^nameserver\s+([0-9A-Fa-f.:]+)", text, re.MULTILINE)
    if not found:
        raise ConfigError(
            "nginx.value",
            f"{_RESOLV} names no server that knows where objects.endpoint is.",
        )
    known = (words.address("nameserver", each) for each in found)
    return Trusted(" ".join(known))
