"""What a request at a door of licences carries: a token and a challenge."""

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from appliance.errors import TooLarge

LARGEST_CHALLENGE = 64 * 1024


def token() -> str:
    """Return the playback token; players that can't set headers put it in the query."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    return request.args.get("token", "")


def address() -> str:
    """Return where the request comes from."""
    return request.remote_addr or ""


def body() -> bytes:
    """Return the body, whatever its type. Errors: ``TooLarge``, before it is kept."""
    # One more than is taken: of a body that does not say its length the rest would be
    # left out without a word.
    request.max_content_length = LARGEST_CHALLENGE + 1
    try:
        found = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise _too_large() from None
    if len(found) > LARGEST_CHALLENGE:
        raise _too_large()
    return found


def _too_large() -> TooLarge:
    return TooLarge(
        "licence.too-large",
        f"A licence request has at most {LARGEST_CHALLENGE // 1024} KiB.",
    )
