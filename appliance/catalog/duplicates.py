"""The same film in two titles, known by the hash of its source."""

from dataclasses import dataclass

from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.permissions import Actor, visible


@dataclass(frozen=True, slots=True)
class Twin:
    """Another title that holds the same film."""

    slug: str
    name: str


def of_title(db: Database, actor: Actor, title: Title) -> list[Twin]:
    """Return the titles the actor may see that hold a film of this title as well."""
    predicate, params = visible(actor, db.now())
    rows = db.rows(
        f"""
        select distinct titles.slug, titles.name
        from assets mine
        join assets other on other.source_sha256 = mine.source_sha256
        join titles on titles.id = other.title_id
        where mine.title_id = :title and titles.id <> :title and {predicate}
        order by titles.id limit 20
        """,
        {"title": title.id, **params},
    )
    return [Twin(**row) for row in rows]


def likely(db: Database, actor: Actor, filename: str, size: int) -> list[Twin]:
    """Return titles with a film of that name and size: most likely the same.

    The hash is known when the film has arrived; this can be said before.
    """
    predicate, params = visible(actor, db.now())
    rows = db.rows(
        f"""
        select distinct titles.slug, titles.name
        from assets join titles on titles.id = assets.title_id
        where assets.source_bytes = :size and assets.source_name = :filename
            and {predicate}
        order by titles.id limit 5
        """,
        {"size": size, "filename": filename, **params},
    )
    return [Twin(**row) for row in rows]


def groups(db: Database, actor: Actor, limit: int = 100) -> list[list[Twin]]:
    """Return the films that stand in several titles, each with those titles."""
    predicate, params = visible(actor, db.now())
    rows = db.rows(
        f"""
        select distinct assets.source_sha256 as hash, titles.slug, titles.name
        from assets join titles on titles.id = assets.title_id
        where {predicate} and assets.source_sha256 in (
            select source_sha256 from assets join titles on titles.id = assets.title_id
            where source_sha256 is not null and titles.removed_at is null
            group by source_sha256 having count(distinct title_id) > 1
            limit :limit
        )
        order by assets.source_sha256, titles.id
        """,
        {"limit": limit, **params},
    )
    found: dict[str, list[Twin]] = {}
    for row in rows:
        found.setdefault(row["hash"], []).append(Twin(row["slug"], row["name"]))
    return [each for each in found.values() if len(each) > 1]
