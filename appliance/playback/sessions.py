"""Playback sessions: opened when access is granted, ended by player, time or us."""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum

from appliance.access.evaluate import Limits
from appliance.accounts import profiles
from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.db import Database, Row, write
from appliance.errors import Conflict, Forbidden, InvalidInput, NotFound
from appliance.events import Event, record
from appliance.media import assets
from appliance.media.assets import Asset, AssetState
from appliance.permissions import SYSTEM, Action, Actor, check, check_title
from appliance.playback import descriptor, streams
from appliance.playback.descriptor import Descriptor
from appliance.playback.permission import decide, standing, viewer
from appliance.playback.streams import Full, Quality, Room
from appliance.settings import Settings

MISSED_HEARTBEATS = 3


class StopReason(StrEnum):
    """Why a player must stop: what its page tells the viewer hangs on it."""

    CLOSED = "closed"
    EXPIRED = "expired"
    SIGNED_OUT = "signed-out"
    NOT_AVAILABLE = "not-available"
    ELSEWHERE = "elsewhere"
    SWITCHED = "switched"
    TERMINATED = "terminated"
    REPLACED = "replaced"


def open(
    db: Database,
    settings: Settings,
    actor: Actor,
    *,
    title: str = "",
    asset: str = "",
    profile: str = "",
    device: str = "",
    user_agent: str = "",
    replaces: str = "",
    swaps: bool = True,
    preview: bool = False,
) -> Descriptor:
    """Open a session for a title (slug) or an asset (public id).

    ``profile`` is a public id of the account's own, else the one signed in watches.
    ``swaps`` says that the player can put a fresh media token into its requests; one
    that cannot gets a token that lives for hours. ``replaces`` is the session that
    this player had before: it ends, whatever comes of the new one. A ``preview`` is
    for who works on the title: it neither counts as a stream nor moves a position.
    Errors: ``NotFound``, ``Forbidden`` with every reason in its details, ``Conflict``
    while there is no film to play ("playback.not-ready"), or as many streams as the
    account may have, which stand in its details ("playback.limit").
    """
    viewer(actor)
    shown, film = _film(db, actor, title, asset)
    watching = _as_profile(db, actor, profile)
    if preview:
        check_title(actor, shown.created_by)
    decision = decide(db, settings, watching, shown)
    if not decision.allowed:
        reasons = [each.value for each in decision.reasons]
        _refuse(db, actor, shown, reasons)
        raise Forbidden("playback.refused", decision.sentence, decision.details)
    session = secrets.token_hex(8)
    row = {
        "public_id": session,
        "account_id": watching.account_id,
        "profile_id": watching.profile_id,
        "asset_id": film.id,
        "device": _printable(device)[:200],
        "swaps_tokens": int(swaps),
        "sign_in": actor.session,
        "address": actor.address,
        "user_agent": _printable(user_agent)[:300],
        "preview": int(preview),
    }
    _claim(db, settings, actor, shown, row, decision.limits, replaces)
    now = standing(db, settings, session, actor.address)
    return descriptor.describe(db, settings, watching, now)


def close(db: Database, actor: Actor, session: str) -> None:
    """End a session, as its player does at the end; doing it again changes nothing."""
    _end_own(db, actor, session, StopReason.CLOSED)


def stop(db: Database, actor: Actor, session: str) -> None:
    """End a session of the actor's account from elsewhere. Errors: ``NotFound``."""
    _end_own(db, actor, session, StopReason.ELSEWHERE)


def terminate(db: Database, actor: Actor, session: str) -> None:
    """End anybody's session; its player stops within one life of its tokens.

    Errors: ``Forbidden``, ``NotFound``, ``Conflict`` when it has ended already.
    """
    check(actor, Action.PLAYBACK_MANAGE)
    with write(db):
        row = _row(db, session)
        if row is None:
            raise missing()
        if row["ended_at"] is not None:
            raise Conflict("playback.ended", "This playback session has ended already.")
        end(db, actor, row["id"], session, StopReason.TERMINATED)


def end_of_asset(db: Database, actor: Actor, asset_id: int, reason: StopReason) -> int:
    """End every session of an asset, in the transaction that is open; say how many."""
    rows = db.rows(
        """
        select id, public_id from playback_sessions
        where asset_id = ? and ended_at is null
        """,
        (asset_id,),
    )
    return _end_all(db, actor, rows, reason)


def end_of_others(db: Database, actor: Actor) -> int:
    """End what other profiles play with the sign-in of the actor; say how many.

    Whoever sits in front of the device is somebody else now.
    """
    with write(db):
        rows = db.rows(
            """
            select id, public_id from playback_sessions
            where sign_in = ? and profile_id != ? and ended_at is null
            """,
            (actor.session, actor.profile_id),
        )
        return _end_all(db, actor, rows, StopReason.SWITCHED)


def watched_since(db: Database) -> dict[int, str]:
    """Return since when somebody watches, by the inner key of the asset."""
    rows = db.rows(
        """
        select asset_id, min(started_at) as since from playback_sessions
        where ended_at is null group by asset_id
        """
    )
    return {row["asset_id"]: row["since"] for row in rows}


def expire(db: Database) -> int:
    """End every session that missed its heartbeats or was signed out; say how many."""
    with write(db):
        now = {"now": db.now()}
        signed_out = _end_all(
            db, SYSTEM, db.rows(_SIGNED_OUT, now), StopReason.SIGNED_OUT
        )
        silent = _end_all(db, SYSTEM, db.rows(_SILENT, now), StopReason.EXPIRED)
    return signed_out + silent


def end(
    db: Database, actor: Actor, row_id: int, session: str, reason: StopReason
) -> bool:
    """End a session inside the transaction that is open; say whether it was live."""
    ended = db.conn.execute(
        """
        update playback_sessions set ended_at = ?, end_reason = ?
        where id = ? and ended_at is null
        """,
        (db.now(), reason.value, row_id),
    )
    if not ended.rowcount:
        return False
    record(db, actor, Event.PLAYBACK_END, f"playback/{session}", reason=reason.value)
    return True


def missing() -> NotFound:
    """Return the error for a session that does not exist, or is somebody else's."""
    return NotFound("playback.missing", "There is no such playback session.")


_SILENT = """
select id, public_id from playback_sessions
where ended_at is null and expires_at < :now
"""

_SIGNED_OUT = """
select p.id, p.public_id
from playback_sessions p
left join sessions s on s.public_id = p.sign_in
where p.ended_at is null
    and p.sign_in != ''
    and (s.id is null or s.revoked_at is not null or s.expires_at <= :now)
"""


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


def _as_profile(db: Database, actor: Actor, profile: str) -> Actor:
    """Return the actor with the profile that watches, one of the account's own.

    What it takes to go to another profile is asked where that is chosen: here only
    those are free to use that take nothing.
    """
    wanted = profiles.own(db, actor, profile) if profile else None
    if wanted is None or wanted.id == actor.profile_id:
        return actor
    if wanted.locked or not actor.may(Action.ACCOUNT_OWN):
        raise Forbidden(
            "profile.locked", "Choose this profile first: it takes a PIN to open it."
        )
    return replace(actor, profile_id=wanted.id)


def _printable(text: str) -> str:
    """Return what a stranger's player calls itself, fit for a terminal."""
    return "".join(each for each in text if each.isprintable())


def _claim(
    db: Database,
    settings: Settings,
    actor: Actor,
    title: Title,
    row: Row,
    limits: Limits,
    replaces: str,
) -> None:
    """Write the session's row, if there is room for one more stream.

    One transaction counts and inserts, so that starts at one moment take turns.
    Errors: ``Conflict``.
    """
    with write(db):
        _end_replaced(db, actor, replaces)
        room = _room(db, row, limits)
        if isinstance(room, Full):
            _refuse(db, actor, title, [f"limit-{room.quality}"])
        else:
            _insert(db, settings, row, room)
            subject, device = f"playback/{row['public_id']}", row["device"]
            record(
                db,
                actor,
                Event.PLAYBACK_START,
                subject,
                title=title.slug,
                device=device,
                **({"preview": True} if row["preview"] else {}),
            )
    # Only here, so that what was replaced has ended and the refusal is on record.
    if isinstance(room, Full):
        raise _no_room(actor, room)


def _room(db: Database, row: Row, limits: Limits) -> Room | Full:
    if row["preview"]:
        return Room(limits.max_height, uhd=False)
    return streams.room(db, row["account_id"], limits, row["asset_id"])


def _insert(db: Database, settings: Settings, row: Row, room: Room) -> None:
    silence = MISSED_HEARTBEATS * settings.playback.heartbeat_seconds
    limits_and_times = {
        "max_height": room.max_height,
        "uhd": int(room.uhd),
        "started_at": db.now(),
        "heartbeat_at": db.now(),
        "expires_at": db.now(seconds=silence),
    }
    db.table("playback_sessions").insert(row | limits_and_times)


def _end_replaced(db: Database, actor: Actor, session: str) -> None:
    """End what the player had before; what is not the account's own is left alone."""
    row = _row(db, session) if session else None
    if row is not None and row["account_id"] == actor.account_id:
        end(db, actor, row["id"], session, StopReason.CLOSED)


def _end_own(db: Database, actor: Actor, session: str, reason: StopReason) -> None:
    row = _row(db, session)
    if row is None or row["account_id"] != actor.account_id:
        raise missing()
    # A page that is left says so more than once: only the first needs the lock.
    if row["ended_at"] is None:
        with write(db):
            end(db, actor, row["id"], session, reason)


def _end_all(
    db: Database, actor: Actor, rows: Iterable[Row], reason: StopReason
) -> int:
    return sum(end(db, actor, each["id"], each["public_id"], reason) for each in rows)


def _row(db: Database, session: str) -> Row | None:
    return db.one(
        "select id, account_id, ended_at from playback_sessions where public_id = ?",
        (session,),
    )


def _refuse(db: Database, actor: Actor, title: Title, reasons: list[str]) -> None:
    with write(db):
        subject = f"title/{title.public_id}"
        record(db, actor, Event.PLAYBACK_REFUSE, subject, reasons=reasons)


def _no_room(actor: Actor, full: Full) -> Conflict:
    films = "one film" if full.limit == 1 else f"{full.limit} films"
    sharp = " sharper than 1080p" if full.quality is Quality.UHD else ""
    return Conflict(
        "playback.limit",
        f"Your account can play {films}{sharp} at once. Stop one to watch here.",
        {
            "limit": full.limit,
            "quality": full.quality.value,
            "active": [each.told(actor) for each in full.active],
        },
    )
