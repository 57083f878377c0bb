"""The short way to the door of ClearKey, for requests that are as they should be.

Every start of a protected film waits for this one answer, and a good part of its time
is what a framework does for any request: contexts, routes, hooks. So a request that has
all it needs is answered before Flask. It passes the same checks, in the same functions;
whatever they refuse goes the usual way from the beginning, where it is told in a
problem document and written down.
"""

import io
import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask

from appliance import browser_policy
from appliance.cenc import KeySystem
from appliance.delivery import routes
from appliance.errors import MatineeError
from appliance.playback.doors import Visit
from appliance.settings import Settings
from appliance.turns import Turn
from web import context
from web.door import VIEW
from web.licence import asking, clearkey
from web.playback.keys import kept_keys

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_DOOR, _BEARER = "/licence/clearkey", "Bearer "


def install(app: Flask, settings: Settings) -> None:
    """Put the short way in front of the application, behind whatever sets addresses."""
    headers = [
        *asking.SECRET.items(),
        *browser_policy.headers(routes.hosts(settings)),
        ("Content-Type", "application/json"),
    ]
    app.wsgi_app = _Lane(app, app.wsgi_app, headers)  # type: ignore[assignment,method-assign]


class _Lane:
    def __init__(
        self, app: Flask, usual: "WSGIApplication", headers: list[tuple[str, str]]
    ) -> None:
        self._app, self._usual, self._headers = app, usual, headers
        self._turn, self._keeper = Turn(), context.Keeper()

    def __call__(
        self, environ: "WSGIEnvironment", start: "StartResponse"
    ) -> Iterable[bytes]:
        if environ["PATH_INFO"] == _DOOR and environ["REQUEST_METHOD"] == "POST":
            licence = self._licence(environ)
            if licence is not None:
                environ[VIEW] = "licence.clearkey"
                length = ("Content-Length", str(len(licence)))
                start("200 OK", [length, *self._headers])
                return [licence]
        return self._usual(environ, start)

    def _licence(self, environ: "WSGIEnvironment") -> bytes | None:
        """Return the licence; None where the usual way has to say what is wrong."""
        bearer = environ.get("HTTP_AUTHORIZATION", "")
        length = environ.get("CONTENT_LENGTH") or ""
        if not bearer.startswith(_BEARER) or not length.isdecimal():
            return None
        if int(length) > asking.LARGEST_CHALLENGE:
            return None
        body = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = io.BytesIO(body)
        here = context.of(self._app)
        visit = Visit(KeySystem.CLEARKEY, environ.get("REMOTE_ADDR", ""))
        token = bearer.removeprefix(_BEARER)
        with self._turn.taken() as first:
            # One connection for all threads keeps its pages and statements at hand.
            db = (self._keeper.connection if first else context.of_this_thread)(here)
            try:
                keys = kept_keys(self._app, here.settings)
                return clearkey.licence(
                    db, here.settings, keys, visit, token, lambda: body
                ).encode()
            except (MatineeError, sqlite3.Error):
                return None
