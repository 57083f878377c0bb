"""Make the first administrator, from the link that `matinee init` printed."""

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance.accounts import setup as first
from appliance.errors import InvalidInput
from web import context, guard
from web.auth.forms import by_field
from web.auth.sign_in import enter

_FIELDS = {
    "username": "username",
    "display-name": "display_name",
    "password": "password",
}


@guard.public(
    "The one-use token in the link lets in; without it the page is not there."
)
def setup_page() -> ResponseReturnValue:
    token = request.args.get("token", "")
    first.require_valid(context.db(), token)
    return _page(token)


@guard.public("The one-use token in the form lets in.")
def setup() -> ResponseReturnValue:
    token, form = request.form.get("token", ""), request.form
    try:
        account = first.complete(
            context.db(),
            context.settings(),
            token,
            form.get("username", ""),
            form.get("password", ""),
            display_name=form.get("display_name", ""),
            address=context.actor().address,
        )
    except InvalidInput as error:
        return _page(token, error), error.status
    response = enter(account.id, account.public_id, "/studio/")
    flash(_("Welcome, %(name)s. Add the first film.", name=account.display_name), "ok")
    return response


def _page(token: str, error: InvalidInput | None = None) -> str:
    return render_template(
        "auth/setup.html",
        token=token,
        values=request.form,
        errors=by_field(error, _FIELDS),
        least=context.settings().accounts.password_length,
    )
