"""When titles are shown, side by side: windows of many titles in a stretch of time."""

from dataclasses import dataclass

from appliance.access import availability
from appliance.access.availability import Listed
from appliance.db import Database
from appliance.permissions import Actor, visible


@dataclass(frozen=True, slots=True)
class Line:
    """A title with its windows, the first to begin first."""

    slug: str
    name: str
    windows: tuple[Listed, ...]


def lines(
    db: Database,
    actor: Actor,
    starts_at: str,
    ends_at: str,
    *,
    limit: int = 50,
    offset: int = 0,
) -> list[Line]:
    """Return titles with a window between the two moments, what ends first first."""
    predicate, params = visible(actor, db.now())
    rows = db.rows(
        f"""
        select titles.slug, titles.name
        from titles join availability_windows w on w.title_id = titles.id
        where {predicate} and {_WITHIN}
        group by titles.id
        order by min(coalesce(w.ends_at, '9')), titles.name collate nocase, titles.id
        limit :limit offset :offset
        """,
        {
            **params,
            "from": starts_at,
            "until": ends_at,
            "limit": limit,
            "offset": offset,
        },
    )
    return [
        Line(row["slug"], row["name"], tuple(availability.listing(db, row["slug"])))
        for row in rows
    ]


def count(db: Database, actor: Actor, starts_at: str, ends_at: str) -> int:
    """Return how many titles :func:`lines` has in all."""
    predicate, params = visible(actor, db.now())
    sql = f"""
        select count(distinct titles.id)
        from titles join availability_windows w on w.title_id = titles.id
        where {predicate} and {_WITHIN}
    """
    return int(db.value(sql, {**params, "from": starts_at, "until": ends_at}))


_WITHIN = """(
    coalesce(w.starts_at, '') < :until and (w.ends_at is null or w.ends_at > :from)
)"""
