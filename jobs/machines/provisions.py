"""What a machine that joins gets: settings and files, what its kind needs and no more.

=========  =====================================================================
worker     The address of Redis, a user in it, and the authority it is known by;
           the key that content keys are sealed with; the object storage, where it
           works through that.
edge       The address of the origin, and its certificate; the keys that media
           tokens are checked with; a secret of its own to show the origin.
standby    Where the copies of the database lie, and the object storage, where
           they lie there.
=========  =====================================================================

Content keys, the database and the secrets of other services stay where they are.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from appliance import keyring
from appliance.delivery import edge_secret, tokens
from appliance.errors import PreconditionFailed
from appliance.operations.invitations import Kind
from appliance.secret_file import SecretFile
from appliance.settings import Settings
from jobs import broker

CERTIFICATE = "origin-ca.pem"
PLACES = "backup.toml"
_OBJECTS = ("bucket", "endpoint", "region", "prefix", "path_style")
_BACKUP = ("place", "copies")
Values = Mapping[str, str | int | bool]


@dataclass(frozen=True, slots=True)
class Provision:
    """``settings`` by their keys; ``files`` of the folder of keys by their names."""

    settings: Values
    files: Mapping[str, str] = field(repr=False)


def require_possible(settings: Settings, kind: Kind) -> None:
    """Refuse to invite a machine that could do nothing here.

    Errors: ``PreconditionFailed`` with what to set first.
    """
    if kind is Kind.WORKER:
        host = broker.of(settings).host
        if not host or _is_here(host):
            raise PreconditionFailed(
                "node.no-queue",
                "Media workers on other machines need a Redis server that they can"
                " reach: set queue.url to rediss:// with this machine's name or"
                " address (the role redis of ansible/ sets one up).",
            )
    elif kind is Kind.EDGE and not settings.portal.public_url:
        raise PreconditionFailed(
            "node.no-origin",
            "An edge needs to know its origin: set portal.public_url.",
        )
    elif kind is Kind.STANDBY and not settings.backup.copies:
        raise PreconditionFailed(
            "node.no-copies",
            "A standby takes over from copies of the database that lie elsewhere: set"
            " backup.copies.",
        )


def exchange(settings: Settings, wanted: str) -> str:
    """Return how a worker gets at films: as it wants, else as this cluster can.

    Errors: ``PreconditionFailed`` node.no-objects.
    """
    if wanted == "objects" and not settings.objects.bucket:
        raise PreconditionFailed(
            "node.no-objects",
            "This cluster has no object storage (objects.bucket): a worker needs the"
            " folder of films then (--exchange folder).",
        )
    return wanted or ("objects" if settings.objects.bucket else "folder")


def of_worker(settings: Settings, name: str, how: str) -> Provision:
    """Return what a media worker gets, but for its user in Redis."""
    redis = broker.of(settings)
    values: dict[str, str | int | bool] = {
        "queue.url": _without_user(redis.url),
        "queue.node": name,
        "queue.exchange": how,
        "queue.lease_seconds": settings.queue.lease_seconds,
        "queue.stall_seconds": settings.queue.stall_seconds,
    }
    files = {"worker.key": f"{keyring.key(settings.keys, 'worker').hex()}\n"}
    if redis.secure and redis.certificates:
        files[broker.CERTIFICATES] = Path(redis.certificates).read_text("ascii")
    if how == "objects":
        values.update(_of_section(settings.objects, "objects", _OBJECTS))
        files |= _object_storage(settings)
    return Provision(values, files)


def of_edge(settings: Settings, secret: bytes) -> Provision:
    """Return what an edge gets; ``secret`` is its own."""
    values = {
        "nginx.roles": "edge",
        "edge.origin": settings.portal.public_url.rstrip("/"),
        "origin.token": settings.origin.token,
        "origin.cors_origins": settings.origin.cors_origins,
    }
    checked = tokens.announce(settings.keys)
    signs = int(checked.current)
    files = {
        f"{'next-' if int(number) > signs else ''}media-{number}.key": f"{key.hex()}\n"
        for number, key in checked.secrets.items()
    }
    files |= {edge_secret.SHOWN: f"{secret.hex()}\n"}
    return Provision(values, files | dict(_certificate(settings)))


def of_standby(settings: Settings) -> Provision:
    """Return what tells a standby where the copies are, and what opens that place."""
    values: dict[str, str | int | bool] = {
        **_of_section(settings.backup, "backup", _BACKUP),
        "portal.public_url": settings.portal.public_url,
    }
    files: dict[str, str] = {}
    named = settings.backup.credentials
    opens = Path(named) if named else settings.keys / PLACES
    if opens.is_file():
        files[PLACES] = opens.read_text("utf-8")
    places = (settings.backup.place, settings.backup.copies)
    if any(place.startswith("s3:") for place in places):
        values.update(_of_section(settings.objects, "objects", _OBJECTS))
        if not opens.is_file():
            files |= _object_storage(settings)
    return Provision(values, files)


def credentials(username: str, password: str) -> dict[str, str]:
    """Return the file with a user of Redis."""
    return {broker.CREDENTIALS: _toml(broker.SECTION, _user(username, password))}


def _user(username: str, password: str) -> Mapping[str, str]:
    named = {"username": username} if username else {}
    return named | {"password": password}


def _object_storage(settings: Settings) -> dict[str, str]:
    section = SecretFile(
        name="s3.toml",
        folder=settings.keys,
        named=settings.objects.credentials,
        code="objects.credentials",
        whose="the object storage",
    ).section("s3")
    return {"s3.toml": _toml("s3", section)}


def _certificate(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield the certificate that the origin shows, for edges that know no issuer."""
    if settings.nginx.tls_certificate:
        path = Path(settings.nginx.tls_certificate)
        yield CERTIFICATE, path.read_text("ascii")


def _of_section(section: object, name: str, fields: tuple[str, ...]) -> Values:
    return {f"{name}.{each}": getattr(section, each) for each in fields}


def _toml(section: str, fields: Mapping[str, str]) -> str:
    # A text of JSON is one of TOML, too, as long as it is no surrogate.
    lines = [f"{name} = {json.dumps(fields[name])}" for name in fields]
    text = "\n".join([f"[{section}]", *lines, ""])
    assert tomllib.loads(text)[section] == dict(fields)
    return text


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
