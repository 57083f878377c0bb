"""One's own account: the name, the password, and where one is signed in."""

from flask import flash, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from appliance.accounts import people, sessions
from appliance.errors import InvalidInput, MatineeError, TooManyRequests
from appliance.permissions import Action
from appliance.playback import streams
from web import context, guard
from web.auth.forms import by_field
from web.auth.shown import sessions_shown

_FIELDS = {
    "display-name": "display_name",
    "password": "new",
    "password.wrong": "old",
    "sign-in.pause": "old",
}


@guard.needs(Action.PORTAL_SEE)
def account_page() -> ResponseReturnValue:
    return _page()


@guard.needs(Action.PORTAL_SEE)
def rename() -> ResponseReturnValue:
    try:
        people.rename(
            context.db(), context.actor(), request.form.get("display_name", "")
        )
    except InvalidInput as error:
        return _page(error), error.status
    flash("Your name is saved.", "ok")
    return redirect("/account")


@guard.needs(Action.PORTAL_SEE)
def change_password() -> ResponseReturnValue:
    try:
        people.change_password(
            context.db(),
            context.settings(),
            context.actor(),
            request.form.get("old", ""),
            request.form.get("new", ""),
            keep_session=g.signed_in.session_id,
        )
    except (InvalidInput, TooManyRequests) as error:
        return _page(error), error.status
    flash("Your password is changed; every other device is signed out.", "ok")
    return redirect("/account")


@guard.needs(Action.PORTAL_SEE)
def revoke(session_id: str) -> ResponseReturnValue:
    sessions.revoke(context.db(), context.actor(), session_id)
    if session_id == g.signed_in.session_id:
        return redirect("/login")
    flash("That device is signed out; what it played stops now.", "ok")
    return redirect("/account#devices")


@guard.needs(Action.PORTAL_SEE)
def revoke_others() -> ResponseReturnValue:
    sessions.revoke_others(
        context.db(),
        context.actor(),
        g.signed_in.account_id,
        keep_session=g.signed_in.session_id,
    )
    flash("Every other device is signed out.", "ok")
    return redirect("/account#devices")


def _page(error: MatineeError | None = None) -> str:
    db, signed_in = context.db(), g.signed_in
    own = sessions.listing(db, signed_in.account_id)
    playing = streams.of_account(db, signed_in.account_id)
    return render_template(
        "auth/account.html",
        account=people.by_id(db, signed_in.account_id),
        devices=sessions_shown(own, signed_in.session_id, db.clock.now(), playing),
        values=request.form,
        errors=by_field(error, _FIELDS),
        least=context.settings().accounts.password_length,
    )
