"""Switch the second factor on, with its recovery codes, and off again."""

from flask import flash, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from markupsafe import Markup

from appliance.accounts import people, recovery, totp
from appliance.errors import InvalidInput, MatineeError, TooManyRequests
from appliance.permissions import Action
from web import context, guard
from web.auth.forms import by_field


@guard.needs(Action.ACCOUNT_OWN)
def totp_page() -> ResponseReturnValue:
    return _page()


@guard.needs(Action.ACCOUNT_OWN)
def begin() -> ResponseReturnValue:
    totp.begin(context.db(), context.settings(), context.actor())
    return redirect("/account/totp")


@guard.needs(Action.ACCOUNT_OWN)
def confirm() -> ResponseReturnValue:
    try:
        codes = totp.confirm(
            context.db(),
            context.settings(),
            context.actor(),
            request.form.get("code", ""),
        )
    except InvalidInput as error:
        return _page(error), error.status
    return render_template("auth/codes.html", codes=codes, fresh=True)


@guard.needs(Action.ACCOUNT_OWN)
def renew_codes() -> ResponseReturnValue:
    try:
        codes = totp.renew_codes(
            context.db(),
            context.settings(),
            context.actor(),
            request.form.get("password", ""),
        )
    except (InvalidInput, TooManyRequests) as error:
        return _page(error), error.status
    return render_template("auth/codes.html", codes=codes, fresh=False)


@guard.needs(Action.ACCOUNT_OWN)
def disable() -> ResponseReturnValue:
    try:
        totp.disable(
            context.db(),
            context.settings(),
            context.actor(),
            request.form.get("password", ""),
        )
    except (InvalidInput, TooManyRequests) as error:
        return _page(error), error.status
    flash(_("The second factor is off: your password alone signs you in."), "ok")
    return redirect("/account")


def _page(error: MatineeError | None = None) -> str:
    db, settings = context.db(), context.settings()
    enrolment = totp.pending(db, settings, context.actor())
    # The password was asked by one of two forms: the sentence stands by that one.
    asked_by = "renew" if request.path.endswith("/codes") else "disable"
    fields = {"totp": "code", "password": asked_by, "sign-in": asked_by}
    return render_template(
        "auth/totp.html",
        account=people.by_id(db, g.signed_in.account_id),
        codes_left=recovery.left(db, g.signed_in.account_id),
        enrolment=enrolment,
        # Drawn by segno from our own link: numbers and shapes, nothing a user typed.
        picture=Markup(enrolment.qr_svg) if enrolment else "",  # noqa: S704
        errors=by_field(error, fields),
    )
