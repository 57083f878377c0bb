"""Every view declares who may call it; a view that does not stops the start.

``@guard.needs(Action.X)`` lets an actor pass whose roles allow X.
``@guard.signed_in(why)`` lets an actor pass who has not said yet who watches, and so
may nothing else. ``@guard.public(why)`` lets everybody pass and says why; a reason that
begins with ``token:`` says that the view asks for proof of its own, in the path or the
body.
Whoever calls with the session cookie must also send the CSRF token with anything but
GET, HEAD and OPTIONS.
"""

import hmac
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Flask, Request, current_app, g, redirect, request
from flask.globals import request_ctx
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf
from werkzeug.wrappers import Response as BaseResponse

from appliance.access import territory
from appliance.accounts import sessions
from appliance.accounts.sessions import SignedIn
from appliance.errors import Forbidden, MatineeError, Unauthenticated
from appliance.permissions import ANONYMOUS, Action, Actor, check
from web import context

COOKIE = "matinee_session"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_SIGNED_IN = "signed-in: "
_FOR_PROGRAMS = ("/api/", "/artwork/", "/preview/", "/studio/uploads")
_View = TypeVar("_View", bound=Callable[..., Any])
_csrf = CSRFProtect()


def needs(action: Action) -> Callable[[_View], _View]:
    """Let pass whoever has a role that allows ``action``."""
    return _mark(action)


def signed_in(why: str) -> Callable[[_View], _View]:
    """Let pass whoever is signed in, also before a profile is chosen."""
    return _mark(f"{_SIGNED_IN}{why}")


def public(why: str) -> Callable[[_View], _View]:
    """Let everybody pass; ``why`` says why that is right."""
    if not why:
        raise ValueError("a public view says why it is public")
    return _mark(why)


def install(app: Flask) -> None:
    """Find out who calls, and refuse what the view's guard does not allow."""
    app.session_interface = _FormCookie()
    _csrf.init_app(app)
    app.before_request(_enforce)


def require_everywhere(app: Flask) -> None:
    """Refuse to start with a view that no guard speaks of."""
    bare = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if not rule.endpoint.endswith("static")
        and not hasattr(app.view_functions[rule.endpoint], "matinee_guard")
    ]
    if bare:
        raise MatineeError(
            "guard.missing", f"These views declare no guard: {', '.join(bare)}."
        )


class _FormCookie(SecureCookieSessionInterface):
    """Flask's signed cookie, which only those not signed in and notes in passing need.

    Whoever does not send it is not made to pay for its signature.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        sent = "HTTP_COOKIE" in request.environ
        if not sent or self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)


def who() -> SignedIn:
    """Return who is signed in, for views that only they reach."""
    found: SignedIn | None = g.get("signed_in")
    if found is None:
        raise Unauthenticated("session.missing", "Please sign in first.")
    return found


def form_token() -> str:
    """Return what a form or a script of this page must send back.

    Of somebody signed in it is bound to the session, so that it needs no cookie of
    its own; before that it is Flask-WTF's.
    """
    if g.get("signed_in") is None:
        return str(generate_csrf())
    return _of_session(g.signed_in.session_id)


def _of_session(session_id: str) -> str:
    key = current_app.config["SECRET_KEY"]
    return hmac.new(key, f"form\n{session_id}".encode(), "sha256").hexdigest()


def _mark(value: Action | str) -> Callable[[_View], _View]:
    def decorate(view: _View) -> _View:
        view.matinee_guard = value  # type: ignore[attr-defined]
        return view

    return decorate


def _enforce() -> BaseResponse | None:
    here = request_ctx
    endpoint = here.request.endpoint
    if endpoint is None:
        # What says so is a page for whoever asks, in their language.
        _identify()
        return None
    if endpoint.endswith("static"):
        return None
    view = here.app.view_functions[endpoint]
    rule: Action | str = view.matinee_guard  # type: ignore[union-attr]
    if isinstance(rule, str) and rule.startswith("token:"):
        # The view asks for proof of its own: a cookie counts for nothing there, and
        # segments, which come by the thousand, need no look into the database.
        g.signed_in, g.actor = None, _stranger()
        return None
    by_token = _identify()
    if isinstance(rule, Action):
        if g.signed_in is not None and not g.signed_in.profile_chosen:
            return _ask_who_watches()
        check(context.actor(), rule)
    elif rule.startswith(_SIGNED_IN) and g.signed_in is None:
        raise Unauthenticated("session.missing", "Please sign in first.")
    if request.method not in _SAFE and not by_token:
        _protect_form()
    return None


def _ask_who_watches() -> BaseResponse:
    """Send people to the page that asks; programs are told."""
    if request.path.startswith(_FOR_PROGRAMS):
        raise Forbidden(
            "profile.choose",
            "Say first who is watching: choose a profile (PUT /api/v1/profile).",
        )
    back = request.full_path.rstrip("?") if request.method == "GET" else "/"
    return redirect(f"/profiles?{urlencode({'next': back})}", 303)


def _identify() -> bool:
    """Set ``g.actor`` and ``g.signed_in``; say whether a bearer token did it."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    bearer = value.strip() if scheme.lower() == "bearer" else ""
    token = bearer or request.cookies.get(COOKIE, "")
    g.signed_in = (
        sessions.resolve(context.db(), context.settings(), token) if token else None
    )
    g.actor = _actor(g.signed_in) if g.signed_in else _stranger()
    return bool(bearer)


def _actor(signed_in: SignedIn) -> Actor:
    address = _address()
    return signed_in.actor(address, territory.of_address(context.settings(), address))


def _stranger() -> Actor:
    return Actor(username=ANONYMOUS.username, address=_address())


def _address() -> str:
    return request.remote_addr or ""


def _protect_form() -> None:
    if g.signed_in is not None:
        sent = request.headers.get("X-CSRFToken") or request.form.get("csrf_token", "")
        if hmac.compare_digest(sent.encode(), form_token().encode()):
            return
    try:
        _csrf.protect()
    except CSRFError as error:
        raise Forbidden(
            "form.stale",
            "This page was open too long or came from elsewhere:"
            " reload it and try again.",
        ) from error
