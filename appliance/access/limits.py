"""Age limits of profiles: what a child may not watch."""

from dataclasses import dataclass

from appliance.accounts import people
from appliance.db import Database, write
from appliance.errors import InvalidInput, NotFound
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check

_OLDEST = 21


@dataclass(frozen=True, slots=True)
class Profile:
    """Who watches with an account; without a limit there is none by age."""

    id: int
    public_id: str
    name: str
    rating_limit: int | None


def of_account(db: Database, username: str) -> list[Profile]:
    """Return the profiles of an account, the first made first. Errors: ``NotFound``."""
    account = people.find(db, username)
    rows = db.rows(
        """
        select id, public_id, name, rating_limit from profiles
        where account_id = ? order by id
        """,
        (account.id,),
    )
    return [Profile(**row) for row in rows]


def profile(db: Database, username: str, name: str = "") -> Profile:
    """Return a profile of an account by its name or public id; else its first one.

    Errors: ``NotFound``, with the names that there are.
    """
    profiles = of_account(db, username)
    for each in profiles:
        if not name or name in (each.public_id, each.name):
            return each
    names = ", ".join(each.name for each in profiles)
    raise NotFound(
        "profile.missing",
        f"“{username}” has no profile “{name[:80]}”. There are: {names}.",
    )


def set_rating_limit(
    db: Database, actor: Actor, profile_public_id: str, age: int | None
) -> Profile:
    """Let a profile watch only what is for this age or younger; None: everything.

    A title whose rating nobody can read is then refused too: a limit that lets
    through what it does not know would be none.
    Errors: ``InvalidInput``, ``NotFound``, ``Forbidden``.
    """
    check(actor, Action.ACCOUNT_MANAGE)
    if age is not None and not 0 <= age <= _OLDEST:
        raise InvalidInput(
            "profile.limit",
            f"The age limit is a whole number from 0 to {_OLDEST}, or none.",
            {"field": "age"},
        )
    with write(db):
        row = db.one(
            "select id, public_id, name from profiles where public_id = ?",
            (profile_public_id,),
        )
        if row is None:
            raise NotFound("profile.missing", "There is no such profile.")
        db.conn.execute(
            "update profiles set rating_limit = ? where id = ?", (age, row["id"])
        )
        record(
            db,
            actor,
            Event.PROFILE_LIMIT,
            f"profile/{profile_public_id}",
            name=row["name"],
            age=age,
        )
    return Profile(**row, rating_limit=age)
