"""What the templates of role edge see: whose films it keeps, and how many of them."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from appliance.errors import ConfigError
from appliance.settings import Settings
from nginx import words
from nginx.secrets import Secrets

# What a segment weighs about: the names of all that fit are kept in memory.
_SEGMENT_BYTES = 400_000
_NAMES_IN_MEGABYTE = 8000
_LEAST_MEGABYTES = 16

_SYSTEMS = "/etc/ssl/certs/ca-certificates.crt"
_JOINED = "origin-ca.pem"
_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----"
)

_CORS = (
    "Access-Control-Allow-Origin",
    "Access-Control-Expose-Headers",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Headers",
    "Access-Control-Max-Age",
    "Cross-Origin-Resource-Policy",
)


def values(settings: Settings, secrets: Secrets) -> Mapping[str, Any]:
    """Return what the templates see. Errors: ``ConfigError``."""
    edge = settings.edge
    origin = _origin(settings)
    if not secrets.edges:
        raise ConfigError(
            "edge.secret-missing",
            "This edge has no keys: run `matinee edge keys` at the origin, and bring"
            f" the files that it names to {settings.keys}.",
        )
    secure = origin.scheme == "https"
    trusted, authorities = _authorities(settings)
    gigabytes = _positive("edge.cache_gigabytes", edge.cache_gigabytes)
    return {
        "edge_scheme": origin.scheme,
        "edge_origin": f"{origin.hostname}:{origin.port or (443 if secure else 80)}",
        "edge_origin_name": origin.hostname or "",
        "edge_origin_host": origin.netloc,
        "edge_origin_secure": secure,
        "edge_origin_trusted": trusted,
        "edge_origin_authorities": words.Trusted(authorities),
        "edge_cache_gigabytes": gigabytes,
        "edge_free_gigabytes": _positive("edge.free_gigabytes", edge.free_gigabytes, 0),
        "edge_cache_days": _positive("edge.cache_days", edge.cache_days),
        "edge_names_megabytes": _names(gigabytes),
        "edge_own_headers": _CORS,
    }


def _authorities(settings: Settings) -> tuple[str, str]:
    """Return the file with who may vouch for the origin, and what is in it if ours.

    One that joined has the certificate of its origin, which need not have an issuer;
    nginx can't look into the folder of keys, so it is written beside its configuration.
    """
    named, joined = settings.edge.certificates, settings.keys / _JOINED
    if not named and not joined.is_file():
        return _SYSTEMS, ""
    path = Path(named) if named else joined
    found = _CERTIFICATE.findall(path.read_text("ascii", "replace"))
    if not found:
        raise ConfigError(
            "nginx.value", f"{path} (edge.certificates) holds no certificate."
        )
    return _JOINED, "\n".join([*found, ""])


def _origin(settings: Settings) -> SplitResult:
    found = words.origins("edge.origin", settings.edge.origin)
    if len(found) != 1:
        raise ConfigError(
            "nginx.value",
            "edge.origin must be the address of the origin: https://host.",
        )
    if found == words.origins("edge.url", settings.edge.url):
        raise ConfigError(
            "nginx.value", "edge.origin is the edge itself: name the origin behind it."
        )
    return urlsplit(found[0])


def _names(gigabytes: int) -> int:
    """Return how much memory the names of so many segments take."""
    segments = gigabytes * 1_000_000_000 // _SEGMENT_BYTES
    return max(_LEAST_MEGABYTES, segments // _NAMES_IN_MEGABYTE + 1)


def _positive(key: str, value: int, least: int = 1) -> int:
    if value < least:
        raise ConfigError("nginx.value", f"{key} must be at least {least}.")
    return value
