"""My list and thumbs, for browsers that run no scripts."""

from flask import request
from werkzeug.wrappers import Response

from appliance.discovery import marks
from appliance.errors import InvalidInput
from appliance.permissions import Action
from web import context, guard
from web.portal.home import done


@guard.needs(Action.PORTAL_SEE)
def enlist(slug: str) -> Response:
    """Put a title on the list, or with ``on=0`` take it off."""
    act = marks.strike if request.form.get("on") == "0" else marks.enlist
    act(context.db(), context.actor(), slug)
    return done()


@guard.needs(Action.PORTAL_SEE)
def rate(slug: str) -> Response:
    """Keep a thumb: ``value`` is -1, 1 or 2, and 0 takes it away."""
    try:
        value = int(request.form.get("value", ""))
    except ValueError:
        raise InvalidInput("thumb.value", "Press one of the thumbs.") from None
    if value:
        marks.rate(context.db(), context.actor(), slug, value)
    else:
        marks.unrate(context.db(), context.actor(), slug)
    return done()
