"""Fields of this installation's own: defined, changed, removed."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.catalog import custom_fields
from appliance.errors import Conflict, InvalidInput
from appliance.permissions import Action
from web import context, guard

Answer = str | Response | tuple[str, int]
KINDS = (
    ("text", _l("Text")),
    ("number", _l("Number")),
    ("date", _l("Day")),
    ("choice", _l("One of several")),
    ("yes-no", _l("Yes or no")),
)


@guard.needs(Action.PEOPLE_EDIT)
def index() -> str:
    return _page()


@guard.needs(Action.PEOPLE_EDIT)
def add() -> Answer:
    try:
        made = custom_fields.define(
            *(context.db(), context.actor()),
            request.form.get("label", ""),
            request.form.get("kind", ""),
            choices=request.form.get("choices", "").splitlines(),
        )
    except (InvalidInput, Conflict) as error:
        return _page(error), error.status
    flash(_("“%(label)s” stands in the form of every title now.", label=made.label))
    return redirect(url_for("studio.fields"))


@guard.needs(Action.PEOPLE_EDIT)
def change(key: str) -> Answer:
    given = request.form.get("choices")
    position = request.form.get("position", "")
    try:
        custom_fields.change(
            *(context.db(), context.actor(), key),
            label=request.form.get("label"),
            choices=None if given is None else given.splitlines(),
            position=int(position) if position.isdecimal() else None,
        )
    except (InvalidInput, Conflict) as error:
        return _page(error, key), error.status
    flash(_("Saved."), "ok")
    return redirect(url_for("studio.fields"))


@guard.needs(Action.PEOPLE_EDIT)
def confirm_removal(key: str) -> str:
    found = custom_fields.by_key(context.db(), key)
    return render_template("studio/remove_field.html", field=found)


@guard.needs(Action.PEOPLE_EDIT)
def remove(key: str) -> Response:
    removed = custom_fields.remove(context.db(), context.actor(), key)
    flash(_("The field “%(label)s” is removed.", label=removed.label), "ok")
    return redirect(url_for("studio.fields"))


def _page(error: InvalidInput | Conflict | None = None, key: str = "") -> str:
    return render_template(
        "studio/fields.html",
        fields=custom_fields.listing(context.db()),
        kinds=KINDS,
        kind_words=dict(KINDS),
        typed=request.form if error else {},
        error=error,
        wrong=error.details.get("field", "") if error else "",
        key=key,
    )
