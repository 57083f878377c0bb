"""``POST /licence/clearkey``: content keys as W3C EME's ClearKey asks for them."""

from collections.abc import Callable

from flask import Response

from appliance.cenc import KeySystem
from appliance.db import Database, snapshot
from appliance.delivery.tokens import Keys
from appliance.playback import doors
from appliance.playback.doors import Visit
from appliance.protection import clearkey as exchange
from appliance.protection import reach
from appliance.settings import Settings
from web import context, guard
from web.licence import asking
from web.playback.keys import media_keys


@guard.public("token: the playback token of a session opens it")
def clearkey() -> Response:
    """Give out those keys of the session's film that were asked for."""
    db, settings, request = context.db(), context.settings(), asking.current()
    with doors.visit(db, KeySystem.CLEARKEY, asking.address(request)) as visit:
        token = asking.token(request)
        text = licence(
            db, settings, media_keys(), visit, token, lambda: asking.body(request)
        )
    return Response(text, mimetype="application/json", headers=asking.SECRET)


def licence(
    db: Database,
    settings: Settings,
    keys: Keys,
    visit: Visit,
    token: str,
    body: Callable[[], bytes],
) -> str:
    """Return the licence, counted and written down; nothing of it was kept before.

    ``body`` is read when the token has been found right. Errors: those of
    :mod:`appliance.playback.doors`, ``InvalidInput``, ``TooLarge``.
    """
    with snapshot(db):
        admitted = doors.admit(db, settings, keys, visit, token)
        asked = exchange.parse(body())
        all_keys = doors.content(db, settings, admitted)
        chosen = reach.pick(all_keys, admitted.max_height, asked.kids)
        if asked.persistent:
            doors.require_persistence(db, admitted)
    doors.issue(db, settings, visit, chosen)
    return exchange.answer(chosen, asked.persistent)
