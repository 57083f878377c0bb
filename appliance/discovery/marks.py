"""What a profile puts on its list, and what it thinks of titles."""

from dataclasses import dataclass
from enum import IntEnum

from appliance.catalog import titles
from appliance.db import Database, write
from appliance.errors import Conflict, InvalidInput
from appliance.permissions import Action, Actor, check, visible
from appliance.playback.permission import viewer

_MOST = 1000


class Thumb(IntEnum):
    """Not for me, like, love."""

    DOWN = -1
    UP = 1
    TWO_UP = 2


@dataclass(frozen=True, slots=True)
class Marks:
    """Whether a title is on the list of the profile, and its thumb."""

    listed: bool = False
    thumb: Thumb | None = None


def of_title(db: Database, actor: Actor, title_id: int) -> Marks:
    """Return what the actor's profile has marked on a title."""
    row = db.conn.execute(
        """
        select
            exists (select 1 from my_list where profile_id = ?1 and title_id = ?2),
            (select value from thumbs where profile_id = ?1 and title_id = ?2)
        """,
        (actor.profile_id, title_id),
    ).fetchone()
    return Marks(bool(row[0]), None if row[1] is None else Thumb(row[1]))


def listed(
    db: Database, actor: Actor, limit: int = 48, offset: int = 0
) -> tuple[int, ...]:
    """Return the keys of the titles on the list that may be seen, the last first."""
    check(actor, Action.PORTAL_SEE)
    predicate, seen = visible(actor, db.now())
    rows = db.conn.execute(
        f"""
        select titles.id from my_list
        cross join titles on titles.id = my_list.title_id
        where my_list.profile_id = :profile and {predicate}
        order by my_list.added_at desc
        limit :limit offset :offset
        """,
        {**seen, "profile": actor.profile_id, "limit": limit, "offset": offset},
    )
    return tuple(row[0] for row in rows)


def enlist(db: Database, actor: Actor, slug: str) -> Marks:
    """Put a title on the list of the actor's profile; twice is once.

    A part of a series puts the series there. Errors: ``NotFound``, ``Conflict``.
    """
    check(actor, Action.PORTAL_SEE)
    _account, profile = viewer(actor)
    with write(db):
        title = titles.by_slug(db, actor, slug)
        whole = title.parent_id or title.id
        count = db.value(
            "select count(*) from my_list where profile_id = ?", (profile,)
        )
        if count >= _MOST:
            raise Conflict(
                "list.full",
                f"The list holds {_MOST:,} titles: take some off it first.",
                {"most": _MOST},
            )
        db.conn.execute(
            """
            insert into my_list (profile_id, title_id, added_at) values (?, ?, ?)
            on conflict do nothing
            """,
            (profile, whole, db.now()),
        )
        return of_title(db, actor, whole)


def strike(db: Database, actor: Actor, slug: str) -> Marks:
    """Take a title off the list. Errors: ``NotFound``."""
    check(actor, Action.PORTAL_SEE)
    _account, profile = viewer(actor)
    with write(db):
        title = titles.by_slug(db, actor, slug)
        whole = title.parent_id or title.id
        db.conn.execute(
            "delete from my_list where profile_id = ? and title_id = ?",
            (profile, whole),
        )
        return of_title(db, actor, whole)


def rate(db: Database, actor: Actor, slug: str, value: int) -> Marks:
    """Keep what the actor's profile thinks of a title, in place of what it thought.

    Errors: ``InvalidInput`` for what is no :class:`Thumb`; ``NotFound``.
    """
    check(actor, Action.PORTAL_SEE)
    _account, profile = viewer(actor)
    if value not in tuple(Thumb):
        raise InvalidInput(
            "thumb.value",
            "A thumb is -1 (not for me), 1 (like) or 2 (love).",
            {"field": "value"},
        )
    with write(db):
        title = titles.by_slug(db, actor, slug)
        db.conn.execute(
            """
            insert into thumbs (profile_id, title_id, value, at) values (?, ?, ?, ?)
            on conflict (profile_id, title_id)
            do update set value = excluded.value, at = excluded.at
            """,
            (profile, title.id, int(value), db.now()),
        )
        return of_title(db, actor, title.id)


def unrate(db: Database, actor: Actor, slug: str) -> Marks:
    """Forget what the actor's profile thought of a title. Errors: ``NotFound``."""
    check(actor, Action.PORTAL_SEE)
    _account, profile = viewer(actor)
    with write(db):
        title = titles.by_slug(db, actor, slug)
        db.conn.execute(
            "delete from thumbs where profile_id = ? and title_id = ?",
            (profile, title.id),
        )
        return of_title(db, actor, title.id)
