"""Everybody's API tokens, as an administrator sees them."""

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.accounts import tokens
from appliance.permissions import Action
from web import context, guard


@guard.needs(Action.INTEGRATION_MANAGE)
def index() -> str:
    found = tokens.listing(context.db(), context.actor(), everybody=True)
    return render_template("studio/tokens.html", tokens=found)


@guard.needs(Action.INTEGRATION_MANAGE)
def revoke(token: str) -> Response:
    gone = tokens.revoke(context.db(), context.actor(), token)
    flash(_("“%(name)s” opens nothing any more.", name=gone.name), "ok")
    return redirect(url_for("studio.tokens"))
