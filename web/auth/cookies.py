"""The cookies of a sign-in: the session, and the note that this device is known.

Both outlive what they stand for: the server alone decides when a session ends.
"""

from flask import request
from werkzeug.wrappers import Response

from appliance.accounts import devices
from web import context, guard

DEVICE = "matinee_device"
_LONG = 400 * 24 * 3600  # what browsers allow


def session_token() -> str:
    """Return the token that this browser holds, or an empty text."""
    return request.cookies.get(guard.COOKIE, "")


def device_note() -> str:
    """Return the note of this device (devices.py), or an empty text."""
    return request.cookies.get(DEVICE, "")


def give(response: Response, token: str, account: str) -> None:
    """Let the browser hold a session, and know that it signed in to ``account``."""
    note = devices.remembered(context.settings(), device_note(), account)
    _set(response, guard.COOKIE, token, "/")
    _set(response, DEVICE, note, "/login")


def take_session(response: Response) -> None:
    """Let the browser forget its session; the device stays known."""
    response.delete_cookie(guard.COOKIE, path="/")


def _set(response: Response, name: str, value: str, path: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=_LONG,
        path=path,
        httponly=True,
        samesite="Lax",
        secure=context.settings().web.secure_cookies,
    )
