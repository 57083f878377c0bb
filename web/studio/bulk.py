"""Changes of many titles: what was ticked or listed, the effect, and undoing it."""

from dataclasses import asdict
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from appliance.catalog import bulk, libraries
from appliance.catalog.bulk import Outcome
from appliance.catalog.bulk_words import Wish
from appliance.errors import Conflict, InvalidInput
from appliance.media import publishing
from appliance.permissions import Action
from web import context, guard
from web.studio import title_list

Answer = str | Response | tuple[str, int]
_BY = "by-"


@guard.needs(Action.STUDIO_SEE)
def index() -> str:
    return _page()


@guard.needs(Action.STUDIO_SEE)
def preview() -> Answer:
    """Show what would become of the titles; what was typed is kept."""
    wish = None
    try:
        wish = Wish.read(_typed())
        chosen = _chosen()
    except InvalidInput as error:
        return _effect(wish, None, error), 400
    return _effect(wish, _previewed(wish, chosen))


@guard.needs(Action.STUDIO_SEE)
def apply() -> Answer:
    """Change them, if the list is still the one whose effect was shown."""
    try:
        wish = Wish.read(_typed())
        chosen = _chosen()
        outcome = bulk.apply(
            *(context.db(), context.settings(), context.actor()),
            *(chosen, wish, publishing.publish),
            mark=request.form.get("mark", ""),
        )
    except InvalidInput as error:
        return _effect(None, None, error), 400
    except Conflict as error:
        return _effect(wish, _previewed(wish, chosen), error), 409
    if outcome.bulk:
        said = ngettext(
            "%(num)s title is changed.", "%(num)s titles are changed.", outcome.changed
        )
        flash(said, "ok")
    else:
        flash(_("Nothing was left to change."), "info")
    return redirect(url_for("studio.bulk"))


@guard.needs(Action.STUDIO_SEE)
def undo(change: str) -> Answer:
    outcome = bulk.undo(
        *(context.db(), context.settings(), context.actor()),
        *(change, publishing.publish),
    )
    return _page(outcome)


def _page(outcome: Outcome | None = None) -> str:
    made = bulk.listing(context.db(), context.settings())
    return render_template("studio/bulk.html", made=made, outcome=outcome)


def _previewed(wish: Wish, chosen: list[int]) -> Outcome:
    return bulk.preview(
        *(context.db(), context.settings(), context.actor()),
        *(chosen, wish, publishing.publish),
    )


def _typed() -> dict[str, str]:
    return {name: request.form.get(name, "") for name in asdict(Wish())}


def _chosen() -> list[int]:
    """Return the titles that are meant. Errors: ``InvalidInput``, ``NotFound``."""
    db, actor = context.db(), context.actor()
    if request.form.get("which") == "listed":
        return bulk.chosen(db, actor, by=title_list.listed(_sieve()))
    return bulk.chosen(db, actor, request.form.getlist("slug"))


def _sieve() -> dict[str, str]:
    return {
        name.removeprefix(_BY): value
        for name, value in request.form.items()
        if name.startswith(_BY)
    }


def _effect(
    wish: Wish | None,
    effect: Outcome | None,
    error: InvalidInput | Conflict | None = None,
) -> str:
    by: dict[str, Any] = dict(_sieve())
    carried = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name in ("which", "slug") or name.startswith(_BY)
    ]
    return render_template(
        "studio/bulk_effect.html",
        wish=wish,
        effect=effect,
        error=error,
        values=_typed(),
        carried=carried,
        back=url_for("studio.titles", **by),
        moves=title_list.MOVES,
        libraries=libraries.listing(context.db()),
        hours=context.settings().studio.undo_hours,
    )
