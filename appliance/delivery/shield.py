"""The address that CDNs fetch films from, and the secret that opens it to them alone.

``/media/<asset>/<scope>/…`` is the same for every viewer, so that a CDN keeps one copy.
Who may have it is asked by the CDN, with a signature of its own kind over the folder;
this server opens it only to whoever sends the secret in the header
:data:`HEADER`. The scope is that of a media token (``all`` or ``h<height>``).

Secrets are files ``origin-<number>.key``. Two are taken, so that a CDN can be told the
new one before the old one is forgotten.
"""

import hmac
import re
from pathlib import Path

from appliance import keyring
from appliance.delivery.tokens import Scope

HEADER = "X-Origin-Secret"

_SCOPE = re.compile(r"all|h[1-9][0-9]{1,4}", re.ASCII)
_ASSET = re.compile(r"[0-9a-f]{16}", re.ASCII)


def folder(asset: str, scope: Scope) -> str:
    """Return the path of an asset's files, the same for every viewer of that scope."""
    return f"/media/{asset}/{scope}/"


def read(first: str, second: str) -> tuple[str, Scope] | None:
    """Return asset and scope, if the two parts after /media/ are such an address."""
    if _ASSET.fullmatch(first) and _SCOPE.fullmatch(second):
        return first, Scope(second)
    return None


def secrets(keys: Path) -> tuple[str, ...]:
    """Return the secrets that open the address, the newest first; make the first."""
    return tuple(
        keyring.key(keys, f"origin-{number}").hex() for number in _numbers(keys)
    )


def rotate(keys: Path) -> str:
    """Make a new secret and forget the one before the last; return the new one."""
    newest = _numbers(keys)[0]
    fresh = keyring.key(keys, f"origin-{newest + 1}")
    for path in keys.glob("origin-*.key"):
        if path.stem not in (f"origin-{newest}", f"origin-{newest + 1}"):
            path.unlink(missing_ok=True)
    return fresh.hex()


def admits(known: tuple[str, ...], given: str) -> bool:
    """Say whether what came in the header is one of the secrets."""
    sent = given.encode("utf-8", "replace")
    return any(hmac.compare_digest(each.encode(), sent) for each in known)


def _numbers(keys: Path) -> list[int]:
    names = (path.stem.removeprefix("origin-") for path in keys.glob("origin-*.key"))
    found = sorted(
        (int(name) for name in names if name.isascii() and name.isdigit()), reverse=True
    )
    return found[:2] or [1]
