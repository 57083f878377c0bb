"""``/media/<token>/<asset>/key/<kid>``: one content key for HLS players, 16 bytes."""

from flask import Response, request

from appliance.cenc import KeySystem
from appliance.playback import doors
from appliance.protection import reach
from web import context, guard
from web.playback.keys import media_keys


@guard.public("token: the path carries a media token")
def content_key(token: str, asset: str, kid: str) -> Response:
    """Give out one key, after the same checks as a licence of ClearKey."""
    db, settings = context.db(), context.settings()
    address = request.remote_addr or ""
    with doors.visit(db, KeySystem.CLEARKEY, address) as visit:
        admitted = doors.admit(db, settings, media_keys(), visit, token, asset)
        keys = doors.content(db, settings, admitted)
        (chosen,) = reach.pick(keys, admitted.max_height, (kid,))
        doors.issue(db, settings, visit, (chosen,), door="key")
    response = Response(chosen.key, mimetype="application/octet-stream")
    response.headers["Cache-Control"] = "no-store"
    return response
