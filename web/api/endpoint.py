"""One call of the API: what it is called by, who may, what it takes and gives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import marshmallow as ma

from appliance.permissions import Action
from web import guard

View = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One line of a module's table; ``place`` says where ``takes`` stands."""

    method: str
    rule: str
    view: View
    guard: Callable[[View], View]
    takes: type[ma.Schema] | None = None
    gives: type[ma.Schema] | None = None
    status: int = 200
    place: str = "json"


SEE, PLAY = guard.needs(Action.PORTAL_SEE), guard.needs(Action.PLAYBACK_OPEN)
STUDIO, CONTROL = guard.needs(Action.STUDIO_SEE), guard.needs(Action.JOB_CONTROL)
REVIEW = guard.needs(Action.REVIEW_DECIDE)
PROVES_ITSELF = guard.public("token: the body holds a name and a password")
JOINS = guard.public("token: the body holds a token for one use, or a credential")
NEEDS_NO_SESSION = (PROVES_ITSELF, JOINS)
