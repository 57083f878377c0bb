"""Collections in the Studio: titles put together, in an order."""

from collections.abc import Mapping

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from appliance.catalog import collections
from appliance.catalog.collections import Collection
from appliance.errors import Conflict, InvalidInput
from appliance.permissions import Action
from web import context, guard
from web.studio.title_names import slugs_of

Answer = str | Response | tuple[str, int]
_Refusal = InvalidInput | Conflict


@guard.needs(Action.HOME_ARRANGE)
def index() -> Answer:
    return _index()


@guard.needs(Action.HOME_ARRANGE)
def add() -> Answer:
    try:
        made = collections.add(
            context.db(), context.actor(), request.form.get("name", "")
        )
    except InvalidInput as error:
        return _index(error), error.status
    flash(gettext("The collection is made. Say here what is in it."), "ok")
    return redirect(url_for("studio.collection", collection=made.slug), 303)


@guard.needs(Action.HOME_ARRANGE)
def show(collection: str) -> Answer:
    return _page(collections.by_slug(context.db(), collection))


@guard.needs(Action.HOME_ARRANGE)
def save(collection: str) -> Answer:
    form = request.form
    try:
        collections.change(
            context.db(),
            context.actor(),
            collection,
            name=form.get("name", ""),
            synopsis=form.get("synopsis", ""),
            members=slugs_of(form.get("titles", "")),
            seen=form.get("seen"),
        )
    except (InvalidInput, Conflict) as error:
        found = collections.by_slug(context.db(), collection)
        return _page(found, error), error.status
    flash(gettext("Saved."), "ok")
    return redirect(url_for("studio.collection", collection=collection), 303)


@guard.needs(Action.HOME_ARRANGE)
def confirm_removal(collection: str) -> Answer:
    found = collections.by_slug(context.db(), collection)
    return render_template("studio/remove_collection.html", collection=found)


@guard.needs(Action.HOME_ARRANGE)
def remove(collection: str) -> Answer:
    removed = collections.remove(context.db(), context.actor(), collection)
    flash(gettext("“%(name)s” is removed; its titles stay.", name=removed.name), "ok")
    return redirect(url_for("studio.collections"), 303)


def _index(error: _Refusal | None = None) -> str:
    return render_template(
        "studio/collections.html",
        collections=collections.listing(context.db()),
        typed=request.form.get("name", ""),
        error=error,
    )


def _page(found: Collection, error: _Refusal | None = None) -> str:
    members = collections.members(context.db(), found.id)
    typed: Mapping[str, str] = {
        "name": found.name,
        "synopsis": found.synopsis,
        "titles": "\n".join(f"{slug}  {name}" for slug, name in members),
        "seen": found.updated_at,
    }
    return render_template(
        "studio/collection.html",
        collection=found,
        typed=request.form if error else typed,
        # After a conflict the form stands for what has been seen since.
        seen=found.updated_at
        if isinstance(error, Conflict)
        else request.form.get("seen", found.updated_at),
        now_there=members if isinstance(error, Conflict) else (),
        error=error,
        wrong=error.details.get("field", "form") if error else "",
    )
