"""Media behind a token in the path, and whether this process and its parts live."""

from flask import Blueprint

from appliance.delivery.steering import NAME
from web.playback import content_keys, health, media, steering

blueprint = Blueprint("playback", __name__)

for _rule, _view in (
    # One rule for everything: the token is checked before anything else is looked at.
    ("/media/<token>/<asset>/<path:name>", media.media),
    ("/media/<token>/<asset>/key/<kid>", content_keys.content_key),
    (f"/media/<token>/<asset>/{NAME}", steering.steered),
    ("/-/live", health.live),
    ("/-/ready", health.ready),
    ("/-/seen", health.seen),
):
    blueprint.add_url_rule(_rule, view_func=_view, methods=["GET"])
