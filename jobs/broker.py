"""The Redis server of a cluster: by which address, as whom, and known by what.

Its password stands in a file of its own rather than in the settings, and the
certificate that it is known by may be one that only this cluster trusts.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from redis import ConnectionPool

from appliance.secret_file import SecretFile
from appliance.settings import Settings

CREDENTIALS = "queue.toml"
CERTIFICATES = "queue-ca.pem"
SECTION = "redis"

# A request that leaves a hint must not hang on a Redis that is away, and a connection
# whose other end has gone without a word must not be waited for.
_CONNECT_SECONDS, _ANSWER_SECONDS, _LOOK_SECONDS = 2, 5, 15


@dataclass(frozen=True, slots=True)
class Broker:
    """What it takes to reach it; all empty where there is none."""

    url: str = field(repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    certificates: str = ""

    @property
    def secure(self) -> bool:
        return self.url.startswith("rediss://")

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 6379

    def pool(self) -> ConnectionPool:
        """Return connections that nobody else has."""
        options: dict[str, Any] = {
            "socket_connect_timeout": _CONNECT_SECONDS,
            "socket_timeout": _ANSWER_SECONDS,
            "socket_keepalive": True,
            "health_check_interval": _LOOK_SECONDS,
        }
        if self.password:
            options |= {"username": self.username or None, "password": self.password}
        if self.secure and self.certificates:
            options["ssl_ca_certs"] = self.certificates
        return ConnectionPool.from_url(self.url, **options)


def of(settings: Settings) -> Broker:
    """Return how the Redis server of these settings is reached.

    What the address itself says counts before what the files do. Errors: as of
    :class:`SecretFile`.
    """
    url = settings.queue.url
    if not url:
        return Broker("")
    username, password = _credentials(settings)
    return Broker(url, username, password, _certificates(settings))


def secrets_file(settings: Settings) -> SecretFile:
    """Return the file with its user name and password."""
    return SecretFile(
        name=CREDENTIALS,
        folder=settings.keys,
        named=settings.queue.credentials,
        code="queue.credentials",
        whose="the Redis server",
    )


def _credentials(settings: Settings) -> tuple[str, str]:
    file = secrets_file(settings)
    if not file.exists() or urlsplit(settings.queue.url).password:
        return "", ""
    section = file.section(SECTION)
    return section.get("username"), section["password"]


def _certificates(settings: Settings) -> str:
    if settings.queue.certificates:
        return settings.queue.certificates
    usual: Path = settings.keys / CERTIFICATES
    return str(usual) if usual.is_file() else ""
