"""Security headers, set in one place on every answer."""

from flask import Flask, Response, request

from appliance import browser_policy

_HEADERS = browser_policy.headers()
# The address of a static file changes with what is in it.
_FOR_A_YEAR = "public, max-age=31536000, immutable"


def install(app: Flask) -> None:
    app.after_request(_set)


def _set(response: Response) -> Response:
    present = {name for name, _ in response.headers}
    for name, value in _HEADERS:
        if name not in present:
            response.headers.add(name, value)
    static = request.endpoint is None or request.endpoint.endswith("static")
    if static and response.status_code == 200 and "v" in request.args:
        response.headers["Cache-Control"] = _FOR_A_YEAR
    if not static and "Cache-Control" not in present:
        response.headers.add("Cache-Control", "private, no-cache")
    return response
