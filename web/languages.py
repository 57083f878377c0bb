"""In which language a page speaks, and from which side it is read."""

from contextlib import AbstractContextManager
from typing import Any

from babel import Locale, UnknownLocaleError
from flask import Flask, g, request
from flask_babel import Babel, force_locale, get_locale, get_translations

LANGUAGES = ("en", "de", "fr", "es", "ar")
"""Those that the portal speaks; the first is what everything is written in."""

PAGE = "X-Page-Language"
"""In which language the page speaks whose script asks; programs don’t send it."""


def install(app: Flask) -> None:
    """Choose the language of each request, and tell the templates."""
    Babel(app, default_locale=LANGUAGES[0], locale_selector=_chosen)
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda text: _translations().ugettext(text),
        ngettext=lambda one, many, n: _translations().ungettext(one, many, n),
        newstyle=True,
    )
    app.context_processor(_told)


def named() -> list[tuple[str, str]]:
    """Return each language with the name that it has for itself."""
    return [
        (code, (Locale(code).get_display_name(code) or code).capitalize())
        for code in LANGUAGES
    ]


def as_its_page() -> AbstractContextManager[None]:
    """Answer a script of ours in the language of its page, and programs in English.

    ``Accept-Language`` can't say which of them asks: browsers add it to everything.
    """
    wanted = request.headers.get(PAGE, "")
    found: AbstractContextManager[None] = force_locale(
        wanted if wanted in LANGUAGES else LANGUAGES[0]
    )
    return found


def _chosen() -> str:
    """Return the language of the profile, else what the browser asks for.

    The Studio speaks one language, until all of it speaks the others.
    """
    if request.blueprint == "studio":
        return LANGUAGES[0]
    signed_in = g.get("signed_in")
    wanted = signed_in.language if signed_in else ""
    if _short(wanted) in LANGUAGES:
        return _short(wanted)
    return request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def _translations() -> Any:
    """Return what the words of this request are looked up in.

    Pages say a hundred of them: it is found once, not for each.
    """
    found = g.get("translations")
    if found is None:
        found = g.translations = get_translations()
    return found


def _short(tag: str) -> str:
    try:
        return Locale.parse(tag, sep="-").language if tag else ""
    except (ValueError, UnknownLocaleError):
        return ""


def direction() -> str:
    """Return from which side the language of this request is read: ltr or rtl."""
    locale = get_locale() or Locale(LANGUAGES[0])
    return str(locale.text_direction)


def _told() -> dict[str, str]:
    locale = get_locale() or Locale(LANGUAGES[0])
    return {"language": locale.language, "direction": direction()}
