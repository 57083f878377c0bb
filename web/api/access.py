"""May somebody watch a title, and why not: the answer of the one evaluator."""

from typing import Any

from appliance.permissions import Action
from appliance.playback import explanation
from web import context
from web.api import schemas
from web.api.endpoint import PLAY, Endpoint


def explain_access(query: dict[str, Any], slug: str) -> dict[str, Any]:
    """Say whether the caller may watch a title, with every reason why not.

    Whoever may explain access asks about any account, address and time, and is told
    which rights and windows were considered.
    """
    actor = context.actor()
    found = explanation.explain(
        context.db(),
        context.settings(),
        actor,
        query["account"] or actor.username,
        slug,
        profile=query["profile"],
        address=query["address"],
        at=query["at"],
    )
    return explanation.told(found, everything=actor.may(Action.ACCESS_EXPLAIN))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/titles/<slug>/access",
        explain_access,
        PLAY,
        takes=schemas.AccessQuery,
        gives=schemas.Access,
        place="query",
    ),
)
