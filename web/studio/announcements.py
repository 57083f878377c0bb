"""Announcements, and closing the portal for maintenance."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.errors import InvalidInput
from appliance.operations import announcements, maintenance
from appliance.permissions import Action
from web import context, guard

Answer = str | Response | tuple[str, int]


@guard.needs(Action.PORTAL_ANNOUNCE)
def index() -> Answer:
    return _page()


@guard.needs(Action.PORTAL_ANNOUNCE)
def add() -> Answer:
    form = request.form
    try:
        announcements.add(
            context.db(),
            context.actor(),
            form.get("text", ""),
            level=form.get("level", ""),
            dismissible="dismissible" in form,
            starts_at=form.get("starts_at"),
            ends_at=form.get("ends_at"),
        )
    except InvalidInput as error:
        return _page(error), error.status
    flash(_("It is announced."), "ok")
    return redirect(url_for("studio.announcements"))


@guard.needs(Action.PORTAL_ANNOUNCE)
def remove(announcement: str) -> Answer:
    announcements.remove(context.db(), context.actor(), announcement)
    flash(_("The announcement is taken back."), "ok")
    return redirect(url_for("studio.announcements"))


@guard.needs(Action.PORTAL_ANNOUNCE)
def close() -> Answer:
    form = request.form
    try:
        maintenance.close(
            context.db(),
            context.actor(),
            starts_at=form.get("closes_at"),
            ends_at=form.get("opens_at"),
            message=form.get("message", ""),
        )
    except InvalidInput as error:
        return _page(error, closing=True), error.status
    flash(_("The portal is closed, or will be: what plays goes on."), "ok")
    return redirect(url_for("studio.announcements"))


@guard.needs(Action.PORTAL_ANNOUNCE)
def open_again() -> Answer:
    maintenance.open_again(context.db(), context.actor())
    flash(_("The portal is open."), "ok")
    return redirect(url_for("studio.announcements"))


def _page(error: InvalidInput | None = None, *, closing: bool = False) -> str:
    db = context.db()
    now = db.now()
    planned = maintenance.read(db)
    return render_template(
        "studio/announcements.html",
        announced=announcements.listing(db, context.actor()),
        planned=planned,
        closed=planned.closed(now),
        now=now,
        typed=request.form if error else {},
        closing=closing,
        error=error,
        wrong=error.details.get("field", "form") if error else "",
    )
