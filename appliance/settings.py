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

from appliance import host_checks, media_checks, service_checks, studio_checks
from appliance.errors import ConfigError
from appliance.host_sections import Backup, Disk, Monitoring, Outbound, Tls
from appliance.media_sections import Encode, Hardware, Quality, Queue, Speech
from appliance.sections import (
    CDNS,
    Access,
    Accounts,
    Cdn,
    Edge,
    Mail,
    Nginx,
    Objects,
    Origin,
    Playback,
    Portal,
    Protection,
    StorageSettings,
    Studio,
    Uploads,
    Web,
    Webhooks,
)

__all__ = [
    "JOINED",
    "Access",
    "Accounts",
    "Backup",
    "Cdn",
    "Disk",
    "Documented",
    "Edge",
    "Encode",
    "Hardware",
    "Monitoring",
    "Nginx",
    "Objects",
    "Origin",
    "Outbound",
    "Playback",
    "Portal",
    "Protection",
    "Quality",
    "Queue",
    "Settings",
    "Speech",
    "StorageSettings",
    "Studio",
    "Tls",
    "Uploads",
    "Web",
    "documented",
    "joined_beside",
    "key_systems",
    "load",
]

JOINED = "joined.toml"
"""The file, beside the configuration, with what a control node told this machine."""


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
    hardware: Hardware = field(default_factory=Hardware)
    quality: Quality = field(default_factory=Quality)
    speech: Speech = field(default_factory=Speech)
    uploads: Uploads = field(default_factory=Uploads)
    studio: Studio = field(default_factory=Studio)
    accounts: Accounts = field(default_factory=Accounts)
    playback: Playback = field(default_factory=Playback)
    protection: Protection = field(default_factory=Protection)
    access: Access = field(default_factory=Access)
    webhooks: Webhooks = field(default_factory=Webhooks)
    mail: Mail = field(default_factory=Mail)
    backup: Backup = field(default_factory=Backup)
    disk: Disk = field(default_factory=Disk)
    monitoring: Monitoring = field(default_factory=Monitoring)
    outbound: Outbound = field(default_factory=Outbound)
    tls: Tls = field(default_factory=Tls)
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
    home = _home(path, environ)
    values: dict[str, dict[str, Any]] = {section: {} for section in _SECTIONS}
    told = joined_beside(path, home)
    if told.is_file():
        _read_file(told, values)
    if path is not None:
        _read_file(path, values)
    _read_environment(environ, values)
    sections = {section: kind(**values[section]) for section, kind in _SECTIONS.items()}
    settings = Settings(home=home, source=path, **sections)
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
    # A machine that joined a cluster may have no settings of its own.
    for each in (usual, usual.with_name(JOINED)):
        if each.is_file():
            return each
    return None


def joined_beside(config: Path | None, home: Path) -> Path:
    """Return where that is which the control node told this machine.

    What stands in the configuration itself counts before it.
    """
    return (home if config is None else config.parent) / JOINED


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
            value = _said_today(section, name, value)
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
                value = _said_today(section, name, value)
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


def _said_today(section: str, name: str, value: Any) -> Any:
    """Return a value that an older release took as it is said today.

    ``portal.trusted_proxies`` was the number of proxies, wherever they were; they stand
    in private networks, as good as always.
    """
    if (section, name) == ("portal", "trusted_proxies") and str(value).isdigit():
        return host_checks.PRIVATE if int(value) else ""
    return value


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
    encode = settings.encode
    checks = (
        *media_checks.of_queue(settings.queue),
        (
            settings.queue.exchange != "objects" or bool(settings.objects.bucket),
            "queue.exchange is objects: set objects.bucket, which the control worker"
            " uses, as well.",
        ),
        (
            encode.segment_seconds % encode.keyframe_seconds == 0,
            "encode.segment_seconds must be a multiple of encode.keyframe_seconds.",
        ),
        (
            encode.chunk_seconds >= encode.segment_seconds > 0,
            "encode.chunk_seconds must not be shorter than a segment.",
        ),
        *(
            (right, f"encode.{name} {sentence}")
            for name, (right, sentence) in media_checks.of_encode(encode).items()
        ),
        (settings.playback.heartbeat_seconds > 0, "playback.heartbeat_seconds: > 0."),
        *studio_checks.of_studio(settings.studio, settings.uploads),
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
        *service_checks.of_protection(
            settings.protection, key_systems(settings.protection)
        ),
        *media_checks.of_quality(settings.quality),
        *media_checks.of_speech(settings.speech),
        *service_checks.of_objects(settings.objects),
        *service_checks.of_telling(settings.mail, settings.webhooks),
        *host_checks.of_portal(settings.portal),
        *host_checks.of_backup(settings.backup),
        *host_checks.of_disk(settings.disk),
        *host_checks.of_monitoring(settings.monitoring),
        *host_checks.of_calls(settings.outbound, settings.tls),
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
