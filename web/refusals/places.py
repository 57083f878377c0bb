"""Pages, forms, lists and searches: what is not there, or can't be answered."""

from flask_babel import lazy_gettext as _

from web.refusals.sentences import Sentences

_NOTHING = _("There is nothing at this address.")

_REQUESTS: Sentences = {
    "http.404": _NOTHING,
    "http.405": _("This page can’t be reached like that: go back and try again."),
    "http.413": _("That is more than this page takes."),
    "http.421": _("This portal is reached under its own name only."),
    "http.429": _("Too many requests at once: wait a moment and try again."),
    "http.*": _("The server could not make sense of that: go back and try again."),
    "internal": _("This is our fault, not yours."),
    "form.stale": _(
        "This page was open too long or came from elsewhere: reload it and try again."
    ),
}
_MISSING: Sentences = {
    "title.missing": _("There is no such title."),
    "person.missing": _("There is no such person."),
    "collection.missing": _("There is no such collection."),
    "genre.missing": _("There is no such genre."),
    "tag.missing": _("There is no such tag."),
    "row.missing": _("There is no such row."),
    "series.missing": _("This title is no episode of a series."),
    "artwork.missing": _("There is no such picture."),
    "preview.missing": _("There is no such preview."),
    "brand.text": _NOTHING,
    "brand.logo": _("There is no such picture."),
}
_FINDING: Sentences = {
    "filter.year_from": _("A year is a number as 1994."),
    "filter.year_to": _("A year is a number as 1994."),
    "filter.*": _("There is no such filter: choose one of those that are offered."),
    "list.full": _("The list holds %(most)s titles: take some off it first."),
    "thumb.value": _("Press one of the thumbs."),
}
SENTENCES: Sentences = {**_REQUESTS, **_MISSING, **_FINDING}
