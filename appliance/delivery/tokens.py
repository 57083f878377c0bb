"""Media tokens: a path prefix that opens one asset for one session for a while.

``1.<key id>.<expires>.<session>.<scope>.<signature>``: 1 stands for HMAC-SHA256,
``expires`` is Unix time in ten digits, the signature is base64url without padding over
``"1\\n<key id>\\n<asset>\\n<expires>\\n<session>\\n<scope>"``. Whatever checks one
needs the keys and the time, and neither a database nor a session: the same check runs
in front of the application.

The scope is ``all``, ``h<height>`` or ``licence``. Under ``h<height>`` the manifests
leave out what is higher; the files themselves are served under any media scope, since
whoever checks the signature does not know the height of a track. Nobody learns the
random id of a rendition but from a manifest, and a protected one is useless without its
key, which the licence withholds.

Keys are files ``media-<number>.key``. The highest number signs, the one before it still
checks, so that what was handed out before a rotation works until it runs out.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from appliance import keyring
from appliance.errors import Forbidden, Gone

SKEW_SECONDS = 30
"""How long after its expiry a token is still taken, for clocks that disagree.

Whoever promises that playback ends within a time counts this in.
"""

_LEAST_HEIGHT, _MOST_HEIGHT = 10, 99_999


class Scope(str):
    """What a token opens: all of an asset, some heights of it, or its licences."""

    __slots__ = ()
    ALL: ClassVar["Scope"]
    LICENCE: ClassVar["Scope"]

    @classmethod
    def up_to(cls, height: int | None) -> "Scope":
        """Return the scope of renditions that are at most so high; None: of all."""
        if height is None or height > _MOST_HEIGHT:
            return cls.ALL
        return cls(f"h{max(_LEAST_HEIGHT, height)}")

    @property
    def max_height(self) -> int | None:
        """The height above which manifests leave renditions out; None: no limit."""
        return int(self[1:]) if self.startswith("h") else None


Scope.ALL = Scope("all")
Scope.LICENCE = Scope("licence")


@dataclass(frozen=True, slots=True)
class Keys:
    """The secrets by key id, and the id of the one that signs."""

    current: str
    secrets: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class MediaToken:
    """What a token that was checked says; ``expires`` is Unix time."""

    key_id: str
    asset: str
    expires: int
    session: str
    scope: Scope


_TEXT = re.compile(
    r"1\.(?P<key_id>[0-9]{1,6})\.(?P<expires>[0-9]{10})\.(?P<session>[0-9a-f]{16})"
    r"\.(?P<scope>all|licence|h[1-9][0-9]{1,4})\.(?P<signature>[A-Za-z0-9_-]{43})",
    re.ASCII,
)


def load(folder: Path) -> Keys:
    """Return the current and the previous key of ``folder``; make the first one."""
    ids = _ids(folder) or [1]
    return Keys(
        current=str(ids[-1]),
        secrets={str(each): keyring.key(folder, f"media-{each}") for each in ids[-2:]},
    )


def rotate(folder: Path) -> Keys:
    """Make a new key that signs from now on; drop those older than the previous one."""
    ids = _ids(folder) or [0]
    keyring.key(folder, f"media-{ids[-1] + 1}")
    for old in ids[:-1]:
        (folder / f"media-{old}.key").unlink(missing_ok=True)
    return load(folder)


def sign(
    keys: Keys, asset: str, session: str, expires: int, scope: Scope = Scope.ALL
) -> str:
    """Return the token that opens ``asset`` for ``session`` until ``expires``."""
    token = MediaToken(keys.current, asset, expires, session, scope)
    return (
        f"1.{token.key_id}.{expires:010}.{session}.{scope}"
        f".{_signature(keys.secrets[token.key_id], token)}"
    )


def check(
    keys: Keys, text: str, asset: str, now: datetime, scope: Scope = Scope.ALL
) -> MediaToken:
    """Return what the token says, if it opens ``asset`` for ``scope`` now.

    The signature is compared in constant time and before the expiry is looked at.
    Errors: ``Forbidden`` media.token, or ``Gone`` media.expired when it ran out more
    than :data:`SKEW_SECONDS` ago.
    """
    token = _genuine(keys, text, asset)
    if token.scope != scope:
        raise _refusal()
    return _unexpired(token, now)


def check_media(keys: Keys, text: str, asset: str, now: datetime) -> MediaToken:
    """Return what the token says, if it opens media of ``asset`` now, at any height.

    Errors: as of :func:`check`.
    """
    token = _genuine(keys, text, asset)
    if token.scope == Scope.LICENCE:
        raise _refusal()
    return _unexpired(token, now)


def _genuine(keys: Keys, text: str, asset: str) -> MediaToken:
    parts = _TEXT.fullmatch(text)
    secret = keys.secrets.get(parts["key_id"]) if parts else None
    if parts is None or secret is None:
        raise _refusal()
    token = MediaToken(
        key_id=parts["key_id"],
        asset=asset,
        expires=int(parts["expires"]),
        session=parts["session"],
        scope=Scope(parts["scope"]),
    )
    if not hmac.compare_digest(_signature(secret, token), parts["signature"]):
        raise _refusal()
    return token


def _unexpired(token: MediaToken, now: datetime) -> MediaToken:
    if now.timestamp() > token.expires + SKEW_SECONDS:
        raise Gone("media.expired", "This address has run out: press Play again.")
    return token


def _signature(secret: bytes, token: MediaToken) -> str:
    fields = (
        "1",
        token.key_id,
        token.asset,
        f"{token.expires:010}",
        token.session,
        token.scope,
    )
    digest = hmac.new(secret, "\n".join(fields).encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _ids(folder: Path) -> list[int]:
    names = (path.stem.removeprefix("media-") for path in folder.glob("media-*.key"))
    return sorted(int(name) for name in names if name.isascii() and name.isdigit())


def _refusal() -> Forbidden:
    return Forbidden("media.token", "This address does not open this film.")
