"""Playback sessions: opened when access is granted, ended by player, time or us."""

import secrets
from dataclasses import replace
from enum import StrEnum

from appliance.access.evaluate import Decision
from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.db import Database, Row, write
from appliance.errors import Conflict, Forbidden, InvalidInput, NotFound
from appliance.events import Event, record
from appliance.media import assets
from appliance.media.assets import Asset, AssetState
from appliance.permissions import SYSTEM, Actor
from appliance.playback import descriptor
from appliance.playback.descriptor import Descriptor
from appliance.playback.permission import decide, viewer
from appliance.settings import Settings

MISSED_HEARTBEATS = 3


class StopReason(StrEnum):
    """Why a player must stop: what its page tells the viewer hangs on it."""

    CLOSED = "closed"
    EXPIRED = "expired"
    SIGNED_OUT = "signed-out"
    NOT_AVAILABLE = "not-available"


def open(
    db: Database,
    settings: Settings,
    actor: Actor,
    *,
    title: str = "",
    asset: str = "",
    profile: str = "",
    device: str = "",
    swaps: bool = True,
) -> Descriptor:
    """Open a session for a title (slug) or an asset (public id).

    ``profile`` is a public id of the account's own, else the one signed in watches.
    ``swaps`` says that the player can put a fresh media token into its requests; one
    that cannot gets a token that lives for hours.
    Errors: ``NotFound``, ``Forbidden`` with every reason in its details, ``Conflict``
    while there is no film to play.
    """
    account_id, _profile_id = viewer(actor)
    shown, film = _film(db, actor, title, asset)
    decision = decide(db, actor, shown)
    if not decision.allowed:
        _refuse(db, actor, shown, decision)
    watching = _as_profile(db, actor, profile)
    session = secrets.token_hex(8)
    with write(db):
        row = {
            "public_id": session,
            "account_id": account_id,
            "profile_id": watching.profile_id,
            "asset_id": film.id,
            "device": device[:200],
            "swaps_tokens": int(swaps),
            "started_at": db.now(),
            "heartbeat_at": db.now(),
            "expires_at": db.now(
                seconds=MISSED_HEARTBEATS * settings.playback.heartbeat_seconds
            ),
        }
        db.table("playback_sessions").insert(row)
        record(
            db,
            actor,
            Event.PLAYBACK_START,
            f"playback/{session}",
            title=shown.slug,
            device=device[:200],
        )
    return descriptor.describe(db, settings, watching, shown, film, session, swaps)


def close(db: Database, actor: Actor, session: str) -> None:
    """End a session, as its player does at the end; doing it again changes nothing."""
    with write(db):
        end(db, actor, of_actor(db, actor, session), StopReason.CLOSED)


def expire(db: Database) -> int:
    """End every session that missed its heartbeats; return how many."""
    with write(db):
        rows = db.rows(
            """
            select * from playback_sessions
            where ended_at is null and expires_at < ?
            """,
            (db.now(),),
        )
        for row in rows:
            end(db, SYSTEM, row, StopReason.EXPIRED)
    return len(rows)


def of_actor(db: Database, actor: Actor, session: str) -> Row:
    """Return the row of a session of the actor's account. Errors: ``NotFound``."""
    row = db.one(
        "select * from playback_sessions where public_id = ? and account_id = ?",
        (session, actor.account_id),
    )
    if row is None:
        raise NotFound("playback.missing", "There is no such playback session.")
    return row


def end(db: Database, actor: Actor, row: Row, reason: StopReason) -> None:
    """End a session inside the transaction that is open; once is enough."""
    if row["ended_at"] is not None:
        return
    db.conn.execute(
        "update playback_sessions set ended_at = ?, end_reason = ? where id = ?",
        (db.now(), reason.value, row["id"]),
    )
    record(
        db,
        actor,
        Event.PLAYBACK_END,
        f"playback/{row['public_id']}",
        reason=reason.value,
    )


def _film(db: Database, actor: Actor, title: str, asset: str) -> tuple[Title, Asset]:
    if bool(title) == bool(asset):
        raise InvalidInput(
            "playback.what", "Name a title or an asset to play, and not both."
        )
    if title:
        shown = titles.by_slug(db, actor, title)
        film = assets.playable(db, shown.id)
    else:
        film = assets.by_public_id(db, asset)
        slug = titles.by_id(db, film.title_id).slug
        shown = titles.by_slug(db, actor, slug)
    if film is None or film.state is not AssetState.READY:
        raise Conflict(
            "playback.not-ready", f"“{shown.name}” has no film that can be played yet."
        )
    return shown, film


def _refuse(db: Database, actor: Actor, title: Title, decision: Decision) -> None:
    reasons = [each.value for each in decision.reasons]
    with write(db):
        record(
            db,
            actor,
            Event.PLAYBACK_REFUSE,
            f"title/{title.public_id}",
            reasons=reasons,
        )
    raise Forbidden("playback.refused", decision.sentence, {"reasons": reasons})


def _as_profile(db: Database, actor: Actor, profile: str) -> Actor:
    """Return the actor with the profile that watches, one of the account's own."""
    if not profile:
        return actor
    profile_id = db.value(
        "select id from profiles where public_id = ? and account_id = ?",
        (profile, actor.account_id),
    )
    if profile_id is None:
        raise NotFound("profile.missing", "This account has no such profile.")
    return replace(actor, profile_id=profile_id)
