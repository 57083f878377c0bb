"""What viewers see: home, titles, genres, search, and the page that plays a film."""

from flask import Blueprint

from web import crew
from web.portal import (
    app_shell,
    artwork,
    brand,
    browse,
    cards,
    finding,
    home,
    licences,
    marks,
    people,
    titles,
    watch,
)

blueprint = Blueprint("portal", __name__)

blueprint.add_app_template_global(crew.word, "crew_word")
blueprint.add_app_template_global(cards.previews_wanted, "previews_wanted")
blueprint.add_app_template_global(cards.words, "card_words")
blueprint.add_app_template_filter(cards.label, "card_label")
blueprint.add_app_template_filter(cards.heading, "row_heading")
blueprint.add_app_template_filter(crew.initials, "initials")
blueprint.add_app_template_filter(titles.day, "day")

_PICTURE = "<public_id>/<int:width>"
_ENDING = "<any(avif,webp,jpg,png):ending>"
_GET, _POST = ["GET"], ["POST"]

for _rule, _view, _methods in (
    ("/", home.home, _GET),
    ("/continue/<slug>/hide", home.hide, _POST),
    ("/continue/<slug>/show", home.show, _POST),
    ("/row/<key>", home.row, _GET),
    ("/title/<slug>", titles.title, _GET),
    ("/watch/<slug>", watch.watch, _GET),
    ("/watch/<slug>/episodes", watch.episodes, _GET),
    ("/watch/<slug>/after", watch.after, _GET),
    ("/manifest.webmanifest", app_shell.manifest, _GET),
    ("/app-worker.js", app_shell.worker, _GET),
    ("/offline", app_shell.offline, _GET),
    ("/brand.css", brand.brand_style, _GET),
    ("/brand/logo-<name>.png", brand.logo, _GET),
    ("/<any(imprint,privacy):kind>", brand.text, _GET),
    ("/about/licences", licences.licence_list, _GET),
    ("/about/licences.txt", licences.licence_texts, _GET),
    ("/genre/<slug>", browse.genre, _GET),
    ("/new", browse.new, _GET),
    ("/search", finding.search, _GET),
    ("/browse", browse.browse, _GET),
    ("/collection/<slug>", browse.collection, _GET),
    ("/my-list", browse.my_list, _GET),
    ("/my-list/<slug>", marks.enlist, _POST),
    ("/thumbs/<slug>", marks.rate, _POST),
    (f"/artwork/{_PICTURE}", artwork.artwork, _GET),
    (f"/artwork/{_PICTURE}.{_ENDING}", artwork.artwork, _GET),
    (f"/portrait/{_PICTURE}", artwork.portrait, _GET),
    (f"/portrait/{_PICTURE}.{_ENDING}", artwork.portrait, _GET),
    ("/person/<slug>", people.person, _GET),
    ("/tag/<slug>", browse.tag, _GET),
    ("/preview/<slug>/<name>.mp4", artwork.preview, _GET),
):
    blueprint.add_url_rule(_rule, view_func=_view, methods=_methods)
