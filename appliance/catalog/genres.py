"""Genres: names that titles share; one that no title has any more is gone."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.catalog import slugs
from appliance.db import Database
from appliance.errors import NotFound


@dataclass(frozen=True, slots=True)
class Genre:
    """A genre, with how many published titles it has."""

    slug: str
    name: str
    titles: int


def listing(db: Database) -> list[Genre]:
    """Return every genre in the order of the alphabet."""
    return [
        Genre(**row)
        for row in db.rows(
            """
            select genres.slug, genres.name,
                (select count(*) from title_genres
                 where genre_id = genres.id and shown_at is not null) as titles
            from genres
            order by genres.name collate nocase
            """
        )
    ]


def by_slug(db: Database, slug: str) -> Genre:
    """Return one genre. Errors: ``NotFound``."""
    row = db.one(
        """
        select genres.slug, genres.name,
            (select count(*) from title_genres
             where genre_id = genres.id and shown_at is not null) as titles
        from genres
        where genres.slug = ?
        """,
        (slug,),
    )
    if row is None:
        raise NotFound("genre.missing", f"There is no genre “{slug}”.")
    return Genre(**row)


def assign(db: Database, title_id: int, names: Iterable[str]) -> None:
    """Give a title exactly these genres, inside the transaction that is open."""
    wanted = [_id(db, name) for name in names]
    db.conn.execute("delete from title_genres where title_id = ?", (title_id,))
    db.conn.executemany(
        "insert or ignore into title_genres (title_id, genre_id) values (?, ?)",
        [(title_id, genre_id) for genre_id in wanted],
    )
    drop_unused(db)


def drop_unused(db: Database) -> None:
    """Remove the genres that no title has, inside the transaction that is open."""
    db.conn.execute(
        """
        delete from genres
        where not exists (select 1 from title_genres where genre_id = genres.id)
        """
    )


def _id(db: Database, name: str) -> int:
    slug = slugs.slug(name) or _slug_of_another_script(name)
    row = db.one("select id from genres where slug = ?", (slug,))
    if row is not None:
        return int(row["id"])
    cursor = db.conn.execute(
        "insert into genres (slug, name) values (?, ?)", (slug, name)
    )
    return int(cursor.lastrowid or 0)


def _slug_of_another_script(name: str) -> str:
    digest = hashlib.sha256(name.casefold().encode()).hexdigest()
    return f"genre-{digest[:8]}"
