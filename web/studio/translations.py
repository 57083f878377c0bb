"""What a title is called in other languages, and which are missing."""

from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from appliance.catalog import titles, translations
from appliance.catalog.titles import Title
from appliance.catalog.translations import Translation
from appliance.errors import Conflict, InvalidInput
from appliance.permissions import Action
from web import context, guard, telling
from web.languages import LANGUAGES
from web.studio import describing, forms

Answer = str | Response | tuple[str, int]


@dataclass(frozen=True, slots=True)
class Told:
    """One language with what is typed; ``stored`` is what is kept now."""

    language: str
    words: str
    name: str
    synopsis: str
    stored: Translation

    @property
    def state(self) -> str:
        """Say ``missing``, ``part`` or ``done``."""
        if self.stored == Translation():
            return "missing"
        return "done" if self.stored.name and self.stored.synopsis else "part"


@guard.needs(Action.STUDIO_SEE)
def page(slug: str) -> Answer:
    """Show the languages; ``?add=`` is one more."""
    return _page(describing.editable(slug))


@guard.needs(Action.STUDIO_SEE)
def save(slug: str) -> Answer:
    title = describing.editable(slug)
    try:
        edited = titles.edit(
            *(context.db(), context.actor(), slug),
            revision=forms.revision(),
            translations=_typed(),
        )
    except (InvalidInput, Conflict) as error:
        return _page(title, error), error.status
    flash(gettext("Saved."), "ok")
    return redirect(url_for("studio.translations", slug=edited.slug))


def _typed() -> dict[str, dict[str, str]]:
    form = request.form
    return {
        language: {
            "name": form.get(f"name-{language}", ""),
            "synopsis": form.get(f"synopsis-{language}", ""),
        }
        for language in form.getlist("language")
    }


def _page(title: Title, error: InvalidInput | Conflict | None = None) -> str:
    stored = translations.of_title(context.db(), title.id)
    typed = _typed() if error else {}
    named = {*LANGUAGES, *stored, *typed, request.args.get("add", "").strip()[:35]}
    own = title.language.lower()
    shown = [
        Told(
            language,
            telling.language_name(language),
            typed.get(language, {}).get("name", kept.name),
            typed.get(language, {}).get("synopsis", kept.synopsis),
            kept,
        )
        for language in sorted(filter(None, named))
        if language.lower() != own
        for kept in (stored.get(language, Translation()),)
    ]
    return render_template(
        "studio/translations.html",
        title=title,
        **describing.of_whole(title),
        told=shown,
        missing=sum(each.state == "missing" for each in shown),
        own=telling.language_name(title.language) if title.language else "",
        error=error,
        overtaken=isinstance(error, Conflict),
    )
