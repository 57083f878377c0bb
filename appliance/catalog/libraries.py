"""Libraries: titles that are encoded alike; a title belongs to one at most."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.catalog import library_policy, slugs
from appliance.db import Database, Row, write
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check
from appliance.settings import Encode

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Library:
    """One library; ``policy`` holds only what it says otherwise than the settings."""

    id: int
    public_id: str
    slug: str
    name: str
    policy: Mapping[str, Any]
    created_at: str
    updated_at: str
    titles: int


_SELECT = """
select libraries.*, (
    select count(*) from titles where titles.library_id = libraries.id
) as titles
from libraries
"""


def add(
    db: Database, actor: Actor, encode: Encode, name: str, changes: Mapping[str, object]
) -> Library:
    """Make a library. Errors: ``InvalidInput``, ``Conflict``, ``Forbidden``."""
    check(actor, Action.LIBRARY_MANAGE)
    cleaned = _name(name)
    policy = library_policy.changed({}, changes, encode)
    with write(db):
        slug = slugs.slug(cleaned) or "library"
        _refuse_twin(db, cleaned, slug, but=0)
        now = db.now()
        db.conn.execute(
            """
            insert into libraries
                (public_id, slug, name, policy, created_at, updated_at)
            values (?, ?, ?, ?, ?, ?)
            """,
            (secrets.token_hex(8), slug, cleaned, _text(policy), now, now),
        )
        made = by_slug(db, slug)
        _record(db, actor, made, "made", **policy)
        return made


def change(
    db: Database,
    actor: Actor,
    encode: Encode,
    slug: str,
    changes: Mapping[str, object],
    *,
    name: str | None = None,
) -> Library:
    """Change how a library encodes from now on, or its name; what is made stays.

    A field of None or "" is as the settings say. The slug stays.
    Errors: ``InvalidInput``, ``NotFound``, ``Conflict``, ``Forbidden``.
    """
    check(actor, Action.LIBRARY_MANAGE)
    with write(db):
        found = by_slug(db, slug)
        cleaned = found.name if name is None else _name(name)
        policy = library_policy.changed(found.policy, changes, encode)
        if cleaned == found.name and policy == found.policy:
            return found
        _refuse_twin(db, cleaned, found.slug, but=found.id)
        db.conn.execute(
            "update libraries set name = ?, policy = ?, updated_at = ? where id = ?",
            (cleaned, _text(policy), db.now(), found.id),
        )
        made = by_slug(db, slug)
        _record(db, actor, made, "changed", **policy)
        return made


def remove(db: Database, actor: Actor, slug: str) -> Library:
    """Remove a library: its titles are encoded as the settings say.

    Errors: ``NotFound``, ``Forbidden``.
    """
    check(actor, Action.LIBRARY_MANAGE)
    with write(db):
        found = by_slug(db, slug)
        db.conn.execute("delete from libraries where id = ?", (found.id,))
        _record(db, actor, found, "removed", titles=found.titles)
        return found


def listing(db: Database) -> list[Library]:
    """Return every library, by name."""
    return [_library(row) for row in db.rows(f"{_SELECT} order by name collate nocase")]


def slugs_by_id(db: Database) -> dict[int, str]:
    """Return what every library is called in addresses, by its inner key."""
    rows = db.rows("select id, slug from libraries")
    return {row["id"]: row["slug"] for row in rows}


def by_slug(db: Database, slug: str) -> Library:
    """Return a library; its name does as well. Errors: ``NotFound``."""
    row = db.one(
        f"{_SELECT} where slug = :named or name = :named collate nocase"
        " order by slug = :named desc",
        {"named": slug.strip()},
    )
    if row is None:
        raise NotFound(
            "library.missing",
            f"There is no library “{slug}”: see `matinee library list`.",
        )
    return _library(row)


def of_title(db: Database, title_id: int) -> Library | None:
    """Return the library that a title belongs to."""
    row = db.one(
        f"{_SELECT} where libraries.id = (select library_id from titles where id = ?)",
        (title_id,),
    )
    return None if row is None else _library(row)


def policy_of_title(db: Database, title_id: int) -> Mapping[str, Any]:
    """Return what the library of a title says otherwise than the settings."""
    found = of_title(db, title_id)
    return {} if found is None else found.policy


def _name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= _LONGEST_NAME or not cleaned.isprintable():
        raise InvalidInput(
            "library.name",
            f"The name of a library has 1 to {_LONGEST_NAME} characters.",
            {"field": "name"},
        )
    return cleaned


def _refuse_twin(db: Database, name: str, slug: str, *, but: int) -> None:
    """Refuse a name that another library has, or one that only looks different."""
    twin = db.value(
        "select name from libraries"
        " where (slug = ? or name = ? collate nocase) and id != ?",
        (slug, name, but),
    )
    if twin is not None:
        raise Conflict(
            "library.exists",
            f"There is a library “{twin}” already: choose another name.",
            {"field": "name"},
        )


def _text(policy: Mapping[str, Any]) -> str:
    return json.dumps(policy, separators=(",", ":"))


def _library(row: Row) -> Library:
    return Library(**row | {"policy": json.loads(row["policy"])})


def _record(
    db: Database, actor: Actor, library: Library, change: str, **data: object
) -> None:
    record(
        db,
        actor,
        Event.LIBRARY_CHANGE,
        f"library/{library.public_id}",
        change=change,
        name=library.name,
        **data,
    )
