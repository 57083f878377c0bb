"""Backups in the Studio: what is kept, how the last ones went, and one made now."""

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.errors import Conflict, MatineeError
from appliance.operations.backups import missing, recovery, runs
from appliance.operations.backups.recovery import Recipient
from appliance.operations.backups.runs import RunKind
from appliance.permissions import Action
from web import context, guard

_RUNS = 20


@guard.needs(Action.SYSTEM_SEE)
def index() -> str:
    db = context.db()
    return render_template(
        "studio/backups.html",
        kept=runs.kept(db),
        verified=runs.verified(db),
        runs=runs.latest(db, _RUNS),
        missing=missing.listing(db),
        wishes=context.settings().backup,
        key=_key(),
        may_manage=context.actor().may(Action.SYSTEM_MANAGE),
    )


@guard.needs(Action.SYSTEM_MANAGE)
def make() -> Response:
    return _asked(RunKind.CREATE)


@guard.needs(Action.SYSTEM_MANAGE)
def verify(backup: str) -> Response:
    return _asked(RunKind.VERIFY, backup)


def _asked(kind: RunKind, backup: str = "") -> Response:
    try:
        runs.ask(context.db(), context.actor(), kind, backup)
        flash(_("That is begun at once, and goes on without this page."), "ok")
    except Conflict as error:
        flash(error.message, "bad")
    return redirect(url_for("studio.backups"))


def _key() -> Recipient | None:
    """Return which recovery key backups are sealed to; None where there is none."""
    try:
        return recovery.load(context.settings())
    except MatineeError:
        return None
