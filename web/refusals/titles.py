"""The headings over refusals."""

from collections.abc import Mapping

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

OF_KINDS = (
    _("Something went wrong"),
    _("That can’t be used"),
    _("Too much at once"),
    _("Wrong configuration"),
    _("Please sign in"),
    _("Not allowed"),
    _("Not found"),
    _("Not possible now"),
    _("No longer valid"),
    _("Not ready"),
    _("In use"),
    _("Too many tries"),
    _("Please try again"),
    _("Another service failed"),
    _("Another service is slow"),
    _("The disk is full"),
    _("The film can’t be processed"),
)
"""What errors of the core call themselves; see ``appliance/errors.py``."""

TITLES: Mapping[str, LazyString] = {
    "http.404": _("Not found"),
    "http.405": _("Not possible here"),
    "http.413": _("Too much at once"),
    "http.421": _("Another name"),
    "http.429": _("Too many tries"),
    "http.*": _("Something went wrong"),
}
"""Of what is refused before any view is asked, by code."""
