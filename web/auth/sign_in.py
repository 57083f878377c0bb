"""Sign in, with a second screen for the second factor, and sign out."""

from flask import flash, g, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from appliance.accounts import credentials, recovery, sessions
from appliance.accounts.credentials import Proven
from appliance.errors import MatineeError, TooManyRequests, Unauthenticated
from web import context, guard
from web.auth import cookies
from web.auth.redirects import local_path

_PENDING = "sign_in"
_MINUTES = 5


@guard.public("Whoever is not signed in signs in here.")
def login_page() -> ResponseReturnValue:
    back = local_path(request.args.get("next", ""))
    if g.signed_in:
        return redirect(back)
    return render_template("auth/login.html", next=back)


@guard.public("Whoever is not signed in signs in here.")
def login() -> ResponseReturnValue:
    username, back = request.form.get("username", ""), request.form.get("next", "")
    try:
        proven = credentials.password(
            context.db(),
            context.settings(),
            username,
            request.form.get("password", ""),
            address=context.actor().address,
            device=cookies.device_note(),
        )
    except (Unauthenticated, TooManyRequests) as error:
        page = render_template(
            "auth/login.html", next=local_path(back), username=username, error=error
        )
        return _refused(page, error)
    if proven.needs_code:
        _wait_for_code(proven, back)
        return redirect("/login/code")
    return enter(proven.account_id, proven.public_id, back)


@guard.public("Whoever has given the password gives the code here.")
def code_page() -> ResponseReturnValue:
    _pending()
    return render_template("auth/code.html")


@guard.public("Whoever has given the password gives the code here.")
def code() -> ResponseReturnValue:
    proven, back = _pending()
    text = request.form.get("code", "")
    try:
        credentials.code(
            context.db(),
            context.settings(),
            proven,
            text,
            address=context.actor().address,
            device=cookies.device_note(),
        )
    except (Unauthenticated, TooManyRequests) as error:
        by_recovery = "recovery" in request.form
        page = render_template("auth/code.html", error=error, by_recovery=by_recovery)
        return _refused(page, error)
    response = enter(proven.account_id, proven.public_id, back)
    if not text.strip().replace(" ", "").isdigit():
        _tell_codes_left(proven)
    return response


@guard.public("Signing out works for a session that has ended, too.")
def logout() -> ResponseReturnValue:
    if g.signed_in:
        sessions.revoke(context.db(), context.actor(), g.signed_in.session_id)
    session.clear()
    flash(_("You are signed out."), "ok")
    response = redirect("/login")
    cookies.take_session(response)
    return response


def enter(account_id: int, public_id: str, back: str) -> ResponseReturnValue:
    """Open a session for who has proved it, and go where they wanted to."""
    token, _ = sessions.start(
        context.db(),
        context.settings(),
        account_id,
        address=context.actor().address,
        user_agent=request.user_agent.string,
        replaces=cookies.session_token(),
    )
    # A form token planted before signing in is worth nothing after.
    session.clear()
    response = redirect(local_path(back))
    cookies.give(response, token, public_id)
    return response


def _wait_for_code(proven: Proven, back: str) -> None:
    session[_PENDING] = {
        "account": proven.public_id,
        "stamp": proven.stamp,
        "next": back,
        "until": context.db().now(minutes=_MINUTES),
    }


def _pending() -> tuple[Proven, str]:
    """Return whose password was right a few minutes ago, and where they go."""
    waiting = session.get(_PENDING)
    if waiting is None or waiting["until"] <= context.db().now():
        raise Unauthenticated("sign-in.expired", "Please sign in again.")
    proven = credentials.resume(context.db(), waiting["account"], waiting["stamp"])
    return proven, waiting["next"]


def _refused(page: str, error: MatineeError) -> ResponseReturnValue:
    wait = error.details.get("retry_after")
    headers = {"Retry-After": str(wait)} if wait else {}
    return page, error.status, headers


def _tell_codes_left(proven: Proven) -> None:
    left = recovery.left(context.db(), proven.account_id)
    flash(
        ngettext(
            "That recovery code is used up; %(num)s is left. New ones are under My"
            " account.",
            "That recovery code is used up; %(num)s are left. New ones are under My"
            " account.",
            left,
        ),
        "info",
    )
