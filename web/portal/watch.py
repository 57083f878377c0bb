"""The page that plays a film; its scripts open the session through the API."""

import math

from flask import render_template, request

from appliance.catalog import titles
from appliance.permissions import Action
from web import context, devices, guard

# What static/js/player/keys.js listens to, as the dialog behind “?” lists it.
KEYS = (
    (("Space", "K"), "Play or pause"),
    (("J", "L"), "Back or on 10 seconds"),
    (("←", "→"), "Back or on 10 seconds"),
    (("PgDn", "PgUp"), "Back or on a minute"),
    (("0", "9"), "Jump to 0 % … 90 %"),
    (("Home", "End"), "Jump to the beginning or the end"),
    (("↑", "↓"), "Louder or softer"),
    (("M",), "Sound on or off"),
    (("C",), "Subtitles on or off"),
    (("F",), "Full screen"),
    (("P",), "Picture in picture"),
    (("<", ">"), "Slower or faster"),
    ((",", "."), "One frame back or on, while paused"),
    (("?",), "This list"),
)


@guard.needs(Action.PLAYBACK_OPEN)
def watch(slug: str) -> str:
    """``?from=SECONDS`` starts there instead of where the viewer stopped."""
    start = request.args.get("from", math.nan, float)
    return render_template(
        "portal/watch.html",
        title=titles.by_slug(context.db(), context.actor(), slug),
        start=start if 0 <= start < math.inf else None,
        keys=KEYS,
        device=devices.name(request.user_agent.string),
    )
