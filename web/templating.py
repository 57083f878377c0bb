"""What every template may use: icons, who is signed in, the mode, readable figures."""

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, g, request, url_for
from flask_babel import gettext

from appliance.errors import MatineeError
from web import context, guard, refusals
from web.icons import icon

TV_COOKIE = "matinee_tv"
_YEAR = 365 * 24 * 3600


def install(app: Flask) -> None:
    app.jinja_env.globals["icon"] = icon
    app.jinja_env.globals["url_for"] = address
    app.jinja_env.globals["csrf_token"] = guard.form_token
    app.jinja_env.filters["runtime"] = runtime
    app.jinja_env.filters["clock"] = clock
    app.jinja_env.filters["said"] = said
    app.context_processor(_everywhere)
    app.after_request(_remember_mode)


def address(endpoint: str, **values: Any) -> str:
    """Build an address; those of static files, a dozen on a page, are remembered.

    They carry the hash of what is in the file, so that a browser may keep them.
    """
    if endpoint != "static":
        return url_for(endpoint, **values)
    filename = values["filename"]
    path = f"{current_app.static_folder}/{filename}"
    try:
        changed = os.stat(path).st_mtime_ns  # noqa: PTH116 a dozen on each page
    except OSError:
        changed = 0
    return _static(request.script_root, filename, path, changed)


@lru_cache(maxsize=512)
def _static(_root: str, filename: str, path: str, changed: int) -> str:
    # A style sheet names its fonts itself: under two addresses they would come twice.
    if not changed or filename.endswith(".woff2"):
        return url_for("static", filename=filename)
    version = hashlib.sha256(Path(path).read_bytes()).hexdigest()[:12]
    return url_for("static", filename=filename, v=version)


def runtime(seconds: float | None) -> str:
    """Write a length as people say it: ``1 h 52 min``, ``9 min``, ``40 s``."""
    if not seconds:
        return ""
    if seconds < 60:
        return str(gettext("%(seconds)s s", seconds=max(1, round(seconds))))
    hours, minutes = divmod(round(seconds / 60), 60)
    if not hours:
        return str(gettext("%(minutes)s min", minutes=minutes))
    if not minutes:
        return str(gettext("%(hours)s h", hours=hours))
    return str(gettext("%(hours)s h %(minutes)s min", hours=hours, minutes=minutes))


def clock(seconds: float) -> str:
    """Write a place in a film as a player does: ``1:04:09``, ``4:09``."""
    hours, rest = divmod(int(seconds), 3600)
    minutes, second = divmod(rest, 60)
    if hours:
        return f"{hours}:{minutes:02}:{second:02}"
    return f"{minutes}:{second:02}"


def _everywhere() -> dict[str, Any]:
    return {
        "actor": context.actor(),
        "signed_in": g.get("signed_in"),
        "csrf_token": guard.form_token,
        "mode": mode(),
    }


def said(error: MatineeError | None) -> str:
    """Write a refusal as its reader is told it; nothing where nothing was refused."""
    return refusals.said(error) if error else ""


def mode() -> str:
    """Say what the page is drawn for: ``tv`` or ``screen``."""
    return "tv" if _on_tv() else "screen"


def _on_tv() -> bool:
    if not request.query_string and TV_COOKIE not in request.cookies:
        return False
    return request.args.get("tv", request.cookies.get(TV_COOKIE)) == "1"


def _remember_mode(response: Response) -> Response:
    """Keep ``?tv=1`` for the pages that follow; ``?tv=0`` goes back."""
    if request.query_string and "tv" in request.args:
        response.set_cookie(
            TV_COOKIE,
            "1" if _on_tv() else "0",
            max_age=_YEAR,
            samesite="Lax",
            httponly=True,
            secure=context.settings().web.secure_cookies,
        )
    return response
