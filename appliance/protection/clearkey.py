"""ClearKey's licence exchange (W3C EME, "license request format"): read, answered.

Both sides are JSON with base64url that has no padding. What is not exactly a request is
refused with what is wrong about it: this is the one place where content keys leave the
house in the clear, and it takes nothing on trust.
"""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from appliance.errors import InvalidInput
from appliance.protection.keys import ContentKey

MOST_KIDS = 16

_FIELDS = frozenset({"kids", "type"})
_TYPES: Mapping[str, bool] = {"temporary": False, "persistent-license": True}
# 22 characters hold 132 bits: the last four must be zero, else two texts mean one kid.
_KID = re.compile(r"[A-Za-z0-9_-]{21}[AQgw]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Request:
    """What a browser asks for: key ids as 32 digits of lower-case hexadecimal."""

    kids: tuple[str, ...]
    persistent: bool


def parse(body: bytes) -> Request:
    """Read a licence request. Errors: ``InvalidInput`` licence.request."""
    try:
        document = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise _wrong("it is not JSON in UTF-8") from None
    if not isinstance(document, dict):
        raise _wrong("it is no JSON object")
    if not document.keys() <= _FIELDS:
        raise _wrong("it has members other than “kids” and “type”")
    kind = document.get("type", "temporary")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise _wrong(f"its type is none of: {', '.join(_TYPES)}")
    return Request(_kids(document.get("kids")), _TYPES[kind])


def answer(keys: Iterable[ContentKey], persistent: bool) -> str:
    """Write the licence that carries ``keys``: it is secret, and never to be cached."""
    # Base64url has nothing that JSON would want escaped.
    each = ",".join(
        f'{{"kty":"oct","kid":"{_text(bytes.fromhex(key.kid))}","k":"{_text(key.key)}"}}'
        for key in keys
    )
    kind = "persistent-license" if persistent else "temporary"
    return f'{{"keys":[{each}],"type":"{kind}"}}'


def _kids(listed: Any) -> tuple[str, ...]:
    if not isinstance(listed, list):
        raise _wrong("its “kids” are no list")
    if not 1 <= len(listed) <= MOST_KIDS:
        raise _wrong(f"it must name 1 to {MOST_KIDS} key ids, and names {len(listed)}")
    for each in listed:
        if not isinstance(each, str) or not _KID.fullmatch(each):
            raise _wrong("a key id is not 16 bytes in base64url without padding")
    return tuple(base64.urlsafe_b64decode(f"{each}==").hex() for each in listed)


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _wrong(what: str) -> InvalidInput:
    return InvalidInput(
        "licence.request", f"This licence request can’t be read: {what}."
    )
