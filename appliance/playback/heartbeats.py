"""Heartbeats: what a player reports, and whether it may go on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from appliance.access.evaluate import Reason
from appliance.catalog import titles
from appliance.db import Database, Row, write
from appliance.media import assets
from appliance.media.assets import Asset
from appliance.permissions import Actor
from appliance.playback import descriptor, progress, ranges, sessions
from appliance.playback.permission import decide
from appliance.playback.ranges import Range
from appliance.playback.sessions import StopReason
from appliance.settings import Settings

_MISSED_WHILE_STILL = 60


class PlayState(StrEnum):
    """What the player says it is doing."""

    PLAYING = "playing"
    PAUSED = "paused"
    BUFFERING = "buffering"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Beat:
    """What a player reports; ``seq`` counts up, times are seconds of the film."""

    seq: int
    position: float
    state: PlayState = PlayState.PLAYING
    played_ranges: tuple[Range, ...] = ()
    quality: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a player is told: a fresh token and when to report, or why to stop."""

    media_token: str | None
    next: int
    stop_reason: StopReason | None = None


def heartbeat(
    db: Database, settings: Settings, actor: Actor, session: str, beat: Beat
) -> Answer:
    """Keep a session alive and its progress; say to stop when it may not go on.

    A report that comes late or twice (``seq`` not above the last one) keeps the
    session alive and changes nothing else. Errors: ``NotFound``, ``InvalidInput``.
    """
    with write(db):
        row = sessions.of_actor(db, actor, session)
        reason = _reason_to_stop(db, actor, row)
        if reason is not None:
            sessions.end(db, actor, row, reason)
            return Answer(None, 0, reason)
        db.table("playback_sessions").update(
            row["id"],
            {"heartbeat_at": db.now(), "expires_at": _expiry(db, settings, beat.state)},
        )
        film = assets.by_id(db, row["asset_id"])
        if beat.seq > row["last_seq"]:
            _keep(db, settings, actor, row, film, beat)
    token = descriptor.media_token(
        db, settings, film.public_id, session, bool(row["swaps_tokens"])
    )
    return Answer(token, settings.playback.heartbeat_seconds)


def _expiry(db: Database, settings: Settings, state: PlayState) -> str:
    """Return when silence ends the session: a pause may be as long as a tea break.

    Browsers let a hidden page that plays nothing report once a minute only.
    """
    still = state in (PlayState.PAUSED, PlayState.ENDED)
    missed = _MISSED_WHILE_STILL if still else sessions.MISSED_HEARTBEATS
    return db.now(seconds=missed * settings.playback.heartbeat_seconds)


def _reason_to_stop(db: Database, actor: Actor, row: Row) -> StopReason | None:
    if row["ended_at"] is not None:
        return StopReason(row["end_reason"])
    if row["expires_at"] < db.now():
        return StopReason.EXPIRED
    film = assets.by_id(db, row["asset_id"])
    decision = decide(db, actor, titles.by_id(db, film.title_id))
    if decision.allowed:
        return None
    if Reason.ACCOUNT_DISABLED in decision.reasons:
        return StopReason.SIGNED_OUT
    return StopReason.NOT_AVAILABLE


def _keep(
    db: Database,
    settings: Settings,
    actor: Actor,
    row: Row,
    film: Asset,
    beat: Beat,
) -> None:
    position = min(max(0.0, beat.position), film.duration or 0.0)
    played = ranges.merged(
        [*map(tuple, json.loads(row["played"])), *beat.played_ranges]
    )
    db.table("playback_sessions").update(
        row["id"],
        {
            "last_seq": beat.seq,
            "state": beat.state.value,
            "quality": json.dumps(dict(beat.quality)),
            "played": json.dumps(played),
            "position": position,
        },
    )
    # A player that stands still says nothing new: the profile may have gone on with
    # the film elsewhere, and that is the place to keep.
    if position != row["position"]:
        watching = replace(actor, profile_id=row["profile_id"])
        progress.save(db, settings, watching, film, position)
