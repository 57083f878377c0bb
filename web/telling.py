"""Titles as this viewer reads them: in their language, where somebody translated."""

import dataclasses
from collections.abc import Iterable

from babel import Locale, UnknownLocaleError
from flask import g
from flask_babel import get_locale

from appliance.catalog import translations
from appliance.catalog.titles import Title
from web import context


def language() -> str:
    """Return the language of the viewer, also one that the portal does not speak."""
    signed_in = g.get("signed_in")
    wanted = signed_in.language if signed_in else ""
    return wanted or str(get_locale() or "en").replace("_", "-")


def language_name(tag: str) -> str:
    """Return what a language is called in that of the reader; else its code."""
    try:
        name = Locale.parse(tag, sep="-").get_display_name(get_locale())
    except (ValueError, UnknownLocaleError):
        return tag
    return str(name or tag)


def titles(found: Iterable[Title]) -> list[Title]:
    """Return titles with name and synopsis in the viewer's language."""
    kept, wanted = list(found), language()
    told = translations.told(context.db(), [each.id for each in kept], wanted)
    return [
        dataclasses.replace(
            each,
            name=told[each.id].name or each.name,
            synopsis=told[each.id].synopsis or each.synopsis,
        )
        if each.id in told and not _spoken(each.language, wanted)
        else each
        for each in kept
    ]


def title(found: Title) -> Title:
    """Return one title as :func:`titles` does."""
    return titles([found])[0]


def _spoken(own: str, wanted: str) -> bool:
    """Say whether a title speaks the viewer's language itself."""
    return own.lower() == wanted.lower()
