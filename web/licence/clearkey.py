"""``POST /licence/clearkey``: content keys as W3C EME's ClearKey asks for them."""

from flask import Response

from appliance.cenc import KeySystem
from appliance.playback import doors
from appliance.protection import clearkey as exchange
from web import context, guard
from web.licence import asking
from web.playback.keys import media_keys


@guard.public("token: the playback token of a session opens it")
def clearkey() -> Response:
    """Give out those keys of the session's film that were asked for."""
    db, settings, request = context.db(), context.settings(), asking.current()
    with (
        doors.turn.taken(),
        doors.visit(db, KeySystem.CLEARKEY, asking.address(request)) as visit,
    ):
        token = asking.token(request)
        admitted = doors.admit(db, settings, media_keys(), visit, token)
        asked = exchange.parse(asking.body(request))
        keys = doors.content(db, settings, admitted)
        chosen = doors.pick(keys, admitted.max_height, asked.kids)
        if asked.persistent:
            doors.require_persistence(db, admitted)
        doors.issue(db, settings, visit, chosen)
    licence = exchange.answer(chosen, asked.persistent)
    return Response(licence, mimetype="application/json")
