"""What a player shows beside the film: what is said in it, and what comes next."""

from typing import Any

from appliance.objects import Stores
from appliance.playback import around, transcript
from appliance.playback.transcript import Transcript
from web import context, places
from web.api import watching_schemas
from web.api.endpoint import PLAY, Endpoint


def show_transcript(query: dict[str, Any], slug: str) -> Transcript:
    """Show what is said in a title, and when, for whoever may watch it now."""
    return transcript.of_title(
        context.db(),
        context.settings(),
        Stores(context.storage(), context.settings()),
        context.actor(),
        slug,
        query["language"],
    )


def show_around(slug: str) -> dict[str, Any]:
    """Show the series of a title, and the episodes before and after it."""
    found = around.of_title(context.db(), context.actor(), slug)
    return places.around(places.told(found))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/titles/<slug>/transcript",
        show_transcript,
        PLAY,
        takes=watching_schemas.TranscriptQuery,
        gives=watching_schemas.Transcript,
        place="query",
    ),
    Endpoint(
        "GET", "/titles/<slug>/around", show_around, PLAY, gives=watching_schemas.Around
    ),
)
