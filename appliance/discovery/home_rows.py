"""Rows of the home page as somebody arranged them: their order, for whom, and when."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from appliance.db import Database, Row
from appliance.discovery.audience import Audience
from appliance.errors import NotFound


class RowKind(StrEnum):
    """What stands in a row."""

    HERO = "hero"
    CONTINUE = "continue"
    NEXT = "next"
    LIST = "list"
    NEW = "new"
    LEAVING = "leaving"
    GENRES = "genres"
    CHOSEN = "chosen"
    RULE = "rule"
    COLLECTION = "collection"


PERSONAL = frozenset({RowKind.CONTINUE, RowKind.NEXT, RowKind.LIST})
"""Rows that hold something else for each profile."""

MADE = frozenset({RowKind.CHOSEN, RowKind.RULE, RowKind.COLLECTION})
"""Rows that somebody makes; the others are always there, and can be switched off."""


HEADINGS: Mapping[RowKind, str] = {
    RowKind.CONTINUE: "Continue watching",
    RowKind.NEXT: "Next up",
    RowKind.LIST: "My list",
    RowKind.NEW: "New in the library",
    RowKind.LEAVING: "Leaving soon",
}
"""What stands over our own rows, as long as nobody calls them otherwise."""


class Watchers(StrEnum):
    """Whose profiles see a row."""

    EVERYONE = "everyone"
    KIDS = "kids"
    ADULTS = "adults"


@dataclass(frozen=True, slots=True)
class HomeRow:
    """One row. ``translations`` are headings by language, ``rule`` the words of a
    filter, ``titles`` slugs in their order, ``collection`` its slug, ``group`` a name.

    It shows from ``starts_at`` until before ``ends_at``, UTC text.
    """

    id: int
    public_id: str
    kind: RowKind
    heading: str
    translations: Mapping[str, str]
    rule: Mapping[str, str]
    collection_id: int | None
    collection: str | None
    position: int
    enabled: bool
    audience: Watchers
    group: str | None
    starts_at: str | None
    ends_at: str | None
    revision: int
    updated_at: str
    titles: tuple[str, ...] = field(default=())


def listing(db: Database) -> list[HomeRow]:
    """Return every row in its order, also those that nobody sees now."""
    return [_row(row) for row in db.rows(f"{_SELECT} order by position, home_rows.id")]


def by_public_id(db: Database, public_id: str) -> HomeRow:
    """Return one row. Errors: ``NotFound``."""
    row = db.one(f"{_SELECT} where home_rows.public_id = ?", (public_id,))
    if row is None:
        raise NotFound(
            "row.missing",
            f"There is no row “{public_id[:40]}”: see `matinee row list`.",
        )
    return _row(row)


def shown(db: Database, audience: Audience, now: str) -> list[HomeRow]:
    """Return what an audience sees at that moment, in order."""
    rows = db.rows(
        f"""
        {_SELECT}
        where enabled and audience in ('everyone', :watchers)
            and (
                group_id is null or group_id in (select value from json_each(:groups))
            )
            and coalesce(starts_at, '') <= :now
            and (ends_at is null or ends_at > :now)
        order by position, home_rows.id
        """,
        {
            "watchers": Watchers.KIDS if audience.kids else Watchers.ADULTS,
            "groups": json.dumps(audience.groups),
            "now": now,
        },
    )
    return [_row(row) for row in rows]


_SELECT = """
select home_rows.id, home_rows.public_id, kind, heading, translations, rule,
    collection_id, collections.slug as collection, position, enabled, audience,
    groups.name as "group", starts_at, ends_at, revision, home_rows.updated_at, (
        select json_group_array(slug) from (
            select titles.slug from home_row_titles
            join titles on titles.id = home_row_titles.title_id
            where home_row_titles.row_id = home_rows.id
            order by home_row_titles.position, titles.id
        )
    ) as titles
from home_rows
left join collections on collections.id = home_rows.collection_id
left join groups on groups.id = home_rows.group_id
"""


def _row(row: Row) -> HomeRow:
    return HomeRow(
        **row
        | {
            "kind": RowKind(row["kind"]),
            "heading": row["heading"] or HEADINGS.get(RowKind(row["kind"]), ""),
            "translations": json.loads(row["translations"]),
            "rule": json.loads(row["rule"]),
            "enabled": bool(row["enabled"]),
            "audience": Watchers(row["audience"]),
            "titles": tuple(json.loads(row["titles"])),
        }
    )
