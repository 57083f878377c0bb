"""Films from addresses: asked for, watched, cancelled."""

from flask import Response as FlaskResponse
from flask import flash, jsonify, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.errors import (
    Conflict,
    InvalidInput,
    PreconditionFailed,
    StorageFull,
)
from appliance.media import fetches
from appliance.permissions import Action
from web import context, guard
from web.studio import uploading

Answer = str | Response | tuple[str, int]


@guard.needs(Action.TITLE_IMPORT)
def add() -> Answer:
    slug, url = request.form.get("title", ""), request.form.get("url", "")
    try:
        fetches.start(
            *(context.db(), context.settings(), context.actor(), url), slug=slug
        )
    except (InvalidInput, Conflict, PreconditionFailed, StorageFull) as error:
        return uploading.shown(slug, error, url), error.status
    flash(_("The film is being fetched."), "ok")
    return redirect(url_for("studio.uploading", title=slug or None))


@guard.needs(Action.TITLE_IMPORT)
def cancel(fetch: str) -> Response:
    fetches.cancel(context.db(), context.actor(), fetch)
    flash(_("It is no longer fetched."), "ok")
    return redirect(url_for("studio.uploading"))


@guard.needs(Action.TITLE_CREATE)
def as_json() -> FlaskResponse:
    """Say how far each is, for the page that shows them."""
    found = fetches.listing(context.db(), context.actor())
    return jsonify(
        fetches=[
            {
                "id": each.public_id,
                "state": each.state,
                "received": each.received,
                "total": each.total,
            }
            for each in found
        ]
    )
