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
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from appliance.cenc import SHORT, Scheme
from appliance.errors import ConfigError

LICENCE_SERVICES = (
    "widevine-cloud",
    "axinom",
    "doverunner",
    "ezdrm",
    "keyos",
    "expressplay",
    "drmtoday",
)

_T = TypeVar("_T")


def _setting(default: _T, doc: str) -> _T:
    value: _T = field(default=default, metadata={"doc": doc})
    return value


@dataclass(frozen=True, slots=True)
class Portal:
    name: str = _setting("Matinee", "The name in the header and on the sign-in page.")
    public_url: str = _setting(
        "", "The address people type, as https://host; empty trusts the request's Host."
    )
    trusted_proxies: int = _setting(
        0, "How many proxies stand in front and set X-Forwarded-For and -Proto."
    )
    home_cards: int = _setting(12, "How many cards a row of the home page shows.")
    home_genres: int = _setting(6, "How many genres have a row on the home page.")


@dataclass(frozen=True, slots=True)
class Web:
    host: str = _setting("127.0.0.1", "The address that the web server listens on.")
    port: int = _setting(8600, "The port that the web server listens on.")
    workers: int = _setting(2, "How many web processes run.")
    threads: int = _setting(8, "How many requests one web process answers at once.")
    secure_cookies: bool = _setting(
        False, "Send cookies over https only; switch on wherever TLS is in front."
    )


@dataclass(frozen=True, slots=True)
class StorageSettings:
    database: str = _setting("", "The database file; empty: matinee.db in the home.")
    media: str = _setting("", "The folder of films and packages; empty: media in home.")
    keys: str = _setting("", "The folder of key files; empty: keys in the home.")


@dataclass(frozen=True, slots=True)
class Queue:
    kind: str = _setting("sqlite", "Where hints are queued: sqlite or redis.")
    redis_url: str = _setting(
        "redis://127.0.0.1:6379/0", "The Redis server of a cluster (kind = redis)."
    )
    slots: int = _setting(0, "Media work units at once on this machine; 0: by cores.")
    lease_seconds: int = _setting(
        15, "After how long without a sign of life a work unit is given to another."
    )
    attempts: int = _setting(
        3, "How often a work unit that failed is tried before its job fails."
    )
    stall_seconds: int = _setting(
        120, "After how long without progress an encoder is stopped and retried."
    )


@dataclass(frozen=True, slots=True)
class Encode:
    preset: str = _setting("veryfast", "The x264 preset.")
    crf: int = _setting(21, "The x264 quality (lower is better) below the rate caps.")
    chunk_seconds: int = _setting(
        28, "About how long a chunk is; rounded to whole segments."
    )
    segment_seconds: int = _setting(4, "The length of a segment.")
    keyframe_seconds: int = _setting(2, "The distance of keyframes.")
    audio_kbps: int = _setting(128, "The bit rate of a stereo AAC track.")
    thumbnail_seconds: int = _setting(5, "One seek-bar picture every so many seconds.")


@dataclass(frozen=True, slots=True)
class Uploads:
    max_gigabytes: int = _setting(200, "The largest source that is taken.")
    chunk_megabytes: int = _setting(16, "How much the page sends in one request.")
    abandon_days: int = _setting(7, "After how long an unfinished upload is removed.")
    watch_folder: str = _setting("", "A folder whose films are taken in; empty: none.")
    watch_still_seconds: int = _setting(
        60, "How long a file in the watch folder must be still before it is taken."
    )
    watch_publish: bool = _setting(False, "Publish what the watch folder brought in.")


@dataclass(frozen=True, slots=True)
class Accounts:
    session_days: int = _setting(30, "How long a session lives without being used.")
    password_length: int = _setting(10, "The shortest password that is taken.")
    throttle_after: int = _setting(
        5, "After how many wrong passwords in a row a source is slowed down."
    )
    token_hours: int = _setting(12, "How long an API token lives.")


@dataclass(frozen=True, slots=True)
class Playback:
    heartbeat_seconds: int = _setting(10, "How often a player reports.")
    media_token_seconds: int = _setting(
        300,
        "How long a media token lives at most where the player swaps in a fresh one:"
        " after so long, whoever was stopped sees nothing more.",
    )
    native_token_seconds: int = _setting(
        21600, "How long a media token lives at most for players that cannot swap it."
    )
    streams: int = _setting(
        0,
        "How many streams an account may watch at once; 0: no limit. A right of"
        " its own, as from a plan, counts instead.",
    )
    uhd_streams: int = _setting(
        0, "How many of them may be sharper than 1080p; 0: no limit of their own."
    )
    watermark: str = _setting(
        "off", "Where the viewer's name moves over the picture: off, protected or all."
    )
    resume_least_percent: int = _setting(5, "Below this much watched, start over.")
    resume_most_percent: int = _setting(90, "Above this much watched, it is finished.")


@dataclass(frozen=True, slots=True)
class Protection:
    protect_new: bool = _setting(False, "Protect new titles unless somebody says not.")
    key_systems: str = _setting(
        "clearkey",
        "What opens protected titles that do not say so themselves: clearkey,"
        " widevine, playready, fairplay, with commas between.",
    )
    scheme: str = _setting(
        "cbcs", "How they are encrypted: cbcs, or cenc for devices before about 2018."
    )
    clear_lead_seconds: int = _setting(
        0, "How much of the beginning stays unencrypted, so that it starts sooner."
    )
    keys_from: str = _setting(
        "local", "Who makes content keys: local, widevine or speke."
    )
    keys_url: str = _setting(
        "", "The key service of the provider (keys_from = widevine or speke)."
    )
    licences_from: str = _setting(
        "",
        "Whose licence service stands behind ours: widevine-cloud, axinom, doverunner,"
        " ezdrm, keyos, expressplay or drmtoday; empty: none but ClearKey.",
    )
    widevine_url: str = _setting("", "Its Widevine address, where it is not the usual.")
    playready_url: str = _setting("", "Its PlayReady address.")
    fairplay_url: str = _setting("", "Its FairPlay address.")
    credentials: str = _setting(
        "",
        "The file, mode 0600, with the provider's secrets; empty: drm.toml in the"
        " folder of keys.",
    )
    timeout_seconds: int = _setting(10, "How long a provider may take to answer.")
    licences_per_session: int = _setting(
        200, "How many licences one playback session may ask for."
    )


@dataclass(frozen=True, slots=True)
class Access:
    geoip_database: str = _setting(
        "", "A MaxMind DB file that names the country of an address; empty: none."
    )
    home_country: str = _setting(
        "", "The country of private addresses, as DE; empty: unknown."
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be configured, with the home folder it belongs to."""

    home: Path
    portal: Portal = field(default_factory=Portal)
    web: Web = field(default_factory=Web)
    storage: StorageSettings = field(default_factory=StorageSettings)
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
        return Path(self.storage.database or self.home / "matinee.db")

    @property
    def media(self) -> Path:
        return Path(self.storage.media or self.home / "media")

    @property
    def keys(self) -> Path:
        return Path(self.storage.keys or self.home / "keys")


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
