"""What a machine's nginx does: the table of roles, and the files that each takes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance.errors import ConfigError
from appliance.settings import Settings
from nginx import edge, just_in_time, objects, words
from nginx.secrets import Secrets

_ALWAYS = (
    "nginx.conf",
    "types.conf",
    "logs.conf",
    "limits.conf",
    "host.conf",
    "problems.conf",
    "proxy.conf",
    "headers/maps.conf",
    "headers/transport.conf",
    "headers/security.conf",
    "headers/cors.conf",
    "headers/passed.conf",
    "headers/media.conf",
    "headers/reader.conf",
    "headers/shared.conf",
)

_MEDIA = ("media.conf", "shared.conf", "token.js")

Values = Callable[[Settings, Secrets], Mapping[str, Any]]


def _nothing(_settings: Settings, _secrets: Secrets) -> Mapping[str, Any]:
    return {}


def _just_in_time(settings: Settings, secrets: Secrets) -> Mapping[str, Any]:
    """Return what both kinds of films need: those of before lie packaged."""
    packaged = objects.values(settings, secrets)
    return {**packaged, **just_in_time.values(settings, secrets)}


@dataclass(frozen=True, slots=True)
class Role:
    """One role.

    ``http`` are files for the http block; ``server`` is the one with its server;
    ``media`` the one that answers for tracks under /media/; ``includes`` are rendered
    too, for others to include. ``values`` gives what its templates see besides the
    values of every site.
    """

    server: str
    http: tuple[str, ...] = ()
    media: str = ""
    includes: tuple[str, ...] = ()
    values: Values = field(default=_nothing)


ROLES: Mapping[str, Role] = {
    "portal": Role(server="portal.conf", http=("upstreams.conf",)),
    "origin": Role(
        server="origin.conf",
        http=(
            *("upstreams.conf", "secrets.conf", "media_log.conf", "manifests.conf"),
            "object_secrets.conf",
        ),
        media="packaged.conf",
        includes=(*_MEDIA, "objects.conf", "objects.js"),
        values=objects.values,
    ),
    # An origin that also packages just in time.
    "vod": Role(
        server="origin.conf",
        http=(
            *("upstreams.conf", "secrets.conf", "media_log.conf", "manifests.conf"),
            *("film_secrets.conf", "film_module.conf", "film_makings.conf"),
            "object_secrets.conf",
        ),
        media="films.conf",
        includes=(*_MEDIA, "objects.conf", "objects.js", "packaged.conf"),
        values=_just_in_time,
    ),
    # A cache in front of an origin elsewhere.
    "edge": Role(
        server="edge.conf",
        http=("secrets.conf", "media_log.conf", "manifests.conf", "edge_cache.conf"),
        includes=("edge_origin.conf", "origin-ca.pem", "token.js"),
        values=edge.values,
    ),
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The roles of one machine, and what follows from them."""

    names: tuple[str, ...]
    roles: tuple[Role, ...]

    @property
    def http(self) -> tuple[str, ...]:
        """Return the files of the http block, each once."""
        return tuple(dict.fromkeys(name for role in self.roles for name in role.http))

    @property
    def checks_tokens(self) -> bool:
        """Say whether media tokens are checked here, which takes their keys."""
        return "secrets.conf" in self.http

    @property
    def servers(self) -> tuple[str, ...]:
        """Return the files with servers: the portal's holds the media of an origin."""
        if "portal" in self.names:
            inside = {ROLES["portal"].server, "origin.conf"}
            beside = [role.server for role in self.roles if role.server not in inside]
            return tuple(dict.fromkeys((ROLES["portal"].server, *beside)))
        return tuple(dict.fromkeys(role.server for role in self.roles))

    @property
    def media(self) -> str:
        """Return the file that answers for tracks; empty where none does."""
        return next((role.media for role in self.roles if role.media), "")

    @property
    def files(self) -> tuple[str, ...]:
        """Return all files to render."""
        more = (name for role in self.roles for name in (role.media, *role.includes))
        found = (*_ALWAYS, *self.http, *self.servers, *more)
        return tuple(dict.fromkeys(filter(None, found)))


def chosen(settings: Settings, names: Iterable[str] = ()) -> Chosen:
    """Return the roles that are named, else those of ``nginx.roles``.

    An origin is one that packages just in time where ``origin.mode`` says so.
    Errors: ``ConfigError`` when there is no such role, or none is named.
    """
    found = tuple(names) or words.listed(settings.nginx.roles)
    if settings.origin.mode == "vod" or "vod" in found:
        found = tuple("vod" if name == "origin" else name for name in found)
    found = tuple(dict.fromkeys(found))
    unknown = [name for name in found if name not in ROLES]
    if unknown or not found:
        wrong = f"; not {', '.join(map(repr, unknown))}" if unknown else ""
        raise ConfigError(
            "nginx.roles",
            f"nginx.roles says what this machine does: {', '.join(ROLES)}{wrong}.",
        )
    return Chosen(found, tuple(ROLES[name] for name in found))
