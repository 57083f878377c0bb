"""Settings: defaults, then a TOML file, then the environment; frozen and typed.

A key is ``section.name``; in the environment it is ``MATINEE_SECTION_NAME``. Every
setting carries the sentence that documents it. A key that does not exist is refused
with file, line and key.
"""

import dataclasses
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, get_type_hints

from appliance.cenc import SHORT, Scheme
from appliance.errors import ConfigError
from appliance.sections import (
    CDNS,
    LICENCE_SERVICES,
    Access,
    Accounts,
    Cdn,
    Edge,
    Encode,
    Nginx,
    Objects,
    Origin,
    Playback,
    Portal,
    Protection,
    Queue,
    StorageSettings,
    Uploads,
    Web,
)

__all__ = [
    "Access",
    "Accounts",
    "Cdn",
    "Documented",
    "Edge",
    "Encode",
    "Nginx",
    "Objects",
    "Origin",
    "Playback",
    "Portal",
    "Protection",
    "Queue",
    "Settings",
    "StorageSettings",
    "Uploads",
    "Web",
    "documented",
    "key_systems",
    "load",
]


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be configured, with the home folder it belongs to."""

    home: Path
    portal: Portal = field(default_factory=Portal)
    web: Web = field(default_factory=Web)
    nginx: Nginx = field(default_factory=Nginx)
    origin: Origin = field(default_factory=Origin)
    edge: Edge = field(default_factory=Edge)
    cdn: Cdn = field(default_factory=Cdn)
    storage: StorageSettings = field(default_factory=StorageSettings)
    objects: Objects = field(default_factory=Objects)
    queue: Queue = field(default_factory=Queue)
    encode: Encode = field(default_factory=Encode)
    uploads: Uploads = field(default_factory=Uploads)
    accounts: Accounts = field(default_factory=Accounts)
    playback: Playback = field(default_factory=Playback)
    protection: Protection = field(default_factory=Protection)
    access: Access = field(default_factory=Access)
    source: Path | None = None

    @property
    def database(self) -> Path:
        return _place(self.home, self.storage.database, "matinee.db")

    @property
    def media(self) -> Path:
        return _place(self.home, self.storage.media, "media")

    @property
    def keys(self) -> Path:
        return _place(self.home, self.storage.keys, "keys")


@lru_cache(maxsize=64)
def _place(home: Path, named: str, usual: str) -> Path:
    """Return the place that a setting names, else the usual one; asked for often."""
    return Path(named) if named else home / usual


@dataclass(frozen=True, slots=True)
class Documented:
    """One setting as the documentation lists it."""

    key: str
    variable: str
    kind: str
    default: Any
    doc: str


_SECTIONS: Mapping[str, type] = {
    f.name: hint
    for f, hint in zip(
        dataclasses.fields(Settings), get_type_hints(Settings).values(), strict=True
    )
    if isinstance(hint, type) and dataclasses.is_dataclass(hint)
}


def documented() -> Iterator[Documented]:
    """Yield every setting, in the order of the sections."""
    for section, kind in _SECTIONS.items():
        hints = get_type_hints(kind)
        for each in dataclasses.fields(kind):
            yield Documented(
                key=f"{section}.{each.name}",
                variable=f"MATINEE_{section}_{each.name}".upper(),
                kind=hints[each.name].__name__,
                default=each.default,
                doc=each.metadata.get("doc", ""),
            )


def key_systems(protection: Protection) -> tuple[str, ...]:
    """Return the short names that ``protection.key_systems`` lists."""
    return tuple(
        name.strip() for name in protection.key_systems.split(",") if name.strip()
    )


def load(
    config: Path | None = None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Read the settings of this installation.

    ``config`` is the file given on the command line; without one it is
    ``$MATINEE_CONFIG``, else ``/etc/matinee/matinee.toml`` where that exists. The home
    is ``$MATINEE_HOME``, else ``/var/lib/matinee`` beside a configuration file in
    ``/etc``, else ``./var``.
    Errors: ``ConfigError`` with file, line and key, or the variable's name.
    """
    environ = os.environ if environ is None else environ
    path = _config_file(config, environ)
    values: dict[str, dict[str, Any]] = {section: {} for section in _SECTIONS}
    if path is not None:
        _read_file(path, values)
    _read_environment(environ, values)
    sections = {section: kind(**values[section]) for section, kind in _SECTIONS.items()}
    settings = Settings(home=_home(path, environ), source=path, **sections)
    _refuse_nonsense(settings)
    return settings


def _config_file(config: Path | None, environ: Mapping[str, str]) -> Path | None:
    named = config or (
        Path(environ["MATINEE_CONFIG"]) if environ.get("MATINEE_CONFIG") else None
    )
    if named is not None:
        if not named.is_file():
            raise ConfigError("config.missing", f"There is no file {named}.")
        return named
    usual = Path("/etc/matinee/matinee.toml")
    return usual if usual.is_file() else None


def _home(path: Path | None, environ: Mapping[str, str]) -> Path:
    if environ.get("MATINEE_HOME"):
        return Path(environ["MATINEE_HOME"]).resolve()
    if path is not None and path.is_relative_to("/etc/matinee"):
        return Path("/var/lib/matinee")
    return Path("var").resolve()


def _read_file(path: Path, values: dict[str, dict[str, Any]]) -> None:
    text = path.read_text(encoding="utf-8")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("config.syntax", f"{path}: {error}") from error
    for section, content in document.items():
        where = f"{path}:{_line_of(text, section)}"
        if section not in _SECTIONS or not isinstance(content, dict):
            raise ConfigError(
                "config.unknown",
                f"{where}: there is no section “{section}”."
                f" There are: {', '.join(_SECTIONS)}.",
            )
        for name, value in content.items():
            where = f"{path}:{_line_of(text, section, name)}"
            values[section][name] = _typed(where, section, name, value)


def _read_environment(
    environ: Mapping[str, str], values: dict[str, dict[str, Any]]
) -> None:
    for variable, text in environ.items():
        for section, kind in _SECTIONS.items():
            prefix = f"MATINEE_{section.upper()}_"
            if variable.startswith(prefix):
                name = variable.removeprefix(prefix).lower()
                value = _from_text(get_type_hints(kind).get(name), text)
                values[section][name] = _typed(variable, section, name, value)


def _from_text(kind: type | None, text: str) -> Any:
    if kind is int:
        try:
            return int(text)
        except ValueError:
            return text
    if kind is bool:
        return {"true": True, "1": True, "false": False, "0": False}.get(text, text)
    return text


def _typed(where: str, section: str, name: str, value: Any) -> Any:
    hints = get_type_hints(_SECTIONS[section])
    if name not in hints:
        raise ConfigError(
            "config.unknown",
            f"{where}: there is no setting “{section}.{name}”."
            f" There are: {', '.join(hints)}.",
        )
    if type(value) is not hints[name]:
        raise ConfigError(
            "config.type",
            f"{where}: {section}.{name} must be {_WORDS[hints[name]]}, not {value!r}.",
        )
    return value


_WORDS: Mapping[type, str] = {
    int: "a whole number",
    str: "a text in quotes",
    bool: "true or false",
}


def _line_of(text: str, section: str, name: str | None = None) -> int:
    current = ""
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[\s*\"?([^\]\"]+?)\"?\s*\]", line)
        if header:
            current = header.group(1)
            if name is None and current.split(".")[0] == section:
                return number
            continue
        key = re.match(r"\s*\"?([\w.-]+)\"?\s*=", line)
        if key is None:
            continue
        full = f"{current}.{key.group(1)}".lstrip(".")
        if name is None and full.split(".")[0] == section:
            return number
        if name is not None and full == f"{section}.{name}":
            return number
    return 1


def _refuse_nonsense(settings: Settings) -> None:
    encode, queue = settings.encode, settings.queue
    checks = (
        (queue.kind in ("sqlite", "redis"), "queue.kind must be sqlite or redis."),
        (
            encode.segment_seconds % encode.keyframe_seconds == 0,
            "encode.segment_seconds must be a multiple of encode.keyframe_seconds.",
        ),
        (
            encode.chunk_seconds >= encode.segment_seconds > 0,
            "encode.chunk_seconds must not be shorter than a segment.",
        ),
        (0 <= encode.crf <= 51, "encode.crf must lie between 0 and 51."),
        (settings.playback.heartbeat_seconds > 0, "playback.heartbeat_seconds: > 0."),
        (
            min(
                settings.playback.media_token_seconds,
                settings.playback.native_token_seconds,
            )
            >= 180,
            "playback.media_token_seconds and native_token_seconds must be 180 or"
            " more: a minute goes to caches, half a minute to clocks that disagree.",
        ),
        (
            min(settings.playback.streams, settings.playback.uhd_streams) >= 0,
            "playback.streams and uhd_streams must be 0 (no limit) or more.",
        ),
        (
            settings.playback.watermark in ("off", "protected", "all"),
            "playback.watermark must be off, protected or all.",
        ),
        *_of_protection(settings.protection),
        *_of_objects(settings.objects),
        (
            settings.origin.mode in ("packaged", "vod"),
            "origin.mode must be packaged or vod.",
        ),
        (
            settings.origin.token in ("md5", "hmac-sha256"),
            "origin.token must be md5 or hmac-sha256.",
        ),
        (
            settings.cdn.name in ("", *CDNS),
            f"cdn.name must be empty or one of: {', '.join(CDNS)}.",
        ),
    )
    for right, sentence in checks:
        if not right:
            raise ConfigError("config.value", sentence)


def _of_protection(protection: Protection) -> tuple[tuple[bool, str], ...]:
    systems = key_systems(protection)
    return (
        (
            protection.scheme in tuple(Scheme),
            "protection.scheme must be cbcs or cenc.",
        ),
        (
            bool(systems) and set(systems) <= set(SHORT),
            f"protection.key_systems must name some of: {', '.join(SHORT)}.",
        ),
        (
            protection.keys_from in ("local", "widevine", "speke"),
            "protection.keys_from must be local, widevine or speke.",
        ),
        (
            protection.licences_from in ("", *LICENCE_SERVICES),
            "protection.licences_from must be empty or one of:"
            f" {', '.join(LICENCE_SERVICES)}.",
        ),
        (protection.timeout_seconds > 0, "protection.timeout_seconds: > 0."),
    )


def _of_objects(objects: Objects) -> tuple[tuple[bool, str], ...]:
    address = re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+/?", objects.endpoint)
    parts = objects.prefix.strip("/").split("/") if objects.prefix else []
    return (
        (
            not objects.endpoint or address is not None,
            "objects.endpoint must be an address like https://s3.example.org.",
        ),
        (
            not objects.bucket
            or re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", objects.bucket)
            is not None,
            "objects.bucket must be 3 to 63 lower-case letters, digits, dots and"
            " hyphens.",
        ),
        (
            all(re.fullmatch(r"[\w.-]+", part, re.ASCII) for part in parts)
            and not {".", ".."} & set(parts),
            "objects.prefix must be plain names with slashes between, as films/main.",
        ),
        (
            objects.path_style
            or re.match(r"https?://(\[|\d+(\.\d+){3}\b)", objects.endpoint) is None,
            "objects.path_style must be true: an IP address has no room for a bucket.",
        ),
        (bool(objects.region), "objects.region must not be empty."),
        (
            min(objects.timeout_seconds, objects.cache_gigabytes) > 0,
            "objects.timeout_seconds and cache_gigabytes: > 0.",
        ),
    )
