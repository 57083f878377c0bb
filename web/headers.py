"""Security headers, set in one place on every answer."""

from functools import partial

from flask import Flask, Response, request

from appliance import browser_policy
from appliance.delivery import routes
from appliance.settings import Settings

# The address of a static file changes with what is in it.
_FOR_A_YEAR = "public, max-age=31536000, immutable"


def install(app: Flask, settings: Settings) -> None:
    policy = browser_policy.headers(routes.hosts(settings))
    app.after_request(partial(_set, policy))


def _set(policy: tuple[tuple[str, str], ...], response: Response) -> Response:
    present = {name for name, _ in response.headers}
    for name, value in policy:
        if name not in present:
            response.headers.add(name, value)
    static = request.endpoint is None or request.endpoint.endswith("static")
    if static and response.status_code == 200 and "v" in request.args:
        response.headers["Cache-Control"] = _FOR_A_YEAR
    if not static and "Cache-Control" not in present:
        response.headers.add("Cache-Control", "private, no-cache")
    return response
