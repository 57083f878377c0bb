"""Passwords: argon2id, at a pace that a small machine can bear.

The parameters are OWASP's first choice for argon2id (19 MiB, two passes, one lane):
about 18 ms of one core. The library's own default (64 MiB, four lanes) takes ten times
that, so that ten people who sign in at the start of a shift would stand in the way of
the encoder; guessing online is stopped by throttling, not by these milliseconds.
"""

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from appliance.accounts.weak import MOST_COMMON
from appliance.errors import InvalidInput, TryAgain
from appliance.settings import Settings

_HASHER = PasswordHasher(
    time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID
)
# A hash of nothing anybody knows, with the same parameters: what is verified for a name
# that does not exist, so that the answer takes as long as for one that does.
_NOBODY = (
    f"$argon2id$v=19$m={_HASHER.memory_cost},t={_HASHER.time_cost}"
    f",p={_HASHER.parallelism}${'A' * 22}${'A' * 43}"
)
# So many at once in one process; the others wait their turn and take no memory.
_AT_ONCE = threading.BoundedSemaphore(2)
_PATIENCE_SECONDS = 10.0
_LONGEST = 1024
_FEWEST_DIFFERENT = 4


def require_good(settings: Settings, username: str, password: str) -> None:
    """Refuse a new password that would be guessed first.

    Errors: ``InvalidInput`` when it is too short, the user name, or among the most
    common ones. There are no rules about digits and signs: they make passwords worse.
    """
    text = _normal(password)
    least = settings.accounts.password_length
    if len(text) < least:
        raise InvalidInput(
            "password.short",
            f"A password has {least} characters or more.",
            {"least": least},
        )
    if len(text) > _LONGEST:
        raise InvalidInput(
            "password.long",
            f"A password has {_LONGEST} characters or fewer.",
            {"most": _LONGEST},
        )
    if text.casefold() == username.casefold():
        raise InvalidInput(
            "password.username", "The password must not be the user name."
        )
    if text.casefold() in MOST_COMMON or len(set(text)) < _FEWEST_DIFFERENT:
        raise InvalidInput(
            "password.common",
            "That password is among the first anybody would try: three or four words"
            " that do not belong together make a good one.",
        )


def hashed(password: str) -> str:
    """Return what is stored of a password."""
    with _turn():
        return _HASHER.hash(_bytes(password))


def matches(stored: str | None, password: str) -> bool:
    """Say whether this is the password; without ``stored`` it is not, as slowly."""
    given = _bytes(password[: _LONGEST + 1])
    with _turn():
        try:
            return _HASHER.verify(stored or _NOBODY, given) and stored is not None
        except (VerifyMismatchError, InvalidHashError):
            return False


def outdated(stored: str) -> bool:
    """Say whether a password was hashed with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


def _normal(password: str) -> str:
    # The same letters typed on two systems differ in bytes (é is one sign or two).
    return unicodedata.normalize("NFKC", password)


def _bytes(password: str) -> bytes:
    # JSON can carry half of a pair of surrogates, which plain UTF-8 refuses.
    return _normal(password).encode("utf-8", "surrogatepass")


@contextmanager
def _turn() -> Iterator[None]:
    if not _AT_ONCE.acquire(timeout=_PATIENCE_SECONDS):
        raise TryAgain(
            "sign-in.busy", "Many people are signing in: try again in a moment."
        )
    try:
        yield
    finally:
        _AT_ONCE.release()
