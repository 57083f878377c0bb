"""What of others is in here: for whoever is signed in, as the versions are told too."""

from functools import cache
from pathlib import Path

from flask import Response, render_template

from appliance.operations import licences
from appliance.operations.licences import Part
from appliance.permissions import Action
from web import guard

_BROWSER = Path(__file__).resolve().parents[1] / "static" / "vendor"


@guard.needs(Action.PORTAL_SEE)
def licence_list() -> str:
    return render_template("portal/licences.html", parts=_parts())


@guard.needs(Action.PORTAL_SEE)
def licence_texts() -> Response:
    """Send all of them as one text, as whoever passes the software on needs it."""
    return Response(licences.notices(_parts()), mimetype="text/plain")


@cache
def _parts() -> tuple[Part, ...]:
    """Ask once: what is installed does not change while this process runs."""
    return licences.listing(_BROWSER)
