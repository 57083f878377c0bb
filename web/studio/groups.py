"""Groups in the Studio: departments and customers, and who is in them."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.accounts import groups, people
from appliance.accounts.groups import Group
from appliance.errors import Conflict, InvalidInput, MatineeError, NotFound
from appliance.permissions import Action
from web import context, guard

Answer = str | Response | tuple[str, int]

_OFFERED = 500


@guard.needs(Action.ACCOUNT_MANAGE)
def index() -> Answer:
    return _index()


@guard.needs(Action.ACCOUNT_MANAGE)
def add() -> Answer:
    try:
        made = groups.add(context.db(), context.actor(), request.form.get("name", ""))
    except (InvalidInput, Conflict) as error:
        return _index(error), error.status
    flash(_("There is a group “%(name)s” now.", name=made.name), "ok")
    return redirect(url_for("studio.group", group=made.public_id), 303)


@guard.needs(Action.ACCOUNT_MANAGE)
def show(group: str) -> Answer:
    return _page(groups.find(context.db(), group))


@guard.needs(Action.ACCOUNT_MANAGE)
def join(group: str) -> Answer:
    found = groups.find(context.db(), group)
    username = request.form.get("username", "").strip()
    try:
        groups.join(context.db(), context.actor(), found.public_id, username)
    except NotFound as error:
        return _page(found, error), 400
    flash(_("“%(name)s” is in the group.", name=username), "ok")
    return _back(found)


@guard.needs(Action.ACCOUNT_MANAGE)
def leave(group: str, username: str) -> Answer:
    found = groups.find(context.db(), group)
    try:
        groups.leave(context.db(), context.actor(), found.public_id, username)
    except NotFound as error:
        flash(error.message, "bad")
    else:
        flash(_("“%(name)s” is out of the group.", name=username), "ok")
    return _back(found)


@guard.needs(Action.ACCOUNT_MANAGE)
def confirm_removal(group: str) -> Answer:
    found = groups.find(context.db(), group)
    return render_template("studio/remove_group.html", group=found)


@guard.needs(Action.ACCOUNT_MANAGE)
def remove(group: str) -> Answer:
    found = groups.find(context.db(), group)
    try:
        groups.remove(context.db(), context.actor(), found.public_id)
    except Conflict as error:
        return _page(found, error), error.status
    flash(_("The group “%(name)s” is removed.", name=found.name), "ok")
    return redirect(url_for("studio.groups"), 303)


def _back(group: Group) -> Response:
    return redirect(url_for("studio.group", group=group.public_id), 303)


def _index(error: MatineeError | None = None) -> str:
    return render_template(
        "studio/groups.html",
        groups=groups.listing(context.db()),
        error=error,
        name=request.form.get("name", ""),
    )


def _page(group: Group, error: MatineeError | None = None) -> str:
    db = context.db()
    members = groups.members(db, group)
    inside = {each.username for each in members}
    outside = [each for each in people.listing(db) if each.username not in inside]
    return render_template(
        "studio/group.html",
        group=group,
        members=members,
        accounts=outside[:_OFFERED],
        error=error,
        typed=request.form.get("username", ""),
    )
