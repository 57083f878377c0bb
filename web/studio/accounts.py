"""Accounts in the Studio: who may sign in, as what, and what is open in their name."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.accounts import groups, people, pins, profiles, sessions
from appliance.errors import Conflict, InvalidInput, MatineeError
from appliance.permissions import Action, Role
from web import context, guard

Answer = str | Response | tuple[str, int]

ROLES = {
    Role.VIEWER: "Watches what is published.",
    Role.CONTRIBUTOR: "Uploads films and edits their own titles.",
    Role.PUBLISHER: "Edits, publishes and removes every title; controls jobs.",
    Role.ADMINISTRATOR: "Everything, with accounts and the audit log.",
}


@guard.needs(Action.ACCOUNT_MANAGE)
def index() -> Answer:
    return render_template(
        "studio/accounts.html", accounts=people.listing(context.db())
    )


@guard.needs(Action.ACCOUNT_MANAGE)
def new() -> Answer:
    return _new_page()


@guard.needs(Action.ACCOUNT_MANAGE)
def create() -> Answer:
    form = request.form
    try:
        account = people.create(
            context.db(),
            context.settings(),
            context.actor(),
            form.get("username", ""),
            form.get("password", ""),
            display_name=form.get("display_name", ""),
            email=form.get("email", "") or None,
            roles=_roles(),
        )
    except (InvalidInput, Conflict) as error:
        return _new_page(error), 400
    flash(f"“{account.username}” can sign in now.", "ok")
    return redirect(url_for("studio.account", username=account.username))


@guard.needs(Action.ACCOUNT_MANAGE)
def show(username: str) -> Answer:
    return _page(username)


@guard.needs(Action.ACCOUNT_MANAGE)
def set_roles(username: str) -> Answer:
    try:
        people.set_roles(context.db(), context.actor(), username, _roles())
    except (InvalidInput, Conflict) as error:
        return _page(username, error), 400
    return _done(username, "The roles are saved; they count from the next click on.")


@guard.needs(Action.ACCOUNT_MANAGE)
def confirm_disabling(username: str) -> Answer:
    account = people.find(context.db(), username)
    return render_template("studio/disable.html", account=account)


@guard.needs(Action.ACCOUNT_MANAGE)
def disable(username: str) -> Answer:
    try:
        people.disable(context.db(), context.actor(), username)
    except Conflict as error:
        return _page(username, error), 409
    return _done(username, f"“{username}” can no longer sign in.")


@guard.needs(Action.ACCOUNT_MANAGE)
def enable(username: str) -> Answer:
    people.enable(context.db(), context.actor(), username)
    return _done(username, f"“{username}” can sign in again.")


@guard.needs(Action.ACCOUNT_MANAGE)
def reset_password(username: str) -> Answer:
    password = request.form.get("password", "")
    try:
        people.reset_password(
            context.db(), context.settings(), context.actor(), username, password
        )
    except InvalidInput as error:
        return _page(username, error), 400
    return _done(username, "The new password holds; every session has ended.")


@guard.needs(Action.ACCOUNT_MANAGE)
def clear_pins(username: str) -> Answer:
    account = people.find(context.db(), username)
    pins.clear(context.db(), context.actor(), account.id)
    return _done(username, _("Its profiles open without a PIN now."))


@guard.needs(Action.ACCOUNT_MANAGE)
def revoke(username: str, session: str) -> Answer:
    sessions.revoke(context.db(), context.actor(), session)
    return _done(username, "The session has ended.")


@guard.needs(Action.ACCOUNT_MANAGE)
def revoke_all(username: str) -> Answer:
    account = people.find(context.db(), username)
    ended = sessions.revoke_others(context.db(), context.actor(), account.id)
    return _done(username, f"{ended} sessions have ended.")


def _roles() -> list[Role]:
    """Return the roles that are ticked; a value that is no role counts for nothing."""
    ticked = request.form.getlist("roles")
    return [role for role in Role if role.value in ticked]


def _done(username: str, sentence: str) -> Response:
    flash(sentence, "ok")
    return redirect(url_for("studio.account", username=username))


def _new_page(error: MatineeError | None = None) -> str:
    return render_template(
        "studio/new_account.html", error=error, roles=ROLES, form=request.form
    )


def _page(username: str, error: MatineeError | None = None) -> str:
    account = people.find(context.db(), username)
    return render_template(
        "studio/account.html",
        account=account,
        error=error,
        roles=ROLES,
        sessions=sessions.listing(context.db(), account.id),
        profiles=profiles.of_account(context.db(), account.id),
        guarded=pins.guards(context.db(), account.id),
        groups=groups.of_account(context.db(), account.id),
    )
