"""Availability: when, where and to whom a title is shown, and how sharp."""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.access import countries, moments, parties
from appliance.catalog import titles
from appliance.db import Database, Row, write
from appliance.errors import InvalidInput, NotFound
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check


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


@dataclass(frozen=True, slots=True)
class Listed:
    """A window as it is listed, with the slug of its title."""

    id: str
    title: str
    starts_at: str | None
    ends_at: str | None
    group: str | None
    territories: tuple[str, ...]
    max_height: int | None


def of_title(
    db: Database, title_id: int, account_id: int, whole_id: int | None = None
) -> tuple[Window, ...]:
    """Return every window of a title as it is for an account, also past ones.

    A part without a window of its own has those of the whole, as an episode has those
    of its series.
    """
    params = {"account": account_id, "title": title_id, "whole": whole_id}
    rows = db.conn.execute(_OF_TITLE, params)
    return tuple(_window(*row) for row in rows)


def add(
    db: Database,
    actor: Actor,
    slug: str,
    *,
    starts_at: str | None = None,
    ends_at: str | None = None,
    group: str = "",
    territories: Iterable[str] = (),
    max_height: int | None = None,
) -> Listed:
    """Show a title in a time, in countries, to a group, or up to a height.

    From the first window on, the title is shown in its windows only.
    Errors: ``InvalidInput``, ``NotFound``, ``Forbidden``.
    """
    check(actor, Action.TITLE_EDIT)
    begins, ends = moments.span(starts_at, ends_at)
    where = sorted(countries.codes(territories))
    _refuse_nonsense((begins, ends, group, where), max_height)
    public_id = secrets.token_hex(8)
    with write(db):
        title = titles.by_slug(db, actor, slug)
        row = {
            "public_id": public_id,
            "title_id": title.id,
            "starts_at": begins,
            "ends_at": ends,
            "group_id": parties.group(db, group) if group else None,
            "territories": json.dumps(where),
            "max_height": max_height,
            "created_at": db.now(),
        }
        db.table("availability_windows").insert(row)
        added = by_id(db, public_id)
        _record(db, actor, title.public_id, added, change="add")
    return added


def remove(db: Database, actor: Actor, public_id: str) -> Listed:
    """Remove a window; return what it was. Errors: ``NotFound``, ``Forbidden``."""
    check(actor, Action.TITLE_EDIT)
    with write(db):
        window = by_id(db, public_id)
        title = titles.by_slug(db, actor, window.title)
        db.conn.execute(
            "delete from availability_windows where public_id = ?", (public_id,)
        )
        _record(db, actor, title.public_id, window, change="remove")
    return window


def replace(
    db: Database,
    actor: Actor,
    public_id: str,
    *,
    starts_at: str | None = None,
    ends_at: str | None = None,
    group: str = "",
    territories: Iterable[str] = (),
    max_height: int | None = None,
) -> Listed:
    """Put a window in the place of another of the same title, in one step.

    Errors: those of :func:`add`; the window stays then as it was.
    """
    check(actor, Action.TITLE_EDIT)
    with write(db):
        gone = remove(db, actor, public_id)
        return add(
            db,
            actor,
            gone.title,
            starts_at=starts_at,
            ends_at=ends_at,
            group=group,
            territories=territories,
            max_height=max_height,
        )


def by_id(db: Database, public_id: str) -> Listed:
    """Return one window. Errors: ``NotFound``."""
    row = db.one(f"{_LISTED} where w.public_id = ?", (public_id,))
    if row is None:
        raise NotFound("window.missing", f"There is no window “{public_id}”.")
    return _listed(row)


def listing(db: Database, slug: str = "") -> list[Listed]:
    """Return every window, or those of one title, the first to begin first."""
    rows = db.rows(
        f"""
        {_LISTED} where :slug = '' or t.slug = :slug
        order by t.slug, w.starts_at, w.id
        """,
        {"slug": slug},
    )
    return [_listed(row) for row in rows]


def titles_by_country(db: Database) -> int:
    """Return how many titles have a window that names countries."""
    return int(
        db.value(
            """
            select count(distinct title_id) from availability_windows
            where territories != '[]'
            """
        )
    )


_OF_TITLE = """
select w.public_id, w.starts_at, w.ends_at, g.name,
    w.group_id is null or exists (
        select 1 from group_members
        where group_id = w.group_id and account_id = :account
    ),
    w.territories, w.max_height
from availability_windows w
left join groups g on g.id = w.group_id
where w.title_id = coalesce(
    (select title_id from availability_windows where title_id = :title limit 1), :whole
)
order by w.id
"""

_LISTED = """
select w.public_id as id, t.slug as title, w.starts_at, w.ends_at,
    g.name as "group", w.territories, w.max_height
from availability_windows w
join titles t on t.id = w.title_id
left join groups g on g.id = w.group_id
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


def _listed(row: Row) -> Listed:
    return Listed(**row | {"territories": tuple(json.loads(row["territories"]))})


def _refuse_nonsense(restrictions: tuple[object, ...], max_height: int | None) -> None:
    if max_height is not None and not 1 <= max_height <= 10_000:
        raise InvalidInput(
            "window.height",
            "The greatest height in pixels is a whole number from 1 to 10,000.",
            {"field": "max_height"},
        )
    if max_height is None and not any(restrictions):
        raise InvalidInput(
            "window.empty",
            "A window says when, where, to whom or how sharp a title is shown: give"
            " one of these at least. Without any window it is always shown.",
        )


def _record(
    db: Database, actor: Actor, title: str, window: Listed, *, change: str
) -> None:
    record(
        db,
        actor,
        Event.AVAILABILITY_CHANGE,
        f"title/{title}",
        change=change,
        window=window.id,
        starts_at=window.starts_at,
        ends_at=window.ends_at,
        group=window.group,
        territories=window.territories,
        max_height=window.max_height,
    )
