"""May this actor watch this title now? Reads the values that decide it.

:func:`decide` is asked when a session opens; :func:`standing` is asked again and
again while one plays, by the doors of licences and keys and by heartbeats.
"""

import json
from dataclasses import dataclass
from functools import lru_cache

from appliance.access.evaluate import Decision, evaluate
from appliance.catalog.titles import Title, TitleState
from appliance.cenc import SHORT, KeySystem
from appliance.db import Database, Row
from appliance.errors import NotFound, Unauthenticated
from appliance.permissions import Action, Actor, check
from appliance.playback.circumstances import Watched, Watcher, gather, watched
from appliance.settings import Protection, Settings, key_systems


@dataclass(frozen=True, slots=True)
class Standing:
    """A playback session as it stands now, and whether it may go on.

    ``decision`` is as of now; it includes that the sign-in which the session was
    opened from still holds (``signed_in``), and says nothing of ``ended_at`` and
    ``expires_at``. ``asset`` is a public id, times are UTC text. What players report
    is not in here: a heartbeat reads it in the transaction that changes it.
    ``key_systems`` are those the title allows now, be it protected or not.
    ``max_height`` is the least of what rights, windows and the session itself allow.
    ``policy_id`` is that of the title, else that of the best right.
    """

    row_id: int
    session: str
    account_id: int
    username: str
    display_name: str
    profile_id: int
    address: str
    sign_in: str
    swaps: bool
    preview: bool
    licences: int
    expires_at: str
    ended_at: str | None
    end_reason: str
    asset_id: int
    asset: str
    asset_version: int
    duration: float
    title_id: int
    title_slug: str
    title_name: str
    protected: bool
    key_systems: tuple[KeySystem, ...]
    policy_id: int | None
    max_height: int | None
    signed_in: bool
    decision: Decision


def viewer(actor: Actor) -> tuple[int, int]:
    """Return the account and the profile that watch.

    Errors: ``Unauthenticated`` when nobody is signed in, ``Forbidden``.
    """
    check(actor, Action.PLAYBACK_OPEN)
    if actor.account_id is None or actor.profile_id is None:
        raise Unauthenticated("session.missing", "Please sign in first.")
    return actor.account_id, actor.profile_id


def decide(
    db: Database,
    settings: Settings,
    actor: Actor,
    title: Title,
    *,
    profile_id: int | None = None,
) -> Decision:
    """Say whether the actor, who is signed in, may watch the title now, and why not.

    ``profile_id`` is the profile that watches, one of the account's own; else that of
    the actor. Errors: ``NotFound`` when the account has no such profile.
    """
    account_id, own_profile_id = viewer(actor)
    row = db.one(
        """
        select a.state, p.rating_limit, p.kids,
            (select group_concat(role) from role_assignments
                where account_id = a.id) as roles
        from profiles p
        join accounts a on a.id = p.account_id
        where p.id = ? and a.id = ?
        """,
        (own_profile_id if profile_id is None else profile_id, account_id),
    )
    if row is None:
        raise NotFound("profile.missing", "This account has no such profile.")
    watcher = Watcher(
        account_id=account_id,
        roles=row["roles"] or "",
        active=row["state"] == "active",
        rating_limit=row["rating_limit"],
        address=actor.address,
        kids=bool(row["kids"]),
    )
    return evaluate(gather(db, settings, watcher, watched(db, title), db.now()))


def standing(
    db: Database, settings: Settings, session: str, address: str = ""
) -> Standing:
    """Return how a playback session stands now: short queries, no write.

    ``address`` is where its player asks from, else where it was opened from.
    Errors: ``NotFound``.
    """
    now = db.now()
    row = db.one(_STANDING, (now, session))
    if row is None:
        raise NotFound("playback.missing", "There is no such playback session.")
    watcher = Watcher(
        account_id=row["account_id"],
        roles=row["roles"] or "",
        active=row["account_state"] == "active",
        rating_limit=row["rating_limit"],
        address=address or row["address"],
        signed_in=bool(row["signed_in"]),
        kids=bool(row["kids"]),
    )
    title = Watched(
        row["title_id"],
        TitleState(row["title_state"]),
        row["age"],
        row["created_by"],
        bool(row["windowed"]),
        removed=row["removed_at"] is not None,
        whole_id=row["parent_id"],
        whole_state=TitleState(row["whole_state"] or TitleState.PUBLISHED),
        whole_age=row["whole_age"],
        whole_removed=row["whole_removed_at"] is not None,
    )
    decision = evaluate(gather(db, settings, watcher, title, now))
    return _standing(row, settings.protection, decision)


def allowed_systems(own: str, protection: Protection) -> tuple[KeySystem, ...]:
    """Return the key systems of a title: its own, a JSON list, else the library's."""
    return _listed(own) or tuple(SHORT[name] for name in key_systems(protection))


@lru_cache(maxsize=64)
def _listed(own: str) -> tuple[KeySystem, ...]:
    return tuple(map(KeySystem, json.loads(own)))


# Every join is by a key, so that it costs the same however much there is.
_STANDING = """
select p.id, p.public_id, p.account_id, a.username, a.display_name, p.profile_id,
    p.address, p.sign_in, p.swaps_tokens, p.licences, p.expires_at, p.ended_at,
    p.end_reason, p.max_height, p.preview, p.asset_id, f.public_id as asset, f.version,
    f.duration, f.title_id, t.slug, t.name, t.state as title_state, t.age,
    t.created_by, t.protected, t.key_systems, t.policy_id, t.windowed, t.removed_at,
    t.parent_id,
    w.state as whole_state, w.age as whole_age, w.removed_at as whole_removed_at,
    a.state as account_state, r.rating_limit, r.kids,
    p.sign_in = '' or (s.revoked_at is null and s.expires_at > ?) as signed_in,
    (select group_concat(role) from role_assignments
        where account_id = p.account_id) as roles
from playback_sessions p
join accounts a on a.id = p.account_id
join profiles r on r.id = p.profile_id
join assets f on f.id = p.asset_id
join titles t on t.id = f.title_id
left join titles w on w.id = t.parent_id
left join sessions s on s.public_id = p.sign_in
where p.public_id = ?
"""


def _standing(row: Row, protection: Protection, decision: Decision) -> Standing:
    heights = (row["max_height"], decision.limits.max_height)
    of_title = row["policy_id"]
    return Standing(
        row_id=row["id"],
        session=row["public_id"],
        account_id=row["account_id"],
        username=row["username"],
        display_name=row["display_name"],
        profile_id=row["profile_id"],
        address=row["address"],
        sign_in=row["sign_in"],
        swaps=bool(row["swaps_tokens"]),
        preview=bool(row["preview"]),
        licences=row["licences"],
        expires_at=row["expires_at"],
        ended_at=row["ended_at"],
        end_reason=row["end_reason"],
        asset_id=row["asset_id"],
        asset=row["asset"],
        asset_version=row["version"],
        duration=row["duration"] or 0.0,
        title_id=row["title_id"],
        title_slug=row["slug"],
        title_name=row["name"],
        protected=bool(row["protected"]),
        key_systems=allowed_systems(row["key_systems"], protection),
        policy_id=decision.policy_id if of_title is None else of_title,
        max_height=min((each for each in heights if each is not None), default=None),
        signed_in=bool(row["signed_in"]),
        decision=decision,
    )
