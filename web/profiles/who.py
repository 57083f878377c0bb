"""“Who’s watching?”: choosing the profile, with its PIN where it has one."""

from flask import flash, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from appliance.accounts import pins, profiles, watching
from appliance.accounts.profiles import Profile
from appliance.errors import InvalidInput, MatineeError, NotFound, TooManyRequests
from appliance.permissions import Action
from appliance.playback import switching
from web import context, guard
from web.auth.redirects import local_path

_WHY = "Whoever is signed in says who watches."


@guard.signed_in(_WHY)
def who() -> ResponseReturnValue:
    own = profiles.of_account(context.db(), g.signed_in.account_id)
    chosen = g.signed_in.profile_chosen
    return render_template(
        "profiles/who.html",
        profiles=own,
        current=g.signed_in.profile_id if chosen else None,
        managing=not chosen or context.actor().may(Action.ACCOUNT_OWN),
        room=len(own) < context.settings().accounts.profiles,
        asks=_asking(own),
        next=_wish(request.args.get("next", "")),
    )


@guard.signed_in(_WHY)
def open_page(public_id: str) -> ResponseReturnValue:
    """Ask for what choosing this profile takes."""
    wanted = profiles.own(context.db(), context.actor(), public_id)
    return _page(wanted, _wish(request.args.get("next", "")))


@guard.signed_in(_WHY)
def open_profile(public_id: str) -> ResponseReturnValue:
    db, actor = context.db(), context.actor()
    back = _wish(request.form.get("next", ""))
    try:
        wanted = profiles.own(db, actor, public_id)
    except NotFound:
        flash(_("That profile has been removed."), "bad")
        return redirect("/profiles", 303)
    try:
        switching.switch(
            db,
            context.settings(),
            actor,
            public_id,
            pin=request.form.get("pin", ""),
            account_pin=request.form.get("account_pin", ""),
        )
    except (InvalidInput, TooManyRequests) as error:
        return _page(wanted, back, error), error.status
    return _opened(wanted, back)


def _opened(wanted: Profile, back: str) -> ResponseReturnValue:
    response = redirect("/" if wanted.kids else back, 303)
    if wanted.rating_limit is not None:
        # Pictures may be kept for a day: those of before are not for everybody.
        response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _page(wanted: Profile, back: str, error: MatineeError | None = None) -> str:
    # Who has just come here has done nothing wrong yet.
    empty = error is not None and error.code == "pin.needed" and not _typed()
    return render_template(
        "profiles/open.html",
        profile=wanted,
        needed=watching.needed(context.db(), context.actor(), wanted),
        error=None if empty else error,
        field=error.details.get("field", "") if error else "",
        next=back,
    )


def _typed() -> bool:
    return any(request.form.get(each) for each in ("pin", "account_pin"))


def _asking(own: list[Profile]) -> frozenset[int]:
    """Return the profiles that take a PIN to open from the one that watches now."""
    leaves = g.signed_in.profile_chosen and g.signed_in.kids
    guarded = leaves and pins.guards(context.db(), g.signed_in.account_id)
    current = g.signed_in.profile_id if g.signed_in.profile_chosen else None
    asked = (each for each in own if each.locked or guarded)
    return frozenset(each.id for each in asked if each.id != current)


def _wish(text: str) -> str:
    """Return where to go afterwards: not to choosing once more."""
    path = local_path(text)
    return "/" if path.partition("?")[0] == "/profiles" else path
