"""Pictures of titles, for whoever may see the title."""

from flask import Response, send_file

from appliance.catalog import artwork as pictures
from appliance.permissions import Action
from web import context, guard

_DAY = 24 * 3600


@guard.needs(Action.PORTAL_SEE)
def artwork(public_id: str, width: int) -> Response:
    """Send the picture; what a public id stands for never changes."""
    path = pictures.file(
        context.db(), context.storage(), context.actor(), public_id, width
    )
    response = send_file(path, mimetype="image/jpeg", etag=f"{public_id}-{path.stem}")
    response.headers["Cache-Control"] = f"private, max-age={_DAY}, immutable"
    return response
