"""Arranging the home page: rows are made, changed, moved, switched off, removed."""

import json
import secrets
from collections.abc import Iterable, Mapping
from itertools import takewhile
from typing import Any

from appliance.access import moments, parties
from appliance.captions import languages
from appliance.catalog import collections
from appliance.db import Database, write
from appliance.discovery.filters import Filters
from appliance.discovery.home_rows import (
    HEADINGS,
    MADE,
    PERSONAL,
    HomeRow,
    RowKind,
    Watchers,
    by_public_id,
    listing,
)
from appliance.errors import Conflict, InvalidInput
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check

_LONGEST_HEADING, _MOST_ROWS = 80, 60


def add(
    db: Database, actor: Actor, kind: str, heading: str, **fields: object
) -> HomeRow:
    """Make a row above all that everybody sees: chosen, by a rule, or of a collection.

    ``fields`` are those of :func:`change`.
    Errors: ``InvalidInput``, ``NotFound``, ``Conflict``, ``Forbidden``.
    """
    check(actor, Action.HOME_ARRANGE)
    if kind not in MADE:
        raise _wrong("kind", f"A row is one of: {', '.join(sorted(MADE))}.")
    with write(db):
        if len(listing(db)) >= _MOST_ROWS:
            raise Conflict(
                "row.too-many", f"There are {_MOST_ROWS} rows: remove one first."
            )
        columns, titles = _columns(db, RowKind(kind), {"heading": heading, **fields})
        _require_whole(RowKind(kind), columns)
        now = db.now()
        row = columns | {
            "public_id": secrets.token_hex(8),
            "kind": kind,
            "created_at": now,
            "updated_at": now,
        }
        key = int(db.table("home_rows").insert(row).last_pk or 0)
        _choose(db, actor, key, titles or ())
        rows = listing(db)
        made = next(each for each in rows if each.id == key)
        others = [each for each in rows if each.id != key]
        own = (RowKind.HERO, *PERSONAL)
        first = len(list(takewhile(lambda each: each.kind in own, others)))
        _order(db, [*others[:first], made, *others[first:]])
        return _recorded(db, actor, made.public_id, "made")


def change(
    db: Database,
    actor: Actor,
    public_id: str,
    *,
    revision: int | None = None,
    **changes: object,
) -> HomeRow:
    """Change a row, as far as its kind has what is to be changed.

    There are: heading, translations (by language), enabled, audience, group (a name),
    starts_at, ends_at; rule (words of a filter), collection (a slug), titles (slugs in
    their order). ``revision`` is the one that somebody had before them.
    Errors: ``InvalidInput``, ``NotFound``, ``Forbidden``; ``Conflict`` when somebody
    else changed it since.
    """
    check(actor, Action.HOME_ARRANGE)
    with write(db):
        found = by_public_id(db, public_id)
        if revision is not None and revision != found.revision:
            raise Conflict(
                "row.changed",
                f"Somebody changed the row “{found.heading or found.kind}” since you"
                " opened it. Nothing was saved; what you wrote is still here.",
                {"revision": found.revision},
            )
        before = {"starts_at": found.starts_at, "ends_at": found.ends_at}
        span = before if before.keys() & changes.keys() else {}
        columns, titles = _columns(db, found.kind, {**span, **changes})
        if found.kind in MADE and not columns.get("heading", found.heading):
            raise _wrong("heading", "Write what is to stand over the row.")
        if columns.get("heading") == HEADINGS.get(found.kind):
            columns["heading"] = ""
        if columns:
            db.table("home_rows").update(found.id, columns)
        if titles is not None:
            _choose(db, actor, found.id, titles)
        db.conn.execute(
            """
            update home_rows set revision = revision + 1, updated_at = ?
            where id = ?
            """,
            (db.now(), found.id),
        )
        return _recorded(db, actor, public_id, "changed")


def move(db: Database, actor: Actor, public_id: str, by: int) -> HomeRow:
    """Move a row up (negative) or down by so many places, as far as there are.

    What stands in large stays on top. Errors: ``NotFound``, ``Forbidden``.
    """
    check(actor, Action.HOME_ARRANGE)
    with write(db):
        found = by_public_id(db, public_id)
        rows = [each for each in listing(db) if each.id != found.id]
        here = sum(1 for each in rows if (each.position, each.id) < _place(found))
        least = sum(1 for each in rows[:1] if each.kind is RowKind.HERO)
        there = 0 if found.kind is RowKind.HERO else max(least, here + by)
        _order(db, [*rows[:there], found, *rows[there:]])
        return _recorded(db, actor, public_id, "moved")


def remove(db: Database, actor: Actor, public_id: str) -> HomeRow:
    """Remove a row; our own can only be switched off.

    Errors: ``Conflict``, ``NotFound``, ``Forbidden``.
    """
    check(actor, Action.HOME_ARRANGE)
    with write(db):
        found = by_public_id(db, public_id)
        if found.kind not in MADE:
            raise Conflict(
                "row.own",
                "This row can’t be removed: switch it off, and nobody sees it.",
            )
        _recorded(db, actor, public_id, "removed")
        db.conn.execute("delete from home_rows where id = ?", (found.id,))
        return found


def _place(row: HomeRow) -> tuple[int, int]:
    return row.position, row.id


def _order(db: Database, rows: Iterable[HomeRow]) -> None:
    db.conn.executemany(
        "update home_rows set position = ? where id = ?",
        [(place, row.id) for place, row in enumerate(rows)],
    )


def _columns(
    db: Database, kind: RowKind, changes: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...] | None]:
    """Return columns as they are stored, and slugs of titles where they are given."""
    for name in changes:
        if name not in _FIELDS or not _fits(kind, name):
            raise _wrong(name, f"A row of this kind has no {name[:40]}.")
    columns: dict[str, Any] = {}
    for name, value in changes.items():
        if name in _STORED:
            columns[name] = _STORED[name](value)
    if "group" in changes:
        name = str(changes["group"] or "").strip()
        columns["group_id"] = parties.group(db, name) if name else None
    if "collection" in changes:
        slug = str(changes["collection"] or "")
        columns["collection_id"] = _collection(db, slug)
    if {"starts_at", "ends_at"} & changes.keys():
        begins, ends = moments.span(changes.get("starts_at"), changes.get("ends_at"))
        columns |= {"starts_at": begins, "ends_at": ends}
    titles = changes.get("titles")
    return columns, None if titles is None else tuple(titles)


def _collection(db: Database, slug: str) -> int:
    if not slug:
        raise _wrong("collection", "Choose the collection that the row shows.")
    return collections.by_slug(db, slug).id


def _require_whole(kind: RowKind, columns: Mapping[str, Any]) -> None:
    if not columns.get("heading"):
        raise _wrong("heading", "Write what is to stand over the row.")
    if kind is RowKind.COLLECTION and not columns.get("collection_id"):
        raise _wrong("collection", "Choose the collection that the row shows.")


def _choose(db: Database, actor: Actor, row_id: int, slugs: tuple[str, ...]) -> None:
    wanted = collections.chosen(db, actor, slugs)
    db.conn.execute("delete from home_row_titles where row_id = ?", (row_id,))
    db.conn.executemany(
        "insert into home_row_titles (row_id, title_id, position) values (?, ?, ?)",
        [(row_id, key, place) for place, key in enumerate(wanted)],
    )


def _fits(kind: RowKind, name: str) -> bool:
    only = {
        "rule": (RowKind.RULE,),
        "collection": (RowKind.COLLECTION,),
        "titles": (RowKind.CHOSEN, RowKind.HERO),
    }
    return name not in only or kind in only[name]


def _heading(value: object) -> str:
    cleaned = " ".join(str(value or "").split())
    if len(cleaned) > _LONGEST_HEADING or not (cleaned.isprintable() or not cleaned):
        raise _wrong("heading", f"A heading has at most {_LONGEST_HEADING} characters.")
    return cleaned


def _translations(value: object) -> str:
    given = value if isinstance(value, Mapping) else {}
    told = {languages.tag(str(tag)): _heading(text) for tag, text in given.items()}
    return _text({tag: text for tag, text in told.items() if text})


def _rule(value: object) -> str:
    if not isinstance(value, Mapping):
        raise _wrong("rule", "A rule is written as genre=safety sort=newest.")
    return _text(Filters.read(value).as_words())


def _watchers(value: object) -> str:
    if value not in tuple(Watchers):
        raise _wrong("audience", f"An audience is one of: {', '.join(Watchers)}.")
    return str(value)


_STORED: Mapping[str, Any] = {
    "heading": _heading,
    "translations": _translations,
    "rule": _rule,
    "audience": _watchers,
    "enabled": bool,
}
_FIELDS = frozenset(_STORED) | {"group", "collection", "starts_at", "ends_at", "titles"}


def _text(value: Mapping[str, str]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _wrong(field: str, sentence: str) -> InvalidInput:
    return InvalidInput(f"row.{field[:40]}", sentence, {"field": field})


def _recorded(db: Database, actor: Actor, public_id: str, change: str) -> HomeRow:
    found = by_public_id(db, public_id)
    record(
        db,
        actor,
        Event.HOME_CHANGE,
        f"row/{found.public_id}",
        change=change,
        kind=found.kind.value,
        heading=found.heading,
    )
    return found
