"""``POST /licence/widevine|playready|fairplay``: a provider's licence, at our door.

The player shows our token; the provider's secret is added here, and never seen there.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from flask import Request, Response, current_app

from appliance.cenc import KeySystem
from appliance.errors import TryAgain
from appliance.playback import doors, proxied
from web import context, guard
from web.licence import asking
from web.playback.keys import media_keys

_PROTOCOL = "http://schemas.microsoft.com/DRM/2007/03/protocols/"
_SOAP_ACTION = re.compile(rf'"?{re.escape(_PROTOCOL)}[A-Za-z]+"?', re.ASCII)
_ASKING = "matinee.asking-providers"


@guard.public("token: the playback token of a session opens it")
def widevine() -> Response:
    return _proxied(KeySystem.WIDEVINE, "application/octet-stream")


@guard.public("token: the playback token of a session opens it")
def playready() -> Response:
    return _proxied(KeySystem.PLAYREADY, "text/xml")


@guard.public("token: the playback token of a session opens it")
def fairplay() -> Response:
    return _proxied(KeySystem.FAIRPLAY, "application/octet-stream")


def _proxied(system: KeySystem, mimetype: str) -> Response:
    db, settings, request = context.db(), context.settings(), asking.current()
    with doors.visit(db, system, asking.address(request)) as visit:
        token = asking.token(request)
        admitted = doors.admit(db, settings, media_keys(), visit, token)
        challenge, action = asking.body(request), _soap_action(request)
        wish = proxied.wish(db, settings, admitted, system, challenge, action)
        with in_turn():
            issued = proxied.licence(db, settings, visit, wish)
    return Response(issued.body, mimetype=mimetype, headers=asking.SECRET)


def _soap_action(request: Request) -> str:
    """Return what a PlayReady player wants done; mostly the usual."""
    sent = request.headers.get("SOAPAction", "")
    return sent if _SOAP_ACTION.fullmatch(sent) else f'"{_PROTOCOL}AcquireLicense"'


@contextmanager
def in_turn() -> Iterator[None]:
    """Let half of the threads wait for providers at most: the others serve pages.

    Errors: ``TryAgain`` licence.busy.
    """
    turns: BoundedSemaphore = current_app.extensions.setdefault(
        _ASKING, BoundedSemaphore(max(1, context.settings().web.threads // 2))
    )
    if not turns.acquire(blocking=False):
        raise TryAgain(
            "licence.busy", "Many licences are being asked for: try again in a moment."
        )
    try:
        yield
    finally:
        turns.release()
