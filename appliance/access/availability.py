"""Availability: when, where and to whom a title is shown, and how sharp."""

import json
from dataclasses import dataclass

from appliance.db import Database


@dataclass(frozen=True, slots=True)
class Window:
    """One row: from ``starts_at`` until before ``ends_at``, UTC text.

    ``group`` names whom it is for (None: everybody), ``for_viewer`` says whether who
    asks is one of them; no ``territories`` means everywhere.
    """

    public_id: str
    starts_at: str | None = None
    ends_at: str | None = None
    group: str | None = None
    for_viewer: bool = True
    territories: frozenset[str] = frozenset()
    max_height: int | None = None


def of_title(db: Database, title_id: int, account_id: int) -> tuple[Window, ...]:
    """Return every window of a title as it is for an account, also past ones."""
    rows = db.conn.execute(_OF_TITLE, {"account": account_id, "title": title_id})
    return tuple(_window(*row) for row in rows)


_OF_TITLE = """
select w.public_id, w.starts_at, w.ends_at, g.name,
    w.group_id is null or exists (
        select 1 from group_members
        where group_id = w.group_id and account_id = :account
    ),
    w.territories, w.max_height
from availability_windows w
left join groups g on g.id = w.group_id
where w.title_id = :title
order by w.id
"""


def _window(
    public_id: str,
    starts_at: str | None,
    ends_at: str | None,
    group: str | None,
    for_viewer: int,
    territories: str,
    max_height: int | None,
) -> Window:
    where = frozenset(json.loads(territories)) if territories != "[]" else frozenset()
    return Window(
        public_id, starts_at, ends_at, group, bool(for_viewer), where, max_height
    )
