"""Looks and texts: name, logo and colour of the portal, imprint, privacy, welcome."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.errors import Conflict, InvalidInput
from appliance.operations import brand as brands
from appliance.operations.brand import LONGEST, Text
from appliance.permissions import Action
from web import context, guard, languages
from web.studio import forms

Answer = str | Response | tuple[str, int]


@guard.needs(Action.PORTAL_BRAND)
def page() -> Answer:
    return _page()


@guard.needs(Action.PORTAL_BRAND)
def save() -> Answer:
    language = _language()
    try:
        brands.change(
            context.db(),
            context.settings(),
            context.actor(),
            name=request.form.get("name", ""),
            colour="" if "plain" in request.form else request.form.get("colour", ""),
            texts={
                kind: {language: request.form.get(kind, "")}
                for kind in Text
                if kind in request.form
            },
            revision=request.form.get("revision", None, int),
        )
    except (InvalidInput, Conflict) as error:
        return _page(error), error.status
    flash(_("Saved: everybody sees it from now on."), "ok")
    return redirect(url_for("studio.brand", language=language))


@guard.needs(Action.PORTAL_BRAND)
def save_logo() -> Answer:
    db, settings, storage = context.db(), context.settings(), context.storage()
    try:
        if "remove" in request.form:
            brands.set_logo(db, storage, settings, context.actor(), None)
        else:
            with forms.uploaded("image") as image:
                brands.set_logo(db, storage, settings, context.actor(), image)
    except InvalidInput as error:
        return _page(error), error.status
    flash(_("The logo is changed."), "ok")
    return redirect(url_for("studio.brand", language=_language()))


def _page(error: InvalidInput | Conflict | None = None) -> str:
    found = brands.read(context.db(), context.settings())
    language = _language()
    typed = {kind.value: found.texts.get(kind, {}).get(language, "") for kind in Text}
    typed |= {"name": found.name, "colour": found.colour}
    if error is not None:
        typed |= {name: request.form[name] for name in typed if name in request.form}
    return render_template(
        "studio/brand.html",
        brand=found,
        typed=typed,
        longest=LONGEST,
        editing=language,
        languages=languages.named(),
        error=error,
        wrong=(error.details.get("field") or "form") if error else "",
    )


def _language() -> str:
    asked = request.values.get("language", "")
    return asked if asked in languages.LANGUAGES else languages.LANGUAGES[0]
