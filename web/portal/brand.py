"""What the house says of itself: colours, logo, imprint and privacy, for everybody."""

from flask import Response, render_template, send_file
from flask_babel import get_locale, gettext

from appliance.errors import NotFound
from appliance.operations import brand
from appliance.operations.brand import Text
from web import context, guard, house

_WHY = "Whoever is to sign in sees whose portal it is."
_YEAR = "public, max-age=31536000, immutable"


@guard.public(_WHY)
def brand_style() -> Response:
    """Send the colours; the address changes with them."""
    sheet = brand.style(house.of_request().brand)
    response = Response(sheet, mimetype="text/css")
    response.headers["Cache-Control"] = _YEAR
    return response


@guard.public(_WHY)
def logo(name: str) -> Response:
    path = brand.logo_file(context.storage(), name)
    response = send_file(path, mimetype="image/png", etag=name)
    response.headers["Cache-Control"] = _YEAR
    return response


@guard.public("Imprint and privacy must be readable for everybody.")
def text(kind: str) -> str:
    locale = get_locale()
    said = house.of_request().brand.text(kind, locale.language if locale else "")
    if not said:
        raise NotFound("brand.text", "There is nothing at this address.")
    headings = {Text.IMPRINT: gettext("Imprint"), Text.PRIVACY: gettext("Privacy")}
    return render_template(
        "portal/text.html", heading=headings[Text(kind)], paragraphs=said.split("\n\n")
    )
