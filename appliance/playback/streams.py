"""What plays now: the sessions that count, and how many an account may have at once."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from appliance import cenc
from appliance.access.evaluate import Limits
from appliance.cenc import Label
from appliance.db import Database, Row
from appliance.errors import NotFound
from appliance.permissions import Action, Actor, check

_HD = cenc.highest(Label.HD) or 0


class Quality(StrEnum):
    """Which streams a limit is about."""

    ANY = "any"
    UHD = "uhd"


@dataclass(frozen=True, slots=True)
class Stream:
    """Somebody watches something; times are UTC text.

    ``height`` is what the player last said it shows, ``uhd`` that the stream counts
    as one beyond 1080p, ``sign_in`` the public id of the session it was opened from,
    ``age`` from which age on the title may be watched (None: nobody knows).
    A ``preview`` is seen by who works on the title, and does not count.
    """

    session: str
    account: str
    viewer: str
    profile: str
    title: str
    name: str
    device: str
    address: str
    user_agent: str
    started_at: str
    heartbeat_at: str
    state: str
    height: int | None
    uhd: bool
    sign_in: str
    preview: bool
    age: int | None = None

    @property
    def quality(self) -> str:
        """What is shown, as ``1080p``; empty until the player says it."""
        return f"{self.height}p" if self.height else ""

    def told(self, actor: Actor) -> dict[str, Any]:
        """Return what the account's own people are told, as JSON values.

        A profile with an age limit learns that something plays, and not what.
        """
        shown = self.may_be_named(actor)
        return {
            "session": self.session,
            "title": self.title if shown else "",
            "name": self.name if shown else self.profile,
            "device": self.device,
            "started_at": self.started_at,
            "quality": self.quality,
            "here": bool(actor.session) and self.sign_in == actor.session,
        }

    def may_be_named(self, actor: Actor) -> bool:
        """Say whether the actor's profile may know which title this is."""
        limit = actor.rating_limit
        return limit is None or (self.age is not None and self.age <= limit)


@dataclass(frozen=True, slots=True)
class Room:
    """How one more stream may be opened: up to which height, and whether as UHD."""

    max_height: int | None
    uhd: bool


@dataclass(frozen=True, slots=True)
class Full:
    """There is no room: the limit that is reached, and the streams that fill it."""

    limit: int
    quality: Quality
    active: tuple[Stream, ...]


def of_account(db: Database, account_id: int) -> tuple[Stream, ...]:
    """Return what an account watches now, the longest first.

    A stream whose sign-in has been revoked does not count: its player gets nothing
    any more, so its place is free at once, before anybody has ended the session.
    """
    return _live(
        db, "p.account_id = :account and not p.preview", {"account": account_id}
    )


def everybodys(db: Database, actor: Actor, username: str = "") -> tuple[Stream, ...]:
    """Return what everybody watches now, or one account, the longest first."""
    check(actor, Action.PLAYBACK_MANAGE)
    if not username:
        return _live(db, "1 = 1", {})
    return _live(db, "a.username = :username collate nocase", {"username": username})


def by_session(db: Database, actor: Actor, session: str) -> Stream:
    """Return one stream. Errors: ``NotFound`` when it does not play any more."""
    check(actor, Action.PLAYBACK_MANAGE)
    found = _live(db, "p.public_id = :session", {"session": session})
    if not found:
        raise NotFound("playback.missing", "Nothing plays under this id any more.")
    return found[0]


def room(db: Database, account_id: int, limits: Limits, asset_id: int) -> Room | Full:
    """Say how an account may open one more stream of an asset.

    To be asked in the transaction that inserts the session: it is what keeps fifty
    starts at one moment from all finding the same room.
    """
    active = of_account(db, account_id)
    if limits.streams and len(active) >= limits.streams:
        return Full(limits.streams, Quality.ANY, active)
    heights = _heights(db, asset_id)
    if _sharpest(heights, limits.max_height) <= _HD:
        return Room(limits.max_height, uhd=False)
    sharp = tuple(each for each in active if each.uhd)
    if not limits.uhd_streams or len(sharp) < limits.uhd_streams:
        return Room(limits.max_height, uhd=True)
    if min(heights) > _HD:
        return Full(limits.uhd_streams, Quality.UHD, sharp)
    return Room(_HD, uhd=False)


def _sharpest(heights: Sequence[int], max_height: int | None) -> int:
    """Return what is shown at best: of the lowest rendition nobody is deprived."""
    below = [each for each in heights if max_height is None or each <= max_height]
    return max(below, default=min(heights, default=0))


def _heights(db: Database, asset_id: int) -> list[int]:
    rows = db.conn.execute(
        """
        select height from tracks
        where asset_id = ? and kind = 'video' and retired_at is null
        """,
        (asset_id,),
    )
    return [height for (height,) in rows if height]


_LIVE = """
select p.public_id as session, a.username as account, a.display_name as viewer,
    f.name as profile, t.slug as title, t.name, p.device, p.address, p.user_agent,
    p.started_at, p.heartbeat_at, p.state, p.quality, p.uhd, p.sign_in,
    p.preview, case when w.id is null then t.age
        when w.age is not null and t.age is not null then max(w.age, t.age)
    end as age
from playback_sessions p
join accounts a on a.id = p.account_id
join profiles f on f.id = p.profile_id
join assets m on m.id = p.asset_id
join titles t on t.id = m.title_id
left join titles w on w.id = t.parent_id
where {which}
    and p.ended_at is null
    and p.expires_at >= :now
    and a.state = 'active'
    and (p.sign_in = '' or exists (
        select 1 from sessions s
        where s.public_id = p.sign_in
            and s.revoked_at is null
            and s.expires_at > :now
    ))
order by p.started_at, p.id
"""


def _live(db: Database, which: str, params: dict[str, object]) -> tuple[Stream, ...]:
    rows = db.rows(_LIVE.format(which=which), {"now": db.now(), **params})
    return tuple(map(_stream, rows))


def _stream(row: Row) -> Stream:
    shown = json.loads(row.pop("quality")).get("height")
    return Stream(
        **row
        | {
            "height": int(shown) if shown else None,
            "uhd": bool(row["uhd"]),
            "preview": bool(row["preview"]),
        }
    )
