"""What the page of filters offers, in the words of the viewer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import url_for
from flask_babel import gettext, lazy_gettext

from appliance.discovery.facets import Facets
from appliance.discovery.filters import Filters

Options = list[tuple[str, str]]

_KINDS = {
    "film": lazy_gettext("Films"),
    "series": lazy_gettext("Series"),
    "documentary": lazy_gettext("Documentaries"),
    "training": lazy_gettext("Training"),
    "course": lazy_gettext("Courses"),
}
_SORTS = {
    "newest": lazy_gettext("Newest first"),
    "oldest": lazy_gettext("Oldest first"),
    "name": lazy_gettext("By name"),
    "year": lazy_gettext("By year, latest first"),
    "shortest": lazy_gettext("Shortest first"),
    "longest": lazy_gettext("Longest first"),
}
_MINUTES = {
    "-30": lazy_gettext("Up to half an hour"),
    "30-90": lazy_gettext("Half an hour to an hour and a half"),
    "90-": lazy_gettext("Longer than an hour and a half"),
}


@dataclass(frozen=True, slots=True)
class Applied:
    """A filter that is set, in words, and the address without it."""

    words: str
    without: str


def of(there: Facets) -> dict[str, Options]:
    """Return the options of each list of the form, without “any”."""
    return {
        "kind": [(kind, str(_KINDS[kind])) for kind in there.kinds],
        "genre": list(there.genres),
        "tag": list(there.tags),
        "language": list(there.languages),
        "captions": [("any", gettext("In any language")), *there.captions],
        "rating": [
            (str(age), gettext("Up to %(age)s years", age=age)) for age in there.ages
        ],
        "minutes": [(span, str(words)) for span, words in _MINUTES.items()],
    }


def sorts(known: Iterable[str]) -> Options:
    return [(each, str(_SORTS[each])) for each in known]


def applied(filters: Filters, there: Facets) -> list[Applied]:
    """Return each filter that is set, to be taken away again."""
    named = {name: dict(options) for name, options in of(there).items()}
    return [
        Applied(
            _words(name, named.get(name, {}).get(value, value)),
            address(replace(filters, **{name: ""})),
        )
        for name, value in filters.as_words().items()
        if name != "sort"
    ]


def address(filters: Filters) -> str:
    """Return the address of the page that is filtered like this."""
    words: dict[str, Any] = filters.as_words()
    return url_for("portal.browse", **words)


def _words(name: str, value: str) -> str:
    said: Mapping[str, str] = {
        "language": gettext("Spoken: %(language)s", language=value),
        "captions": gettext("Captions: %(language)s", language=value),
        "year_from": gettext("From %(year)s", year=value),
        "year_to": gettext("Until %(year)s", year=value),
    }
    return said.get(name, value)
