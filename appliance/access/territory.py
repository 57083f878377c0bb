"""Territory: the country of a network address, from a MaxMind DB file."""

import logging
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from threading import Lock

import maxminddb

from appliance.access import countries
from appliance.errors import ConfigError, InvalidInput
from appliance.settings import Settings

_log = logging.getLogger(__name__)


def of_address(settings: Settings, address: str) -> str | None:
    """Return the country code of an address; None when nobody can say.

    Addresses of a house or an operator's own network are in ``access.home_country``.
    A database that is missing or damaged makes every country unknown: a film with a
    territory is then refused, and the log says why, once.
    """
    where = _parsed(address)
    if where is None:
        return None
    if not where.is_global:
        return settings.access.home_country.strip().upper() or None
    path = settings.access.geoip_database
    reader = _open(Path(path)) if path else None
    return _country(reader, where) if reader else None


def check(settings: Settings) -> None:
    """Refuse a database that can't be read, and a home that is no country.

    Errors: ``ConfigError``.
    """
    path, home = settings.access.geoip_database, settings.access.home_country
    if path:
        _read(Path(path)).close()
    try:
        countries.codes([home])
    except InvalidInput as error:
        raise ConfigError(
            "config.value", f"access.home_country: {error.message}"
        ) from error


@dataclass(frozen=True, slots=True)
class _Opened:
    """What the file was when it was opened; without a reader it could not be read."""

    changed: int
    reader: maxminddb.Reader | None


_opened: dict[Path, _Opened] = {}
_opening = Lock()


def _open(path: Path) -> maxminddb.Reader | None:
    """Return the reader of a file, opened anew only when the file has changed."""
    changed = _changed(path)
    known = _opened.get(path)
    if known is not None and known.changed == changed:
        return known.reader
    with _opening:
        known = _opened.get(path)
        if known is None or known.changed != changed:
            # The reader before is left to whoever reads from it in this moment.
            known = _opened[path] = _Opened(changed, _try(path))
    return known.reader


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return -1


def _try(path: Path) -> maxminddb.Reader | None:
    try:
        return _read(path)
    except ConfigError as error:
        _log.error("%s Until then every territory is unknown.", error.message)
        return None


def _read(path: Path) -> maxminddb.Reader:
    try:
        return maxminddb.open_database(path)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        raise ConfigError(
            "access.geoip",
            f"access.geoip_database: {path} can’t be read as a MaxMind DB file"
            f" ({error}). Name one, or leave the setting empty.",
        ) from error


def _country(reader: maxminddb.Reader, where: IPv4Address | IPv6Address) -> str | None:
    try:
        found = reader.get(where)
    except (ValueError, maxminddb.InvalidDatabaseError):
        return None
    if not isinstance(found, dict):
        return None
    for name in ("country", "registered_country", "country_code"):
        code = found.get(name)
        code = code.get("iso_code") if isinstance(code, dict) else code
        if isinstance(code, str) and len(code) == 2:
            return code.upper()
    return None


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        where = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = where.ipv4_mapped if isinstance(where, IPv6Address) else None
    return mapped or where
