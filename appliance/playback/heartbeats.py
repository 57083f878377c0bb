"""Heartbeats: what a player reports, and whether it may go on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from appliance.access.evaluate import Reason
from appliance.db import Database, write
from appliance.media import assets
from appliance.permissions import Actor
from appliance.playback import descriptor, permission, progress, ranges, sessions
from appliance.playback.addresses import Source
from appliance.playback.permission import Standing
from appliance.playback.ranges import Range
from appliance.playback.sessions import StopReason
from appliance.settings import Settings

_MISSED_WHILE_STILL = 60
_GROWING = ("buffering", "stalls", "startup")
_MOST_GROWN = 600.0
_SIGNED_OUT = frozenset({Reason.ACCOUNT_DISABLED, Reason.SIGNED_OUT})


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
    """What a player is told: fresh tokens and when to report, or why to stop.

    ``media_token`` and ``hosts`` take the place of those that the session was opened
    with; ``token`` opens the doors of licences. ``grown`` is for our own figures: what
    is new in those of the player since its last report.
    """

    media_token: str | None = field(repr=False)
    next: int
    stop_reason: StopReason | None = None
    token: str | None = field(default=None, repr=False)
    hosts: tuple[Source, ...] = field(default=(), repr=False)
    grown: Mapping[str, float] = field(default_factory=dict)


def heartbeat(
    db: Database, settings: Settings, actor: Actor, session: str, beat: Beat
) -> Answer:
    """Keep a session alive and its progress; say to stop when it may not go on.

    A report that comes late or twice (``seq`` not above the last one) keeps the
    session alive and changes nothing else. A profile with an age limit keeps no
    stream of another one alive. Errors: ``NotFound``, ``InvalidInput``.
    """
    standing = permission.standing(db, settings, session, actor.address)
    if standing.account_id != actor.account_id:
        raise sessions.missing()
    reason = _reason_to_stop(db, standing)
    limited = actor.rating_limit is not None
    if reason is None and limited and standing.profile_id != actor.profile_id:
        raise sessions.missing()
    grown: Mapping[str, float] = {}
    with write(db):
        if reason is None:
            reason, grown = _keep(db, settings, actor, standing, beat)
        else:
            sessions.end(db, actor, standing.row_id, session, reason)
    if reason is not None:
        return Answer(None, 0, reason)
    fresh = descriptor.fresh_tokens(db, settings, standing)
    every = settings.playback.heartbeat_seconds
    sources = descriptor.fresh_sources(settings, standing, fresh)
    return Answer(
        fresh.media, every, token=fresh.licence, hosts=sources.hosts, grown=grown
    )


def _reason_to_stop(db: Database, standing: Standing) -> StopReason | None:
    if standing.ended_at is not None:
        return StopReason(standing.end_reason)
    if standing.expires_at < db.now():
        return StopReason.EXPIRED
    if standing.decision.allowed:
        return None
    if _SIGNED_OUT.intersection(standing.decision.reasons):
        return StopReason.SIGNED_OUT
    return StopReason.NOT_AVAILABLE


def _keep(
    db: Database, settings: Settings, actor: Actor, standing: Standing, beat: Beat
) -> tuple[StopReason | None, Mapping[str, float]]:
    """Write what the player reports; return why the session has ended meanwhile.

    And what has grown of the figures that it reports.
    """
    row = db.one(_LAST, (standing.row_id,))
    if row is None:
        raise sessions.missing()
    if row["end_reason"]:
        return StopReason(row["end_reason"]), {}
    times = (db.now(), _expiry(db, settings, beat.state))
    if beat.seq <= row["last_seq"]:
        db.conn.execute(_STILL_THERE, (*times, standing.row_id))
        return None, {}
    position = min(max(0.0, beat.position), standing.duration)
    played = ranges.merged(
        [*map(tuple, json.loads(row["played"])), *beat.played_ranges]
    )
    db.conn.execute(
        _REPORTED,
        (
            *times,
            beat.seq,
            beat.state.value,
            json.dumps(dict(beat.quality)),
            json.dumps(played),
            position,
            standing.row_id,
        ),
    )
    # A player that stands still says nothing new: the profile may have gone on with
    # the film elsewhere, and that is the place to keep.
    if position != row["position"] and not standing.preview:
        watching = replace(actor, profile_id=standing.profile_id)
        film = assets.by_id(db, standing.asset_id)
        progress.save(db, settings, watching, film, position)
    return None, _grown(json.loads(row["quality"]), beat.quality)


def _grown(
    before: Mapping[str, float], now: Mapping[str, float]
) -> Mapping[str, float]:
    """Return by how much the counts of a player grew; none is believed too far."""
    found = {
        name: min(now.get(name, 0.0) - before.get(name, 0.0), _MOST_GROWN)
        for name in _GROWING
    }
    return {name: more for name, more in found.items() if more > 0}


def _expiry(db: Database, settings: Settings, state: PlayState) -> str:
    """Return when silence ends the session: a pause may be as long as a tea break.

    Browsers let a hidden page that plays nothing report once a minute only.
    """
    still = state in (PlayState.PAUSED, PlayState.ENDED)
    missed = _MISSED_WHILE_STILL if still else sessions.MISSED_HEARTBEATS
    return db.now(seconds=missed * settings.playback.heartbeat_seconds)


_LAST = """
select last_seq, played, position, quality, end_reason
from playback_sessions where id = ?
"""

_STILL_THERE = """
update playback_sessions set heartbeat_at = ?, expires_at = ? where id = ?
"""

_REPORTED = """
update playback_sessions
set heartbeat_at = ?,
    expires_at = ?,
    last_seq = ?,
    state = ?,
    quality = ?,
    played = ?,
    position = ?
where id = ?
"""
