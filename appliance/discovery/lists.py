"""Lists of titles that a viewer may see: filtered, sorted, a page at a time.

Only titles that belong to no other stand in lists: a series, not its episodes.
"""

from dataclasses import dataclass

from appliance.db import Database
from appliance.discovery.filters import Filters
from appliance.permissions import Actor, visible

COUNTED = 1000
"""Nobody pages through more: further titles are not counted."""


@dataclass(frozen=True, slots=True)
class Page:
    """Keys of titles; ``total`` counts up to :data:`COUNTED`, ``more`` beyond that."""

    ids: tuple[int, ...]
    total: int
    more: bool


def newest(db: Database, viewer: Actor, limit: int) -> tuple[int, ...]:
    """Return the titles that came last."""
    return _ids(db, viewer, _LISTED, "published_at desc, titles.id desc", limit)


def filtered(
    db: Database, viewer: Actor, filters: Filters, limit: int, offset: int = 0
) -> tuple[int, ...]:
    """Return a stretch of a filtered list."""
    if filters.sort == "newest" and set(filters.as_words()) == {"genre"}:
        return _of_genre(db, viewer, filters.genre, limit, offset)
    clauses, params = filters.where()
    where = " and ".join([_LISTED, *clauses])
    return _ids(db, viewer, where, filters.order(), limit, offset, params)


def page(
    db: Database, viewer: Actor, filters: Filters, limit: int, offset: int = 0
) -> Page:
    """Return a stretch of a filtered list, and how long the whole of it is."""
    clauses, params = filters.where()
    predicate, seen = visible(viewer, db.now())
    where = " and ".join([_LISTED, *clauses, predicate])
    total = int(
        db.value(
            f"select count(*) from (select 1 from titles where {where} limit :most)",
            params | seen | {"most": COUNTED + 1},
        )
    )
    found = filtered(db, viewer, filters, limit, offset) if total else ()
    return Page(found, min(total, COUNTED), total > COUNTED)


def chosen(
    db: Database,
    viewer: Actor,
    table: str,
    key: str,
    value: object,
    limit: int,
    offset: int = 0,
) -> tuple[int, ...]:
    """Return titles that somebody put in an order by hand, as their table says it.

    ``table`` and ``key`` are names of our own: what is chosen is the row where the
    column ``key`` is ``value``.
    """
    predicate, seen = visible(viewer, db.now())
    rows = db.conn.execute(
        f"""
        select titles.id from {table}
        cross join titles on titles.id = {table}.title_id
        where {table}.{key} = :chosen and {predicate}
        order by {table}.position, titles.id
        limit :limit offset :offset
        """,
        {**seen, "chosen": value, "limit": limit, "offset": offset},
    )
    return tuple(row[0] for row in rows)


_LISTED = "titles.parent_id is null and titles.state = 'published'"


def _ids(
    db: Database,
    viewer: Actor,
    where: str,
    order: str,
    limit: int,
    offset: int = 0,
    params: dict[str, object] | None = None,
) -> tuple[int, ...]:
    predicate, seen = visible(viewer, db.now())
    rows = db.conn.execute(
        f"""
        select titles.id from titles
        where {where} and {predicate}
        order by {order}
        limit :limit offset :offset
        """,
        {**(params or {}), **seen, "limit": limit, "offset": offset},
    )
    return tuple(row[0] for row in rows)


def _of_genre(
    db: Database, viewer: Actor, genre: str, limit: int, offset: int
) -> tuple[int, ...]:
    """Return the newest of a genre by the index that was made for that."""
    predicate, seen = visible(viewer, db.now())
    rows = db.conn.execute(
        f"""
        select titles.id from title_genres
        cross join titles on titles.id = title_genres.title_id
        where title_genres.genre_id = (select id from genres where slug = :genre)
            and title_genres.shown_at is not null
            and titles.parent_id is null and {predicate}
        order by title_genres.shown_at desc, title_genres.title_id desc
        limit :limit offset :offset
        """,
        {**seen, "genre": genre, "limit": limit, "offset": offset},
    )
    return tuple(row[0] for row in rows)
