"""One's own API tokens: what programs sign in with."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance.accounts import tokens as api_tokens
from appliance.errors import Forbidden, InvalidInput
from appliance.permissions import MEANINGS, Action
from web import context, guard


@guard.needs(Action.ACCOUNT_OWN)
def tokens() -> ResponseReturnValue:
    return _page()


@guard.needs(Action.ACCOUNT_OWN)
def create_token() -> ResponseReturnValue:
    actor = context.actor()
    try:
        text, _made = api_tokens.create(
            context.db(),
            actor,
            actor.username,
            request.form.get("name", ""),
            request.form.getlist("scopes"),
            request.form.get("days", 0, int),
        )
    except (InvalidInput, Forbidden) as error:
        return _page(error=error), error.status
    return _page(text)


@guard.needs(Action.ACCOUNT_OWN)
def revoke_token(token: str) -> ResponseReturnValue:
    gone = api_tokens.revoke(context.db(), context.actor(), token)
    flash(_("“%(name)s” opens nothing any more.", name=gone.name), "ok")
    return redirect(url_for("auth.tokens"))


def _page(text: str = "", error: InvalidInput | Forbidden | None = None) -> str:
    actor = context.actor()
    return render_template(
        "auth/tokens.html",
        tokens=api_tokens.listing(context.db(), actor),
        may=[(each, MEANINGS[each]) for each in api_tokens.allowed(actor.roles)],
        text=text,
        typed=request.form if error else {},
        chosen=request.form.getlist("scopes") if error else [],
        error=error,
        wrong=(error.details.get("field") or "form") if error else "",
    )
