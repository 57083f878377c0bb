"""One family of errors: a code, a sentence, an HTTP status and an exit code.

Raise the error where it is known, with a sentence the user can act on. The edges
(web, jobs, cli) map it with :attr:`MatineeError.status` and
:attr:`MatineeError.exit_code`; nothing in between catches it.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class MatineeError(Exception):
    """Something went wrong that a person can be told in one sentence.

    ``code`` is stable and dotted (``title.missing``); ``message`` is the sentence;
    ``details`` are JSON values that the edges may show beside it.
    """

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    title: ClassVar[str] = "Something went wrong"

    def __init__(
        self, code: str, message: str, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = dict(details or {})


class InvalidInput(MatineeError):
    """What was given can't be used; the sentence says what would do."""

    status, exit_code, title = 400, 2, "That can’t be used"


class TooLarge(MatineeError):
    """More was sent than this takes; nothing of it was read."""

    status, exit_code, title = 413, 2, "Too much at once"


class ConfigError(MatineeError):
    """The configuration is wrong; the sentence names file, line and key."""

    status, exit_code, title = 500, 2, "Wrong configuration"


class Unauthenticated(MatineeError):
    """Nobody is signed in, or the proof of who it is does not hold."""

    status, exit_code, title = 401, 5, "Please sign in"


class Forbidden(MatineeError):
    """Somebody is signed in who may not do this."""

    status, exit_code, title = 403, 5, "Not allowed"


class NotFound(MatineeError):
    """There is no such thing, or none that the actor may know of."""

    status, exit_code, title = 404, 4, "Not found"


class Conflict(MatineeError):
    """The thing is not in the state that this needs."""

    status, exit_code, title = 409, 3, "Not possible now"


class Gone(MatineeError):
    """It was here and has run out."""

    status, exit_code, title = 410, 3, "No longer valid"


class PreconditionFailed(MatineeError):
    """The machine or the installation is not ready for this."""

    status, exit_code, title = 503, 3, "Not ready"


class Locked(MatineeError):
    """Another run holds the lock."""

    status, exit_code, title = 423, 6, "In use"


class TooManyRequests(MatineeError):
    """Slow down; ``details["retry_after"]`` is in seconds."""

    status, exit_code, title = 429, 75, "Too many tries"


class TryAgain(MatineeError):
    """It may work later without any change."""

    status, exit_code, title = 503, 75, "Please try again"


class ServiceFailed(MatineeError):
    """Somebody else's service did not do what we need it for."""

    status, exit_code, title = 502, 75, "Another service failed"


class ServiceSlow(MatineeError):
    """Somebody else's service did not answer in time."""

    status, exit_code, title = 504, 75, "Another service is slow"


class StorageFull(MatineeError):
    """The disk has no room; nothing was left half-written."""

    status, exit_code, title = 507, 3, "The disk is full"


class MediaError(MatineeError):
    """The film can't be processed; the sentence says why and what to do."""

    status, exit_code, title = 422, 1, "The film can’t be processed"
