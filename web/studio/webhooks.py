"""Webhooks in the Studio: whom the installation tells, and what was answered."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.errors import ConfigError, InvalidInput
from appliance.operations import deliveries, webhooks
from appliance.permissions import Action
from web import context, guard

Answer = str | Response | tuple[str, int]
_Refusal = InvalidInput | ConfigError


@guard.needs(Action.INTEGRATION_MANAGE)
def index() -> Answer:
    return _index()


@guard.needs(Action.INTEGRATION_MANAGE)
def add() -> Answer:
    try:
        made, secret = webhooks.add(
            context.db(),
            context.settings(),
            context.actor(),
            request.form.get("url", ""),
            _events(),
        )
    except (InvalidInput, ConfigError) as error:
        return _index(error), InvalidInput.status
    return _page(made.id, secret)


@guard.needs(Action.INTEGRATION_MANAGE)
def show(webhook: str) -> Answer:
    return _page(webhook)


@guard.needs(Action.INTEGRATION_MANAGE)
def save(webhook: str) -> Answer:
    try:
        webhooks.change(
            context.db(),
            context.actor(),
            webhook,
            url=request.form.get("url", ""),
            events=_events(),
            enabled="enabled" in request.form,
        )
    except (InvalidInput, ConfigError) as error:
        return _page(webhook, error=error), InvalidInput.status
    flash(_("Saved."), "ok")
    return redirect(url_for("studio.webhook", webhook=webhook))


@guard.needs(Action.INTEGRATION_MANAGE)
def remove(webhook: str) -> Answer:
    webhooks.remove(context.db(), context.actor(), webhook)
    flash(_("The webhook is removed."), "ok")
    return redirect(url_for("studio.webhooks"))


@guard.needs(Action.INTEGRATION_MANAGE)
def test(webhook: str) -> Answer:
    deliveries.test(context.db(), context.actor(), webhook)
    flash(_("It is being sent: look at the list in a moment."), "ok")
    return redirect(url_for("studio.webhook", webhook=webhook))


@guard.needs(Action.INTEGRATION_MANAGE)
def replay(webhook: str, delivery: str) -> Answer:
    deliveries.replay(context.db(), context.actor(), webhook, delivery)
    flash(_("It is sent again."), "ok")
    return redirect(url_for("studio.webhook", webhook=webhook))


def _index(error: _Refusal | None = None) -> str:
    return render_template(
        "studio/webhooks.html",
        webhooks=webhooks.listing(context.db(), context.actor()),
        typed=request.form,
        error=error,
        wrong=error.details.get("field", "url") if error else "",
    )


def _page(webhook: str, secret: str = "", error: _Refusal | None = None) -> str:
    db, actor = context.db(), context.actor()
    found = webhooks.by_id(db, actor, webhook)
    typed = request.form if error else {}
    return render_template(
        "studio/webhook.html",
        webhook=found,
        url=typed.get("url", found.url),
        events=typed.get("events", " ".join(found.events)),
        secret=secret,
        deliveries=deliveries.listing(db, actor, webhook),
        error=error,
        wrong=error.details.get("field", "url") if error else "",
    )


def _events() -> list[str]:
    return request.form.get("events", "").replace(",", " ").split()
