"""How the profile likes to watch, as a page; the player keeps it through the API."""

from typing import Any

from flask import flash, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance.accounts import profiles, tastes
from appliance.accounts.tastes import CAPTION_STYLES, SPEEDS, Preferences
from appliance.captions import languages as named
from appliance.errors import InvalidInput
from appliance.permissions import Action
from web import context, guard
from web.profiles.words import CHOICES, PARTS
from web.refusals import said

_SWITCHES = ("autoplay_next", "previews", "data_saver", "keys")
# What is spoken in most films; what a profile has chosen otherwise is added.
_LANGUAGES = (
    *("ar", "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "he", "hi"),
    *("hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "nb", "nl", "pl", "pt", "pt-BR"),
    *("ro", "ru", "sk", "sl", "sv", "th", "tr", "uk", "vi", "zh-Hans", "zh-Hant"),
)


@guard.needs(Action.PLAYBACK_OPEN)
def preferences_page() -> ResponseReturnValue:
    return _page(profiles.preferences(context.db(), g.signed_in.profile_id))


@guard.needs(Action.PLAYBACK_OPEN)
def save() -> ResponseReturnValue:
    try:
        profiles.prefer(context.db(), context.actor(), _changes())
    except InvalidInput as error:
        kept = profiles.preferences(context.db(), g.signed_in.profile_id)
        return _page(kept, said(error)), error.status
    flash(_("Saved: it counts from the next film on."), "ok")
    return redirect("/preferences", 303)


def _changes() -> dict[str, Any]:
    """Read the whole form: a switch that is not sent is off."""
    form = request.form
    return {
        **{each: each in form for each in _SWITCHES},
        "audio": form.get("audio", ""),
        "captions": form.get("captions", ""),
        "speed": _speed(form.get("speed", "1")),
        "caption_style": {
            part: form[f"caption_{part}"]
            for part in CAPTION_STYLES
            if f"caption_{part}" in form
        },
    }


def _speed(text: str) -> float:
    return next((each for each in SPEEDS if f"{each:g}" == text), 0.0)


def _page(mine: Preferences, problem: str = "") -> str:
    return render_template(
        "profiles/preferences.html",
        mine=mine,
        problem_found=problem,
        speeds=[(f"{each:g}", f"{each:g}×") for each in SPEEDS],
        audio=_spoken(mine.audio),
        captions=_spoken("" if mine.captions == "off" else mine.captions),
        styles=[
            (part, PARTS[part], [(each, CHOICES[part][each]) for each in offered])
            for part, offered in tastes.CAPTION_STYLES.items()
        ],
    )


def _spoken(own: str) -> list[tuple[str, str]]:
    """Return languages by the name that each has for itself."""
    tags = {*_LANGUAGES, own} - {""}
    return sorted(((each, named.name(each)) for each in tags), key=lambda pair: pair[1])
