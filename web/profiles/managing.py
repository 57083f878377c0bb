"""Adding, changing and removing profiles, and the PIN of each."""

from typing import Any

from flask import flash, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import gettext as _

from appliance.accounts import faces, pins, profiles
from appliance.accounts.profiles import Profile
from appliance.captions import languages as named
from appliance.errors import Conflict, InvalidInput, MatineeError, TooManyRequests
from appliance.permissions import Action
from web import context, guard
from web.auth.forms import by_field
from web.languages import LANGUAGES

AGES = (0, 6, 7, 8, 10, 12, 13, 14, 15, 16, 17, 18)
_KIDS_AGE = 6
_REFUSALS = (InvalidInput, Conflict, TooManyRequests)
_FIELDS = {
    "display-name": "name",
    "profile.exists": "name",
    "profile.limit": "rating_limit",
    "profile.kids-limit": "rating_limit",
    "profile.avatar": "avatar",
    "captions.language": "language",
    "pin.form": "new_pin",
    "pin.needed": "pin",
    "pin.wrong": "pin",
    "pin.pause": "pin",
    "password.wrong": "password",
    "sign-in.pause": "password",
}


@guard.needs(Action.ACCOUNT_OWN)
def manage() -> ResponseReturnValue:
    own = profiles.of_account(context.db(), g.signed_in.account_id)
    return render_template(
        "profiles/manage.html",
        profiles=own,
        room=len(own) < context.settings().accounts.profiles,
    )


@guard.needs(Action.ACCOUNT_OWN)
def new_page() -> ResponseReturnValue:
    return _new()


@guard.needs(Action.ACCOUNT_OWN)
def add() -> ResponseReturnValue:
    try:
        made = profiles.add(
            context.db(),
            context.settings(),
            context.actor(),
            g.signed_in.account_id,
            **_fields(),
            pin=request.form.get("pin", ""),
        )
    except _REFUSALS as error:
        return _new(error), error.status
    flash(_("“%(name)s” can watch now.", name=made.name), "ok")
    return redirect("/profiles", 303)


@guard.needs(Action.ACCOUNT_OWN)
def edit_page(public_id: str) -> ResponseReturnValue:
    return _page(_own(public_id))


@guard.needs(Action.ACCOUNT_OWN)
def edit(public_id: str) -> ResponseReturnValue:
    before = _own(public_id)
    try:
        profiles.edit(
            context.db(),
            context.settings(),
            context.actor(),
            public_id,
            **_fields(),
            pin=request.form.get("pin", ""),
        )
    except _REFUSALS as error:
        return _page(before, error), error.status
    flash(_("The profile is saved."), "ok")
    return redirect("/profiles/manage", 303)


@guard.needs(Action.ACCOUNT_OWN)
def set_pin(public_id: str) -> ResponseReturnValue:
    profile = _own(public_id)
    wanted = None if "clear" in request.form else request.form.get("new_pin", "")
    try:
        pins.set_of_profile(
            context.db(),
            context.settings(),
            context.actor(),
            public_id,
            wanted,
            request.form.get("password", ""),
        )
    except _REFUSALS as error:
        return _page(profile, error), error.status
    if wanted is None:
        flash(_("Opening this profile takes no PIN any more."), "ok")
    else:
        flash(_("Opening this profile takes its PIN now."), "ok")
    return redirect(f"/profiles/{public_id}", 303)


@guard.needs(Action.ACCOUNT_OWN)
def remove_page(public_id: str) -> ResponseReturnValue:
    return _removing(_own(public_id))


@guard.needs(Action.ACCOUNT_OWN)
def remove(public_id: str) -> ResponseReturnValue:
    profile = _own(public_id)
    try:
        profiles.remove(
            context.db(),
            context.settings(),
            context.actor(),
            public_id,
            pin=request.form.get("pin", ""),
        )
    except _REFUSALS as error:
        return _removing(profile, error), error.status
    flash(_("“%(name)s” and what it watched are removed.", name=profile.name), "ok")
    return redirect("/profiles", 303)


def _own(public_id: str) -> Profile:
    return profiles.own(context.db(), context.actor(), public_id)


def _fields() -> dict[str, Any]:
    return {
        "name": request.form.get("name", ""),
        "avatar": request.form.get("avatar", faces.COLOURS[0]),
        "language": request.form.get("language", ""),
        "rating_limit": _age(request.form.get("rating_limit", "")),
        "kids": "kids" in request.form,
    }


def _age(text: str) -> int | None:
    """Read an age; what is none is refused with those that are too high."""
    if not text:
        return None
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else -1


def _new(error: MatineeError | None = None) -> str:
    own = profiles.of_account(context.db(), g.signed_in.account_id)
    values: dict[str, Any] = {
        "avatar": faces.unlike(each.avatar for each in own),
        "language": str(get_locale()),
    }
    return render_template("profiles/new.html", **_shared(values, error))


def _page(profile: Profile, error: MatineeError | None = None) -> str:
    values = {
        "name": profile.name,
        "avatar": profile.avatar,
        "language": profile.language or str(get_locale()),
        "rating_limit": profile.rating_limit,
        "kids": profile.kids,
    }
    return render_template(
        "profiles/edit.html", profile=profile, **_shared(values, error)
    )


def _removing(profile: Profile, error: MatineeError | None = None) -> str:
    return render_template(
        "profiles/remove.html", profile=profile, **_shared({}, error)
    )


def _shared(values: dict[str, Any], error: MatineeError | None) -> dict[str, Any]:
    """Return what the forms have in common; what was typed stays where it was."""
    if "name" in request.form:
        values = _fields()
    return {
        "values": values,
        "errors": by_field(error, _FIELDS),
        "colours": faces.COLOURS,
        "drawings": faces.DRAWINGS,
        "languages": [(each, named.name(each)) for each in LANGUAGES],
        "ages": sorted({*AGES, max(0, values.get("rating_limit") or 0)}),
        "kids_age": _KIDS_AGE,
        "guarded": pins.guards(context.db(), g.signed_in.account_id),
    }
