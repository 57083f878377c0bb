"""What a request at a door of licences carries: a token and a challenge."""

from flask import Request
from flask.globals import request_ctx

from appliance.errors import TooLarge

LARGEST_CHALLENGE = 64 * 1024

SECRET = {"Cache-Control": "no-store"}
"""What the answer to a licence request says to whoever might keep it."""


def current() -> Request:
    """Return the request itself: each look through Flask’s stand-in has its price."""
    return request_ctx.request


def token(request: Request) -> str:
    """Return the playback token; players that can't set headers put it in the query."""
    scheme, _, value = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() == "bearer":
        return str(value.strip())
    return request.args.get("token", "")


def address(request: Request) -> str:
    """Return where the request comes from."""
    return request.remote_addr or ""


def body(request: Request) -> bytes:
    """Return the body, whatever its type. Errors: ``TooLarge``, before it is read."""
    length = request.content_length
    if length is None:
        return _of_unknown_length(request)
    if length > LARGEST_CHALLENGE:
        raise _too_large()
    found: bytes = request.environ["wsgi.input"].read(length)
    return found


def _of_unknown_length(request: Request) -> bytes:
    # One more than is taken: the rest would be left out without a word.
    request.max_content_length = LARGEST_CHALLENGE + 1
    found = request.get_data(cache=False)
    if len(found) > LARGEST_CHALLENGE:
        raise _too_large()
    return found


def _too_large() -> TooLarge:
    return TooLarge(
        "licence.too-large",
        f"A licence request has at most {LARGEST_CHALLENGE // 1024} KiB.",
    )
