"""Who looks at a page, as far as that decides which titles are on it.

Two viewers of the same audience see the same shelves, so those are drawn once for both;
nothing on them may depend on anything else of who asks.
"""

from dataclasses import dataclass, replace

from appliance.db import Database
from appliance.permissions import Actor, Role


@dataclass(frozen=True, slots=True)
class Audience:
    """``age`` is the limit of the profile (None: none), ``groups`` those it is in."""

    age: int | None = None
    kids: bool = False
    groups: tuple[int, ...] = ()
    country: str | None = None
    language: str = ""


def of(db: Database, actor: Actor, language: str = "") -> Audience:
    """Return the audience that somebody belongs to."""
    kids, groups = db.conn.execute(
        _OF, (actor.profile_id, actor.account_id, actor.as_group)
    ).fetchone()
    return Audience(
        age=actor.rating_limit,
        kids=bool(kids),
        groups=tuple(sorted(map(int, groups.split(",")))) if groups else (),
        country=actor.country,
        language=language,
    )


def viewer(actor: Actor) -> Actor:
    """Return the actor as somebody who only watches: for editors it is the same page.

    What they prepare stands in the Studio.
    """
    return replace(actor, roles=frozenset({Role.VIEWER}), scopes=None)


_OF = """
select coalesce((select kids from profiles where id = ?), 0), (
    select group_concat(id) from (
        select group_id as id from group_members where account_id = ?
        union select ?
    )
)
"""
