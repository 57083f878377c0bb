"""Genres and tags: names that titles share; one that no title has any more is gone."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.catalog import slugs
from appliance.db import Database
from appliance.errors import NotFound

_ALL = -1


@dataclass(frozen=True, slots=True)
class Topic:
    """A genre or a tag, as its page and its titles name it."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Topics:
    """All genres, or all tags: ``word`` is what one of them is called."""

    word: str

    def listing(self, db: Database, begins: str = "", limit: int = _ALL) -> list[Topic]:
        """Return them in the order of the alphabet, or those that begin like this."""
        rows = db.rows(
            f"""
            select slug, name from {self.word}s
            where instr(lower(name), lower(:begins)) = 1
            order by name collate nocase
            limit :limit
            """,
            {"begins": begins, "limit": limit},
        )
        return [Topic(**row) for row in rows]

    def by_slug(self, db: Database, slug: str) -> Topic:
        """Return one. Errors: ``NotFound``."""
        row = db.one(f"select slug, name from {self.word}s where slug = ?", (slug,))
        if row is None:
            raise NotFound(f"{self.word}.missing", f"There is no {self.word} “{slug}”.")
        return Topic(**row)

    def of_title(self, db: Database, title_id: int) -> tuple[Topic, ...]:
        """Return those of a title in the order somebody gave them."""
        rows = db.rows(self._of_title("own.rowid"), (title_id,))
        return tuple(Topic(**row) for row in rows)

    def largest(self, db: Database, title_id: int) -> Topic | None:
        """Return the one of a title that most titles have; None: it has none."""
        table = f"title_{self.word}s"
        count = f"(select count(*) from {table} where {self.word}_id = each.id)"
        row = db.one(f"{self._of_title(f'{count} desc')} limit 1", (title_id,))
        return Topic(**row) if row else None

    def assign(self, db: Database, title_id: int, names: Iterable[str]) -> None:
        """Give a title exactly these, inside the transaction that is open."""
        wanted = [self._id(db, name) for name in names]
        table = f"title_{self.word}s"
        gone = db.conn.execute(f"delete from {table} where title_id = ?", (title_id,))
        db.conn.executemany(
            f"insert or ignore into {table} (title_id, {self.word}_id) values (?, ?)",
            [(title_id, each) for each in wanted],
        )
        # A title that had none leaves none without a title: to look takes a while.
        if gone.rowcount:
            self.drop_unused(db)

    def drop_unused(self, db: Database) -> None:
        """Remove what no title has, inside the transaction that is open."""
        db.conn.execute(
            f"""
            delete from {self.word}s
            where not exists (
                select 1 from title_{self.word}s where {self.word}_id = {self.word}s.id
            )
            """
        )

    def _of_title(self, order: str) -> str:
        return f"""
            select each.slug, each.name from title_{self.word}s own
            join {self.word}s each on each.id = own.{self.word}_id
            where own.title_id = ?
            order by {order}
            """

    def _id(self, db: Database, name: str) -> int:
        slug = slugs.slug(name) or self._slug_of_another_script(name)
        found = db.value(f"select id from {self.word}s where slug = ?", (slug,))
        if found is not None:
            return int(found)
        cursor = db.conn.execute(
            f"insert into {self.word}s (slug, name) values (?, ?)", (slug, name)
        )
        return int(cursor.lastrowid or 0)

    def _slug_of_another_script(self, name: str) -> str:
        digest = hashlib.sha256(name.casefold().encode()).hexdigest()
        return f"{self.word}-{digest[:8]}"


genres, tags = Topics("genre"), Topics("tag")
