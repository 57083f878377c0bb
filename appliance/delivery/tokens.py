"""Media tokens: a path prefix that opens one asset for one session for a while.

``<algorithm>.<key id>.<expires>.<session>.<scope>.<signature>``: ``expires`` is Unix
time in ten digits, the signature is base64url without padding. Whatever checks one
needs the keys and the time, and neither a database nor a session: the same check runs
in front of the application.

Algorithm 1 is HMAC-SHA256 over
``"1\\n<key id>\\n<asset>\\n<expires>\\n<session>\\n<scope>"``. Algorithm 2 is what
nginx checks without a module, MD5 over the fields in an envelope of the secret in
hexadecimal: ``"<secret> 2 <key id> <asset> <expires> <session> <scope> <secret>"``.
Every field has a fixed form without blanks, so no two sets of fields are one text; to
forge one takes the secret or a preimage of MD5, and collisions do not help. Licences
take algorithm 1 only.

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
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from appliance import keyring
from appliance.errors import Forbidden, Gone

SKEW_SECONDS = 30
"""How long after its expiry a token is still taken, for clocks that disagree.

Whoever promises that playback ends within a time counts this in. nginx gives none: its
own check knows the time of expiry only.
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


class Algorithm(StrEnum):
    """How tokens are signed, as ``origin.token`` names it."""

    HMAC = "hmac-sha256"
    MD5 = "md5"

    @property
    def id(self) -> str:
        """Return what tokens begin with."""
        return {Algorithm.HMAC: "1", Algorithm.MD5: "2"}[self]

    @property
    def length(self) -> int:
        """Return how many characters a signature has."""
        return {Algorithm.HMAC: 43, Algorithm.MD5: 22}[self]


_ALGORITHMS: Mapping[str, Algorithm] = {each.id: each for each in Algorithm}


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
    r"(?P<algorithm>[12])\.(?P<key_id>[0-9]{1,6})\.(?P<expires>[0-9]{10})"
    r"\.(?P<session>[0-9a-f]{16})"
    r"\.(?P<scope>all|licence|h[1-9][0-9]{1,4})\.(?P<signature>[A-Za-z0-9_-]{22,43})",
    re.ASCII,
)


def load(folder: Path) -> Keys:
    """Return the current and the previous key of ``folder``; make the first one."""
    ids = _ids(folder) or [1]
    return Keys(
        current=str(ids[-1]),
        secrets={str(each): keyring.key(folder, f"media-{each}") for each in ids[-2:]},
    )


def announce(folder: Path) -> Keys:
    """Make the key that :func:`rotate` will put into use, and return all to check with.

    Whoever checks in front of the application learns it before it signs anything.
    """
    coming = int(load(folder).current) + 1
    keyring.key(folder, f"next-media-{coming}")
    return to_check(folder)


def to_check(folder: Path) -> Keys:
    """Return the keys that tokens are checked with, the announced one among them."""
    keys = load(folder)
    coming = int(keys.current) + 1
    announced = _announced(folder, coming)
    if not announced.exists():
        return keys
    secrets = {**keys.secrets, str(coming): keyring.read(announced)}
    return Keys(keys.current, secrets)


def retract(folder: Path) -> Keys:
    """Let the announced key never be used, and announce another in its place.

    For when somebody knows it who must not: :func:`rotate` would put it into use.
    """
    coming = int(load(folder).current) + 1
    _announced(folder, coming).unlink(missing_ok=True)
    return announce(folder)


def rotate(folder: Path) -> Keys:
    """Sign with a new key from now on, the announced one where there is one.

    Those older than the previous one are dropped.
    """
    ids = _ids(folder) or [0]
    coming = ids[-1] + 1
    announced = _announced(folder, coming)
    if announced.exists():
        announced.rename(folder / f"media-{coming}.key")
        keyring.sync_folder(folder)
    keyring.key(folder, f"media-{coming}")
    for old in ids[:-1]:
        (folder / f"media-{old}.key").unlink(missing_ok=True)
    return load(folder)


def sign(
    keys: Keys,
    asset: str,
    session: str,
    expires: int,
    scope: Scope = Scope.ALL,
    algorithm: Algorithm = Algorithm.HMAC,
) -> str:
    """Return the token that opens ``asset`` for ``session`` until ``expires``.

    Those for licences are signed with HMAC, whatever ``algorithm`` says.
    """
    chosen = Algorithm.HMAC if scope == Scope.LICENCE else algorithm
    token = MediaToken(keys.current, asset, expires, session, scope)
    return (
        f"{chosen.id}.{token.key_id}.{expires:010}.{session}.{scope}"
        f".{_signature(chosen, keys.secrets[token.key_id], token)}"
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
    algorithm = _ALGORITHMS[parts["algorithm"]]
    if algorithm is Algorithm.MD5 and parts["scope"] == Scope.LICENCE:
        raise _refusal()
    token = MediaToken(
        key_id=parts["key_id"],
        asset=asset,
        expires=int(parts["expires"]),
        session=parts["session"],
        scope=Scope(parts["scope"]),
    )
    expected = _signature(algorithm, secret, token)
    if not hmac.compare_digest(expected, parts["signature"]):
        raise _refusal()
    return token


def _unexpired(token: MediaToken, now: datetime) -> MediaToken:
    if now.timestamp() > token.expires + SKEW_SECONDS:
        raise Gone("media.expired", "This address has run out: press Play again.")
    return token


def _signature(algorithm: Algorithm, secret: bytes, token: MediaToken) -> str:
    fields = (
        algorithm.id,
        token.key_id,
        token.asset,
        f"{token.expires:010}",
        token.session,
        token.scope,
    )
    if algorithm is Algorithm.MD5:
        text = " ".join((secret.hex(), *fields, secret.hex()))
        digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
    else:
        digest = hmac.digest(secret, "\n".join(fields).encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _announced(folder: Path, number: int) -> Path:
    return folder / f"next-media-{number}.key"


def _ids(folder: Path) -> list[int]:
    names = (path.stem.removeprefix("media-") for path in folder.glob("media-*.key"))
    return sorted(int(name) for name in names if name.isascii() and name.isdigit())


def _refusal() -> Forbidden:
    return Forbidden("media.token", "This address does not open this film.")
