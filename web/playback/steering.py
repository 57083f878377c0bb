"""``/media/<token>/<asset>/steering.json``: the hosts of a film in the viewer's order.

It costs a check of the token and two looks at the settings, and no query.
"""

from flask import Response, jsonify, request

from appliance.delivery import steering, tokens
from web import context, guard
from web.playback.keys import media_keys


@guard.public("token: the path carries a media token")
def steered(token: str, asset: str) -> Response:
    """Tell a player where to get its film from, and where to go on."""
    now = context.installation().clock.now()
    held = tokens.check_media(media_keys(), token, asset, now)
    address = request.remote_addr or ""
    order = steering.priority(context.settings(), address, held.session)
    response = jsonify(steering.document(order))
    response.headers["Cache-Control"] = "private, no-store"
    return response
