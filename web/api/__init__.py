"""The API under /api/v1: what other programs, and our own player, may ask for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import marshmallow as ma
from flask import Flask
from flask_smorest import Blueprint

from appliance.permissions import Action
from web import guard
from web.api import access, description, playback, schemas, titles, tokens

_PREFIX = "/api/v1"
_View = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """One line of the table: what is called how, by whom, with what, for what."""

    method: str
    rule: str
    view: _View
    guard: Callable[[_View], _View]
    takes: type[ma.Schema] | None = None
    gives: type[ma.Schema] | None = None
    status: int = 200
    place: str = "json"


_SEE, _PLAY = guard.needs(Action.PORTAL_SEE), guard.needs(Action.PLAYBACK_OPEN)
_PROVES_ITSELF = guard.public("token: the body holds a name and a password")
_SESSION = "/playback/<session>"
_PROGRESS = "/titles/<slug>/progress"

_ENDPOINTS = (
    _Endpoint(
        *("POST", "/auth/token", tokens.create_token, _PROVES_ITSELF),
        *(schemas.TokenRequest, schemas.Token, 201),
    ),
    _Endpoint(
        *("GET", "/titles", titles.list_titles, _SEE),
        *(schemas.TitlesQuery, schemas.Titles, 200, "query"),
    ),
    _Endpoint(
        *("GET", "/titles/<slug>", titles.show_title, _SEE),
        gives=schemas.Title,
    ),
    _Endpoint(
        *("GET", "/titles/<slug>/access", access.explain_access, _PLAY),
        *(schemas.AccessQuery, schemas.Access, 200, "query"),
    ),
    _Endpoint(
        *("GET", _PROGRESS, playback.show_progress, _PLAY),
        gives=schemas.Progress,
    ),
    _Endpoint(
        *("PUT", _PROGRESS, playback.save_progress, _PLAY),
        *(schemas.ProgressRequest, schemas.Progress),
    ),
    _Endpoint(
        *("DELETE", _PROGRESS, playback.hide_progress, _PLAY),
        status=204,
    ),
    _Endpoint(
        *("POST", "/playback", playback.open_playback, _PLAY),
        *(schemas.PlaybackRequest, schemas.Playback, 201),
    ),
    _Endpoint(
        *("GET", "/playback", playback.list_playback, _PLAY),
        gives=schemas.Streams,
    ),
    _Endpoint(
        *("POST", f"{_SESSION}/heartbeat", playback.heartbeat, _PLAY),
        *(schemas.Heartbeat, schemas.HeartbeatAnswer),
    ),
    _Endpoint(
        *("POST", f"{_SESSION}/stop", playback.stop_playback, _PLAY),
        status=204,
    ),
    _Endpoint(
        *("DELETE", _SESSION, playback.close_playback, _PLAY),
        status=204,
    ),
)


def install(app: Flask) -> None:
    """Give the application the API and its description."""
    described = description.describe(app)
    described.register_blueprint(_blueprint())
    description.serve(app, described, f"{_PREFIX}/openapi.json")


def _blueprint() -> Any:
    blueprint = Blueprint("api", __name__, url_prefix=_PREFIX)
    blueprint.ARGUMENTS_PARSER = description.Parser()
    for each in _ENDPOINTS:
        view = blueprint.response(each.status, each.gives)(each.view)
        if each.takes is not None:
            view = blueprint.arguments(each.takes, location=each.place)(view)
        if each.guard is _PROVES_ITSELF:
            view = blueprint.doc(security=[])(view)
        blueprint.add_url_rule(
            each.rule, view_func=each.guard(view), methods=[each.method]
        )
    return blueprint
