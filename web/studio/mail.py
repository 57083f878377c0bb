"""E-mail in the Studio: who is written to about what, and how it went."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.errors import Conflict, InvalidInput, PreconditionFailed
from appliance.operations import alerted
from appliance.operations import mail as letters
from appliance.permissions import Action
from web import context, guard

Answer = str | Response | tuple[str, int]
_Refusal = InvalidInput | Conflict | PreconditionFailed

USUAL = (
    "job:fail",
    "asset:install",
    "title:review",
    "encoder:degrade",
    "webhook:fail",
    "account:create",
)
"""What most want to know of; every name and pattern of events will do."""


@guard.needs(Action.INTEGRATION_MANAGE)
def index() -> Answer:
    return _page()


@guard.needs(Action.INTEGRATION_MANAGE)
def save() -> Answer:
    recipients = tuple(request.form.get("recipients", "").replace(",", " ").split())
    try:
        letters.set_rule(
            context.db(),
            context.actor(),
            request.form.get("event", ""),
            recipients,
            request.form.get("revision", None, int),
        )
    except (InvalidInput, Conflict) as error:
        return _page(error), error.status
    flash(_("Saved."), "ok")
    return redirect(url_for("studio.mail"))


@guard.needs(Action.INTEGRATION_MANAGE)
def test() -> Answer:
    recipient = request.form.get("recipient", "").strip()
    try:
        letters.send_test(context.settings(), context.actor(), recipient)
    except (InvalidInput, PreconditionFailed) as error:
        return _page(error, testing=True), error.status
    flash(_("The letter is on its way to %(recipient)s.", recipient=recipient), "ok")
    return redirect(url_for("studio.mail"))


def _page(error: _Refusal | None = None, *, testing: bool = False) -> str:
    db, actor = context.db(), context.actor()
    rules, settings = letters.rules(db, actor), context.settings()
    return render_template(
        "studio/mail.html",
        rules=rules,
        alerts=alerted.usually(db, settings, rules.recipients),
        usual=USUAL,
        letters=letters.listing(db, actor),
        on=bool(settings.mail.host),
        typed=request.form if error else {},
        testing=testing,
        error=error,
        wrong=(error.details.get("field") or "form") if error else "",
    )
