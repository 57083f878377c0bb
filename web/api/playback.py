"""Playing: sessions, heartbeats, and where the profile stopped."""

from functools import partial
from typing import Any

from flask import Response, after_this_request, request

from appliance.catalog import titles
from appliance.errors import Conflict
from appliance.media import assets
from appliance.media.assets import Asset
from appliance.playback import heartbeats, progress, sessions, streams
from appliance.playback.addresses import Cookies
from appliance.playback.descriptor import Descriptor
from appliance.playback.heartbeats import Answer, Beat
from appliance.playback.permission import viewer
from appliance.playback.progress import Progress
from web import context
from web.api import schemas
from web.api.endpoint import PLAY, Endpoint
from web.monitoring import watching


def open_playback(given: dict[str, Any]) -> Descriptor:
    """Open a playback session for a title or an asset.

    409 ``playback.limit`` lists what the account plays already, so that one can be
    stopped.
    """
    opened = sessions.open(
        context.db(),
        context.settings(),
        context.actor(),
        user_agent=request.user_agent.string,
        **given,
    )
    if opened.cookies is not None:
        after_this_request(partial(_set_cookies, opened.cookies))
    return opened


def list_playback() -> dict[str, Any]:
    """List what the account plays now, on whatever device."""
    actor = context.actor()
    account_id, _profile_id = viewer(actor)
    playing = streams.of_account(context.db(), account_id)
    return {"active": [each.told(actor) for each in playing]}


def heartbeat(given: dict[str, Any], session: str) -> Answer:
    """Report what the player does; learn whether it may go on.

    The answer carries fresh tokens, or the reason to stop.
    """
    beat = Beat(
        seq=given["seq"],
        position=given["position"],
        state=given["state"],
        played_ranges=tuple((begin, end) for begin, end in given["played_ranges"]),
        quality=given["quality"],
    )
    answer = heartbeats.heartbeat(
        context.db(), context.settings(), context.actor(), session, beat
    )
    watching.count(answer.grown)
    return answer


def close_playback(session: str) -> None:
    """End a playback session, as its own player does."""
    sessions.close(context.db(), context.actor(), session)


def stop_playback(session: str) -> None:
    """End a playback session of the account from another device."""
    sessions.stop(context.db(), context.actor(), session)


def show_progress(slug: str) -> dict[str, Any]:
    """Show where the profile stopped in a title."""
    film = _film(slug)
    return _shown(film, progress.of_asset(context.db(), context.actor(), film.id))


def save_progress(given: dict[str, Any], slug: str) -> dict[str, Any]:
    """Set where the profile stands in a title."""
    film = _film(slug)
    saved = progress.save(
        context.db(), context.settings(), context.actor(), film, given["position"]
    )
    return _shown(film, saved)


def hide_progress(slug: str) -> None:
    """Take a title out of “Continue watching”."""
    progress.hide(context.db(), context.actor(), _film(slug).id)


def _set_cookies(cookies: Cookies, response: Response) -> Response:
    """Give the browser what opens a CDN, for a player that can add it to nothing."""
    for name, value in cookies.values.items():
        response.set_cookie(
            name,
            value,
            domain=cookies.domain,
            path=cookies.path,
            expires=cookies.expires,
            secure=True,
            httponly=True,
            samesite="Lax",
        )
    return response


def _film(slug: str) -> Asset:
    title = titles.by_slug(context.db(), context.actor(), slug)
    film = assets.playable(context.db(), title.id)
    if film is None:
        raise Conflict(
            "playback.not-ready", f"“{title.name}” has no film that can be played yet."
        )
    return film


def _shown(film: Asset, kept: Progress | None) -> dict[str, Any]:
    return {
        "position": kept.position if kept else 0.0,
        "duration": film.duration or 0.0,
        "finished": kept is not None and kept.finished,
        "hidden": kept is not None and kept.hidden,
        "resume_at": progress.resume_at(context.settings(), kept),
        "updated_at": kept.updated_at if kept else None,
    }


ENDPOINTS = (
    Endpoint(
        "GET", "/titles/<slug>/progress", show_progress, PLAY, gives=schemas.Progress
    ),
    Endpoint(
        "PUT",
        "/titles/<slug>/progress",
        save_progress,
        PLAY,
        takes=schemas.ProgressRequest,
        gives=schemas.Progress,
    ),
    Endpoint("DELETE", "/titles/<slug>/progress", hide_progress, PLAY, status=204),
    Endpoint(
        "POST",
        "/playback",
        open_playback,
        PLAY,
        takes=schemas.PlaybackRequest,
        gives=schemas.Playback,
        status=201,
    ),
    Endpoint("GET", "/playback", list_playback, PLAY, gives=schemas.Streams),
    Endpoint(
        "POST",
        "/playback/<session>/heartbeat",
        heartbeat,
        PLAY,
        takes=schemas.Heartbeat,
        gives=schemas.HeartbeatAnswer,
    ),
    Endpoint("POST", "/playback/<session>/stop", stop_playback, PLAY, status=204),
    Endpoint("DELETE", "/playback/<session>", close_playback, PLAY, status=204),
)
