"""Profiles: who watches with an account."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.accounts import faces, names, pins, profile_fields, tastes
from appliance.accounts.tastes import Preferences
from appliance.db import Database, Row, write
from appliance.errors import Conflict, InvalidInput, NotFound, Unauthenticated
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check
from appliance.settings import Settings


@dataclass(frozen=True, slots=True)
class Profile:
    """Who watches with an account.

    ``rating_limit`` is the age up to which titles are shown (None: all), ``avatar``
    one of :mod:`appliance.accounts.faces`, ``language`` that of the pages (empty: that
    of the account). A child's profile (``kids``) has nothing but the portal.
    """

    id: int
    public_id: str
    account_id: int
    name: str
    avatar: str
    language: str
    rating_limit: int | None
    kids: bool
    locked: bool
    created_at: str


def of_account(db: Database, account_id: int) -> list[Profile]:
    """Return the profiles of an account, the first made first."""
    rows = db.rows(f"{_SELECT} where account_id = ? order by id", (account_id,))
    return [_profile(row) for row in rows]


def of_user(db: Database, username: str) -> list[Profile]:
    """Return the profiles of an account by its user name. Errors: ``NotFound``."""
    row = db.one(
        "select id from accounts where username = ?", (names.lookup(username),)
    )
    if row is None:
        raise NotFound("account.missing", f"There is no account “{username.strip()}”.")
    return of_account(db, row["id"])


def named(db: Database, username: str, name: str = "") -> Profile:
    """Return a profile of an account by its name or public id; else its first one.

    Errors: ``NotFound``, with the names that there are.
    """
    profiles = of_user(db, username)
    for each in profiles:
        if not name or name in (each.public_id, each.name):
            return each
    there = ", ".join(each.name for each in profiles)
    raise NotFound(
        "profile.missing",
        f"“{username}” has no profile “{name[:80]}”. There are: {there}.",
    )


def own(db: Database, actor: Actor, public_id: str) -> Profile:
    """Return a profile of the actor's account. Errors: ``NotFound``."""
    found = by_public_id(db, public_id)
    if found.account_id != actor.account_id:
        raise missing()
    return found


def by_public_id(db: Database, public_id: str) -> Profile:
    """Return a profile, whoever asks. Errors: ``NotFound``."""
    row = db.one(f"{_SELECT} where public_id = ?", (public_id,))
    if row is None:
        raise missing()
    return _profile(row)


def add(
    db: Database,
    settings: Settings,
    actor: Actor,
    account_id: int,
    name: str,
    *,
    avatar: str = "",
    language: str = "",
    rating_limit: int | None = None,
    kids: bool = False,
    pin: str = "",
) -> Profile:
    """Make a profile of an account: one's own, with its PIN, or anybody's.

    Errors: ``InvalidInput`` that names the ``field``, ``Conflict`` when there are as
    many as an account may have, or one of that name, ``Forbidden``.
    """
    _authorise(db, settings, actor, account_id, pin)
    chosen = {"avatar": avatar} if avatar else {}
    row = profile_fields.clean(
        {
            "name": name,
            "language": language,
            "rating_limit": rating_limit,
            "kids": kids,
            **chosen,
        }
    )
    _require_limit(row["kids"], row["rating_limit"])
    public_id = secrets.token_hex(8)
    with write(db):
        others = of_account(db, account_id)
        _refuse_more(settings, others)
        _refuse_double(others, row["name"])
        row.setdefault("avatar", faces.unlike(each.avatar for each in others))
        stored = {each: _column(value) for each, value in row.items()}
        keys = {"public_id": public_id, "account_id": account_id}
        db.table("profiles").insert(keys | stored | {"created_at": db.now()})
        _record(db, actor, Event.PROFILE_CREATE, public_id, **row)
        return by_public_id(db, public_id)


def edit(
    db: Database,
    settings: Settings,
    actor: Actor,
    public_id: str,
    *,
    pin: str = "",
    **changes: Any,
) -> Profile:
    """Change name, avatar, language, rating_limit or kids of a profile.

    What a profile looks like is its own affair; anything else of it, and other
    profiles, take the PIN of the account. Errors: as of :func:`add`, ``NotFound``.
    """
    before = _reachable(db, actor, public_id)
    cleaned = profile_fields.clean(changes)
    changed = {
        each: value for each, value in cleaned.items() if value != getattr(before, each)
    }
    if not changed:
        return before
    harmless = before.id == actor.profile_id and not _GUARDED.intersection(changed)
    _authorise(db, settings, actor, before.account_id, pin, harmless=harmless)
    with write(db):
        current = by_public_id(db, public_id)
        _require_limit(
            changed.get("kids", current.kids),
            changed.get("rating_limit", current.rating_limit),
        )
        others = of_account(db, current.account_id)
        if "name" in changed:
            _refuse_double(
                [each for each in others if each != current], changed["name"]
            )
        if changed.get("kids"):
            _refuse_last_grown_up(others, current)
        stored = {each: _column(value) for each, value in changed.items()}
        db.table("profiles").update(current.id, stored)
        _record(db, actor, Event.PROFILE_UPDATE, public_id, **changed)
        return by_public_id(db, public_id)


def limit(db: Database, actor: Actor, public_id: str, age: int | None) -> Profile:
    """Let a profile watch only what is for this age or younger; None: everything.

    A title whose rating nobody can read is then refused too: a limit that lets
    through what it does not know would be none.
    Errors: ``InvalidInput``, ``NotFound``, ``Forbidden``.
    """
    check(actor, Action.ACCOUNT_MANAGE)
    cleaned = profile_fields.clean({"rating_limit": age})
    with write(db):
        before = by_public_id(db, public_id)
        _require_limit(before.kids, age)
        db.table("profiles").update(before.id, cleaned)
        _record(db, actor, Event.PROFILE_LIMIT, public_id, profile=before.name, age=age)
        return by_public_id(db, public_id)


def remove(
    db: Database, settings: Settings, actor: Actor, public_id: str, *, pin: str = ""
) -> Profile:
    """Remove a profile with what it watched; return what it was.

    Devices that it was chosen on ask who watches; those of a child are signed out, or
    removing it would let it out. Errors: ``Conflict`` for the last one that is nobody's
    child, ``NotFound``, ``Forbidden``.
    """
    before = _reachable(db, actor, public_id)
    _authorise(db, settings, actor, before.account_id, pin)
    with write(db):
        gone = by_public_id(db, public_id)
        others = of_account(db, gone.account_id)
        _refuse_last_grown_up(others, gone)
        _leave_devices(db, gone, next(each.id for each in others if each != gone))
        db.conn.execute("delete from profiles where id = ?", (gone.id,))
        _record(db, actor, Event.PROFILE_REMOVE, public_id, profile=gone.name)
    return gone


def preferences(db: Database, profile_id: int) -> Preferences:
    """Return how a profile likes to watch. Errors: ``NotFound``."""
    found = db.value("select preferences from profiles where id = ?", (profile_id,))
    if found is None:
        raise missing()
    return tastes.read(found)


def prefer(db: Database, actor: Actor, changes: Mapping[str, Any]) -> Preferences:
    """Change some preferences of the profile that acts; return all of them.

    Errors: ``InvalidInput`` that names the ``field``, ``Unauthenticated``.
    """
    if actor.profile_id is None:
        raise Unauthenticated("session.missing", "Please sign in first.")
    with write(db):
        mine = tastes.changed(preferences(db, actor.profile_id), changes)
        db.conn.execute(
            "update profiles set preferences = ? where id = ?",
            (tastes.stored(mine), actor.profile_id),
        )
    return mine


def missing() -> NotFound:
    """Return the error for a profile that is not there, or is somebody else's."""
    return NotFound("profile.missing", "There is no such profile.")


_SELECT = """
select id, public_id, account_id, name, avatar, language, rating_limit, kids,
    pin_hash is not null as locked, created_at
from profiles
"""
_GUARDED = frozenset({"rating_limit", "kids"})


def _profile(row: Row) -> Profile:
    face = row["avatar"] or faces.usual(row["id"])
    flags = {"kids": bool(row["kids"]), "locked": bool(row["locked"])}
    return Profile(**row | flags | {"avatar": face})


def _reachable(db: Database, actor: Actor, public_id: str) -> Profile:
    found = by_public_id(db, public_id)
    if found.account_id != actor.account_id and not actor.may(Action.ACCOUNT_MANAGE):
        raise missing()
    return found


def _authorise(
    db: Database,
    settings: Settings,
    actor: Actor,
    account_id: int,
    pin: str,
    *,
    harmless: bool = False,
) -> None:
    """Let pass administrators, and whoever knows the PIN of their own account.

    A profile with an age limit can't manage profiles without a PIN that proves that
    somebody else does.
    """
    if account_id != actor.account_id:
        check(actor, Action.ACCOUNT_MANAGE)
        return
    check(actor, Action.ACCOUNT_OWN)
    if harmless:
        return
    if actor.rating_limit is not None and not pins.guards(db, account_id):
        raise Conflict(
            "pin.none",
            "This profile has an age limit: set a PIN for the account first, under My"
            " account, or go to a profile without a limit.",
        )
    pins.require(db, settings, actor, pin)


def _column(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def _require_limit(kids: bool, age: int | None) -> None:
    if kids and age is None:
        raise InvalidInput(
            "profile.kids-limit",
            "A child’s profile needs an age limit: say up to which age.",
            {"field": "rating_limit"},
        )


def _refuse_more(settings: Settings, others: list[Profile]) -> None:
    most = settings.accounts.profiles
    if len(others) >= most:
        raise Conflict(
            "profile.most",
            f"An account has {most} profiles at most: remove one first.",
            {"most": most},
        )


def _refuse_double(others: list[Profile], name: str) -> None:
    if any(each.name.casefold() == name.casefold() for each in others):
        raise Conflict(
            "profile.exists",
            f"There is a profile “{name}” already.",
            {"field": "name", "name": name},
        )


def _refuse_last_grown_up(others: list[Profile], leaving: Profile) -> None:
    if all(each.kids or each.id == leaving.id for each in others):
        raise Conflict(
            "profile.last",
            "An account keeps one profile that is not a child’s, or nobody could look"
            " after it: add another one first.",
        )


def _leave_devices(db: Database, gone: Profile, other: int) -> None:
    if gone.kids:
        db.conn.execute(
            """
            update sessions set revoked_at = ?
            where profile_id = ? and revoked_at is null
            """,
            (db.now(), gone.id),
        )
    db.conn.execute(
        """
        update sessions set profile_id = ?, profile_chosen_at = null
        where profile_id = ?
        """,
        (other, gone.id),
    )


def _record(
    db: Database, actor: Actor, event: Event, public_id: str, **data: object
) -> None:
    record(db, actor, event, f"profile/{public_id}", **data)
