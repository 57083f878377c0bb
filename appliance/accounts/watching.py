"""Who is watching: choosing the profile of a session, and what that takes."""

from appliance.accounts import pins, profiles
from appliance.accounts.profiles import Profile
from appliance.db import Database, write
from appliance.errors import Unauthenticated
from appliance.events import Event, record
from appliance.permissions import Actor
from appliance.settings import Settings


def choose(
    db: Database,
    settings: Settings,
    actor: Actor,
    public_id: str,
    *,
    pin: str = "",
    account_pin: str = "",
) -> Profile:
    """Make a profile of the account the one that watches in the actor's session.

    ``pin`` is that of the profile, ``account_pin`` the one that lets out of a child's
    profile. Choosing what is chosen already takes none.
    Errors: ``NotFound``, ``InvalidInput`` ("pin.needed", "pin.wrong" with the
    ``field``), ``TooManyRequests``, ``Unauthenticated`` where there is no session.
    """
    wanted = profiles.own(db, actor, public_id)
    current = _current(db, actor)
    if current is not None and current.id == wanted.id:
        return wanted
    if current is not None and current.kids:
        pins.require(db, settings, actor, account_pin, field="account_pin")
    pins.require_of_profile(db, settings, actor, public_id, pin)
    with write(db):
        changed = db.conn.execute(
            """
            update sessions set profile_id = ?, profile_chosen_at = ?
            where public_id = ? and revoked_at is null
            """,
            (wanted.id, db.now(), actor.session),
        )
        if not changed.rowcount:
            raise Unauthenticated("session.missing", "Please sign in first.")
        subject = f"session/{actor.session}"
        record(db, actor, Event.PROFILE_CHOOSE, subject, profile=public_id)
    return wanted


def needed(db: Database, actor: Actor, wanted: Profile) -> frozenset[str]:
    """Say which of ``pin`` and ``account_pin`` choosing a profile takes."""
    current = _current(db, actor)
    if current is not None and current.id == wanted.id:
        return frozenset()
    leaves = current is not None and current.kids
    guarded = leaves and pins.guards(db, wanted.account_id)
    both = {"pin": wanted.locked, "account_pin": guarded}
    return frozenset(name for name, asked in both.items() if asked)


def _current(db: Database, actor: Actor) -> Profile | None:
    """Return the profile of the session; None as long as nobody has chosen."""
    public_id = db.value(
        """
        select p.public_id from sessions s
        join profiles p on p.id = s.profile_id
        where s.public_id = ? and s.profile_chosen_at is not null
        """,
        (actor.session,),
    )
    return None if public_id is None else profiles.by_public_id(db, public_id)
