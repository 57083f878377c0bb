"""What the profile has watched: see it, take one out, forget all of it."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance.errors import NotFound
from appliance.permissions import Action
from appliance.playback import history as watched
from web import context, guard
from web.refusals import said

_PER_PAGE = 30


@guard.needs(Action.PLAYBACK_OPEN)
def history() -> ResponseReturnValue:
    page = min(max(1, request.args.get("page", 1, int)), 10_000)
    found = watched.listing(
        context.db(), context.actor(), _PER_PAGE + 1, (page - 1) * _PER_PAGE
    )

    def turn(to: int) -> str:
        return url_for("profiles.history", page=to)

    return render_template(
        "profiles/history.html",
        entries=found[:_PER_PAGE],
        newer=turn(page - 1) if page > 1 else None,
        older=turn(page + 1) if len(found) > _PER_PAGE else None,
    )


@guard.needs(Action.ACCOUNT_OWN)
def confirm_clearing() -> ResponseReturnValue:
    return render_template("profiles/clear.html")


@guard.needs(Action.ACCOUNT_OWN)
def clear() -> ResponseReturnValue:
    watched.clear(context.db(), context.actor())
    flash(_("Your history is empty."), "ok")
    return redirect("/history", 303)


@guard.needs(Action.ACCOUNT_OWN)
def forget(slug: str) -> ResponseReturnValue:
    try:
        watched.forget(context.db(), context.actor(), slug)
    except NotFound as error:
        flash(said(error), "bad")
    else:
        flash(_("Taken out of your history."), "ok")
    return redirect("/history", 303)
