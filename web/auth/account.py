"""One's own account: the name, the password, and where one is signed in."""

from collections.abc import Mapping

from flask import flash, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance.accounts import people, pins, profiles, sessions
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
_PIN_FIELDS = {
    "pin": "new_pin",
    "password.wrong": "pin_password",
    "sign-in.pause": "pin_password",
}


@guard.needs(Action.ACCOUNT_OWN)
def account_page() -> ResponseReturnValue:
    return _page()


@guard.needs(Action.ACCOUNT_OWN)
def rename() -> ResponseReturnValue:
    try:
        people.rename(
            context.db(), context.actor(), request.form.get("display_name", "")
        )
    except InvalidInput as error:
        return _page(error), error.status
    flash(_("Your name is saved."), "ok")
    return redirect("/account")


@guard.needs(Action.ACCOUNT_OWN)
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
    flash(_("Your password is changed; every other device is signed out."), "ok")
    return redirect("/account")


@guard.needs(Action.ACCOUNT_OWN)
def set_pin() -> ResponseReturnValue:
    wanted = None if "clear" in request.form else request.form.get("new_pin", "")
    try:
        pins.set_own(
            context.db(),
            context.settings(),
            context.actor(),
            wanted,
            request.form.get("password", ""),
        )
    except (InvalidInput, TooManyRequests) as error:
        return _page(error, _PIN_FIELDS), error.status
    if wanted is None:
        flash(_("The PIN of the account is taken away."), "ok")
    else:
        flash(_("The PIN of the account is set."), "ok")
    return redirect("/account#profiles")


@guard.needs(Action.ACCOUNT_OWN)
def revoke(session_id: str) -> ResponseReturnValue:
    sessions.revoke(context.db(), context.actor(), session_id)
    if session_id == g.signed_in.session_id:
        return redirect("/login")
    flash(_("That device is signed out; what it played stops now."), "ok")
    return redirect("/account#devices")


@guard.needs(Action.ACCOUNT_OWN)
def revoke_others() -> ResponseReturnValue:
    sessions.revoke_others(
        context.db(),
        context.actor(),
        g.signed_in.account_id,
        keep_session=g.signed_in.session_id,
    )
    flash(_("Every other device is signed out."), "ok")
    return redirect("/account#devices")


def _page(
    error: MatineeError | None = None, fields: Mapping[str, str] = _FIELDS
) -> str:
    db, signed_in = context.db(), g.signed_in
    own = sessions.listing(db, signed_in.account_id)
    playing = streams.of_account(db, signed_in.account_id)
    return render_template(
        "auth/account.html",
        account=people.by_id(db, signed_in.account_id),
        devices=sessions_shown(own, signed_in.session_id, db.clock.now(), playing),
        values=request.form,
        errors=by_field(error, fields),
        profiles=profiles.of_account(db, signed_in.account_id),
        guarded=pins.guards(db, signed_in.account_id),
        least=context.settings().accounts.password_length,
    )
