"""What nginx-vod-module asks: which files belong to a film, and which key.

Nobody else gets an answer: no nginx of ours passes these addresses on, and what comes
from another machine, through a proxy, or without the secret of this installation finds
nothing here.
"""

import hmac

from flask import Blueprint, Response, abort, current_app, request

from appliance import keyring
from web import context
from web.internal import films

HEADER = "X-Matinee-Internal"
_KEPT = "matinee.internal"
_HERE = ("", "127.0.0.1", "::1")
_PROXIED = ("X-Forwarded-For", "X-Forwarded-Host", "Forwarded")

blueprint = Blueprint("internal", __name__, url_prefix="/internal")

for _rule, _view in (
    ("/map/<asset>", films.whole),
    ("/map/<asset>/<track>", films.protected),
    ("/clear/<asset>/<track>", films.clear),
    ("/drm/<asset>/<track>", films.drm),
):
    blueprint.add_url_rule(_rule, view_func=_view, methods=["GET"])


@blueprint.before_request
def _only_nginx() -> None:
    """Let nobody know that there is anything, unless it is our own nginx."""
    # What the machine itself says of its other end, whatever proxies are trusted.
    proxied = request.environ.get("werkzeug.proxy_fix.orig", request.environ)
    address = proxied.get("REMOTE_ADDR") or ""
    sent = request.headers.get(HEADER, "")
    if (
        address not in _HERE
        or any(name in request.headers for name in _PROXIED)
        or not hmac.compare_digest(sent.encode(), _secret().encode())
    ):
        abort(404)


@blueprint.after_request
def _kept_nowhere(response: Response) -> Response:
    """Let no other cache than nginx's own, which does not ask, keep an answer."""
    response.headers["Cache-Control"] = "no-store"
    return response


def _secret() -> str:
    here = current_app.extensions
    if _KEPT not in here:
        here[_KEPT] = keyring.key(context.settings().keys, "internal").hex()
    return str(here[_KEPT])
