"""What viewers see: home, titles, genres, search, and the page that plays a film."""

from flask import Blueprint

from web.portal import artwork, browse, home, titles, watch

blueprint = Blueprint("portal", __name__)

_GET, _POST = ["GET"], ["POST"]

for _rule, _view, _methods in (
    ("/", home.home, _GET),
    ("/continue/<slug>/hide", home.hide, _POST),
    ("/continue/<slug>/show", home.show, _POST),
    ("/title/<slug>", titles.title, _GET),
    ("/watch/<slug>", watch.watch, _GET),
    ("/genre/<slug>", browse.genre, _GET),
    ("/new", browse.new, _GET),
    ("/search", browse.search, _GET),
    ("/artwork/<public_id>/<int:width>.jpg", artwork.artwork, _GET),
):
    blueprint.add_url_rule(_rule, view_func=_view, methods=_methods)
