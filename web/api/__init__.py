"""The API under /api/v1: what other programs, and our own player, may ask for.

Each module beside this one ends with its table of calls, ``ENDPOINTS``.
"""

from functools import cache
from typing import Any

from flask import Flask
from flask_smorest import Blueprint

from web.api import (
    access,
    arranging,
    arriving,
    backups,
    captions,
    catalogue,
    description,
    discovery,
    groups,
    handling,
    house,
    making,
    nodes,
    people,
    playback,
    profiles,
    quality,
    system,
    telling,
    titles,
    tokens,
    watching,
)
from web.api.endpoint import NEEDS_NO_SESSION

_PREFIX = "/api/v1"
_SUBJECTS = (
    *(catalogue, people),
    *(tokens, titles, access, quality, playback, watching, profiles, making),
    *(handling, arriving),
    *(captions, house, telling, groups, discovery, arranging, nodes, system, backups),
)


def install(app: Flask) -> None:
    """Give the application the API and its description."""
    app.register_blueprint(_blueprint())
    description.serve(app, _blueprint(), f"{_PREFIX}/openapi.json")


@cache
def _blueprint() -> Any:
    blueprint = Blueprint("api", __name__, url_prefix=_PREFIX)
    blueprint.ARGUMENTS_PARSER = description.Parser()
    for each in (one for subject in _SUBJECTS for one in subject.ENDPOINTS):
        view = blueprint.response(each.status, each.gives)(each.view)
        if each.takes is not None:
            view = blueprint.arguments(each.takes, location=each.place)(view)
        if each.guard in NEEDS_NO_SESSION:
            view = blueprint.doc(security=[])(view)
        blueprint.add_url_rule(
            each.rule, view_func=each.guard(view), methods=[each.method]
        )
    return blueprint
