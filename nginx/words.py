"""What may stand in a configuration: plain words, and texts quoted here."""

import re
from ipaddress import ip_address, ip_network
from typing import Any

from appliance.errors import ConfigError

_PLAIN = re.compile(r"[\w./:\[\]-]+")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
_ORIGIN = re.compile(
    r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?", re.ASCII
)
_UNQUOTABLE = re.compile(r"[\"\\$\x00-\x1f\x7f]")


class Trusted(str):
    """Syntax of our own, or a text that was quoted: put in as it is."""

    __slots__ = ()


def harmless(value: Any) -> Any:
    """Let pass what a template may put in; Jinja asks here for every expression.

    Errors: ``ConfigError``, whatever setting it came from.
    """
    if isinstance(value, Trusted):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return plain("a value of nginx", str(value))


def plain(key: str, value: str) -> str:
    """Let pass what is one word for nginx, and no more than a word."""
    if not _PLAIN.fullmatch(value):
        raise ConfigError(
            "nginx.value",
            f"{key} can't be {value!r}: nginx takes letters, digits and ./:_- there.",
        )
    return value


def path(key: str, value: str) -> str:
    """Let pass an absolute path."""
    if not value.startswith("/"):
        raise ConfigError("nginx.value", f"{key} must be an absolute path: {value!r}.")
    return plain(key, value)


def quoted(text: str) -> Trusted:
    """Return our own text in quotes, in which nothing means anything to nginx."""
    if _UNQUOTABLE.search(text):
        raise ConfigError("nginx.value", f"nginx can't be given the text {text!r}.")
    return Trusted(f'"{text}"')


def host(key: str, value: str) -> str:
    """Let pass the name or the address of a machine."""
    if not _HOST.fullmatch(value):
        return address(key, value)
    return value


def address(key: str, value: str) -> str:
    """Return an IP address, in brackets where it is one of IPv6."""
    try:
        found = ip_address(value.strip("[]"))
    except ValueError as error:
        raise ConfigError(
            "nginx.value", f"{key} must be the address of a machine, not {value!r}."
        ) from error
    if getattr(found, "scope_id", None):
        raise ConfigError("nginx.value", f"{key} must have no zone: {value!r}.")
    return f"[{found}]" if found.version == 6 else str(found)


def port(key: str, value: int) -> int:
    """Let pass the number of a port."""
    if not 1 <= value <= 65535:
        raise ConfigError("nginx.value", f"{key} must lie between 1 and 65535.")
    return value


def networks(key: str, text: str) -> tuple[str, ...]:
    """Return the networks of a list with commas."""
    try:
        return tuple(str(ip_network(each, strict=False)) for each in listed(text))
    except ValueError as error:
        raise ConfigError(
            "nginx.value", f"{key} lists networks as 10.0.0.0/8: {error}."
        ) from error


def origins(key: str, text: str) -> tuple[str, ...]:
    """Return the origins of a list with commas, as browsers name them."""
    found = tuple(each.rstrip("/").lower() for each in listed(text))
    for each in found:
        if not _ORIGIN.fullmatch(each):
            raise ConfigError(
                "nginx.value", f"{key} lists origins as https://host; not {each!r}."
            )
    return found


def listed(text: str) -> tuple[str, ...]:
    """Return the words of a list with commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())
