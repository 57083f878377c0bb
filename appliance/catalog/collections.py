"""Collections: titles that somebody put together, in an order, under a name."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from appliance.catalog import slugs, titles
from appliance.db import Database, Row, write
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check, visible

_LONGEST_NAME, _LONGEST_SYNOPSIS, _MOST_TITLES = 100, 4000, 1000


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection; ``titles`` counts all that are in it, whoever may see them."""

    id: int
    public_id: str
    slug: str
    name: str
    synopsis: str
    created_at: str
    updated_at: str
    titles: int


def add(
    db: Database,
    actor: Actor,
    name: str,
    *,
    synopsis: str = "",
    members: Iterable[str] = (),
) -> Collection:
    """Make a collection of titles, given by their slugs.

    Errors: ``InvalidInput``, ``NotFound``, ``Forbidden``.
    """
    check(actor, Action.HOME_ARRANGE)
    named, told = _name(name), _synopsis(synopsis)
    with write(db):
        now = db.now()
        cursor = db.conn.execute(
            """
            insert into collections
                (public_id, slug, name, synopsis, created_at, updated_at)
            values (?, ?, ?, ?, ?, ?)
            """,
            (
                secrets.token_hex(8),
                slugs.unique(db, named, table="collections", otherwise="collection"),
                *(named, told, now, now),
            ),
        )
        key = int(cursor.lastrowid or 0)
        _assign(db, actor, key, tuple(members))
        return _record(db, actor, key, "made")


def change(
    db: Database,
    actor: Actor,
    slug: str,
    *,
    name: str | None = None,
    synopsis: str | None = None,
    members: Iterable[str] | None = None,
    seen: str | None = None,
) -> Collection:
    """Change a collection; None stays. Its slug stays too.

    ``seen`` is the ``updated_at`` that somebody had before them.
    Errors: ``InvalidInput``, ``NotFound``, ``Forbidden``; ``Conflict`` when somebody
    else changed it since.
    """
    check(actor, Action.HOME_ARRANGE)
    with write(db):
        found = by_slug(db, slug)
        if seen and seen != found.updated_at:
            raise Conflict(
                "collection.changed",
                f"Somebody changed the collection “{found.name}” since you opened it."
                " Nothing was saved; what you wrote is still here.",
            )
        db.conn.execute(
            """
            update collections set name = ?, synopsis = ?, updated_at = ? where id = ?
            """,
            (
                found.name if name is None else _name(name),
                found.synopsis if synopsis is None else _synopsis(synopsis),
                *(db.now(), found.id),
            ),
        )
        if members is not None:
            _assign(db, actor, found.id, tuple(members))
        return _record(db, actor, found.id, "changed")


def remove(db: Database, actor: Actor, slug: str) -> Collection:
    """Remove a collection, with rights to it and rows of it; its titles stay.

    Errors: ``NotFound``, ``Forbidden``.
    """
    check(actor, Action.HOME_ARRANGE)
    with write(db):
        found = by_slug(db, slug)
        _record(db, actor, found.id, "removed")
        db.conn.execute("delete from collections where id = ?", (found.id,))
        return found


def listing(db: Database) -> list[Collection]:
    """Return every collection, by name."""
    rows = db.rows(f"{_SELECT} order by name collate nocase")
    return [_collection(row) for row in rows]


def by_slug(db: Database, slug: str) -> Collection:
    """Return a collection. Errors: ``NotFound``."""
    row = db.one(f"{_SELECT} where slug = ?", (slug,))
    if row is None:
        raise NotFound("collection.missing", f"There is no collection “{slug[:80]}”.")
    return _collection(row)


def members(db: Database, collection_id: int) -> tuple[tuple[str, str], ...]:
    """Return slug and name of every title in it, in order: for who arranges it."""
    rows = db.conn.execute(
        """
        select titles.slug, titles.name from collection_titles
        join titles on titles.id = collection_titles.title_id
        where collection_id = ?
        order by collection_titles.position, titles.id
        """,
        (collection_id,),
    )
    return tuple((slug, name) for slug, name in rows)


def chosen(db: Database, actor: Actor, given: Sequence[str]) -> tuple[int, ...]:
    """Return the keys of titles given by their slugs, once each, in that order.

    Errors: ``InvalidInput`` names the first that is not there.
    """
    if len(given) > _MOST_TITLES:
        raise InvalidInput(
            "collection.too-many",
            f"At most {_MOST_TITLES:,} titles are chosen by hand.",
            {"field": "titles"},
        )
    found = []
    for slug in dict.fromkeys(each.strip() for each in given if each.strip()):
        try:
            found.append(titles.by_slug(db, actor, slug).id)
        except NotFound as error:
            raise InvalidInput(error.code, error.message, {"field": "titles"}) from None
    return tuple(found)


def seen_by(db: Database, actor: Actor, collection_id: int) -> bool:
    """Say whether the actor may see any title of a collection."""
    predicate, params = visible(actor, db.now())
    return bool(
        db.value(
            f"""
            select 1 from collection_titles
            cross join titles on titles.id = collection_titles.title_id
            where collection_id = :collection and {predicate} limit 1
            """,
            {**params, "collection": collection_id},
        )
    )


_SELECT = """
select id, public_id, slug, name, synopsis, created_at, updated_at, (
    select count(*) from collection_titles where collection_id = collections.id
) as titles
from collections
"""


def _assign(
    db: Database, actor: Actor, collection_id: int, given: Sequence[str]
) -> None:
    wanted = chosen(db, actor, given)
    db.conn.execute(
        "delete from collection_titles where collection_id = ?", (collection_id,)
    )
    db.conn.executemany(
        """
        insert into collection_titles (collection_id, title_id, position)
        values (?, ?, ?)
        """,
        [(collection_id, key, place) for place, key in enumerate(wanted)],
    )


def _name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= _LONGEST_NAME or not cleaned.isprintable():
        raise InvalidInput(
            "collection.name",
            f"The name of a collection has 1 to {_LONGEST_NAME} characters.",
            {"field": "name"},
        )
    return cleaned


def _synopsis(text: str) -> str:
    cleaned = text.replace("\r\n", "\n").replace("\0", "").strip()
    if len(cleaned) > _LONGEST_SYNOPSIS:
        raise InvalidInput(
            "collection.synopsis",
            f"The description has at most {_LONGEST_SYNOPSIS:,} characters.",
            {"field": "synopsis"},
        )
    return cleaned


def _collection(row: Row) -> Collection:
    return Collection(**row)


def _record(db: Database, actor: Actor, key: int, change: str) -> Collection:
    row = db.one(f"{_SELECT} where id = ?", (key,))
    assert row is not None
    found = _collection(row)
    record(
        db,
        actor,
        Event.COLLECTION_CHANGE,
        f"collection/{found.public_id}",
        change=change,
        name=found.name,
        titles=found.titles,
    )
    return found
