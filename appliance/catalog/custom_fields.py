"""Fields of this installation's own: defined once, filled in for each title.

The values stand with their title, by the key of the field; a field that is removed
takes its values with it.
"""

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from appliance.catalog import slugs, titles
from appliance.catalog.titles import Title
from appliance.db import Database, Row, write
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check, check_title

_LONGEST_LABEL, _LONGEST_TEXT, _MOST_CHOICES, _MOST = 60, 2000, 100, 40
_YES, _NO = ("yes", "true", "1"), ("no", "false", "0")


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    YES_NO = "yes-no"


@dataclass(frozen=True, slots=True)
class Field:
    """One field; ``used`` is how many titles have a value in it."""

    key: str
    label: str
    kind: Kind
    choices: tuple[str, ...]
    position: int
    used: int


def define(
    db: Database,
    actor: Actor,
    label: str,
    kind: str,
    *,
    choices: Iterable[str] = (),
    key: str = "",
) -> Field:
    """Make a field. Errors: ``InvalidInput``, ``Conflict``, ``Forbidden``."""
    check(actor, Action.PEOPLE_EDIT)
    cleaned = _label(label)
    wanted = _key(key or slugs.slug(cleaned).replace("-", "_") or "field")
    if kind not in tuple(Kind):
        raise _refusal("kind", f"The kind is one of: {', '.join(Kind)}.")
    offered = _choices(Kind(kind), choices)
    with write(db):
        if db.value("select 1 from custom_fields where key = ?", (wanted,)):
            raise Conflict(
                "field.exists",
                f"There is a field “{wanted}” already: choose another name.",
                {"field": "label"},
            )
        if int(db.value("select count(*) from custom_fields")) >= _MOST:
            raise _refusal("label", f"There can be {_MOST} fields.")
        db.conn.execute(
            """
            insert into custom_fields (key, label, kind, choices, position)
            values (?, ?, ?, ?, (
                select coalesce(max(position), 0) + 1 from custom_fields
            ))
            """,
            (wanted, cleaned, kind, json.dumps(offered)),
        )
        made = by_key(db, wanted)
        _record(db, actor, made, "made")
        return made


def change(
    db: Database,
    actor: Actor,
    key: str,
    *,
    label: str | None = None,
    choices: Iterable[str] | None = None,
    position: int | None = None,
) -> Field:
    """Change what a field is called, offers, or where it stands; its kind stays.

    Errors: ``InvalidInput``, ``NotFound``, ``Forbidden``.
    """
    check(actor, Action.PEOPLE_EDIT)
    with write(db):
        found = by_key(db, key)
        cleaned = found.label if label is None else _label(label)
        offered = list(found.choices)
        if choices is not None and found.kind is Kind.CHOICE:
            offered = _choices(found.kind, choices)
        if position is not None and not 0 <= position <= 1000:
            raise _refusal("position", "The position is a number from 0 to 1,000.")
        place = found.position if position is None else position
        db.conn.execute(
            """
            update custom_fields set label = ?, choices = ?, position = ? where key = ?
            """,
            (cleaned, json.dumps(offered), place, key),
        )
        made = by_key(db, key)
        if made != found:
            _record(db, actor, made, "changed")
        return made


def remove(db: Database, actor: Actor, key: str) -> Field:
    """Remove a field with what titles have in it.

    Errors: ``NotFound``, ``Forbidden``.
    """
    check(actor, Action.PEOPLE_EDIT)
    with write(db):
        found = by_key(db, key)
        db.conn.execute(
            """
            update titles
            set custom = json_remove(custom, :path), revision = revision + 1
            where json_extract(custom, :path) is not null
            """,
            {"path": _path(key)},
        )
        db.conn.execute("delete from custom_fields where key = ?", (key,))
        _record(db, actor, found, "removed")
        return found


def listing(db: Database) -> list[Field]:
    """Return every field in the order of the form, and how often it is used."""
    rows = db.rows("select * from custom_fields order by position, id")
    return [_field(db, row) for row in rows]


def offered(db: Database) -> list[Field]:
    """Return every field in the order of the form, without counting in all titles."""
    rows = db.rows("select * from custom_fields order by position, id")
    return [_made(row, 0) for row in rows]


def by_key(db: Database, key: str) -> Field:
    """Return one field. Errors: ``NotFound``."""
    row = db.one("select * from custom_fields where key = ?", (key,))
    if row is None:
        raise NotFound("field.missing", f"There is no field “{key[:60]}”.")
    return _field(db, row)


def clean(
    db: Database,
    values: Mapping[str, object],
    known: Mapping[str, Field] | None = None,
) -> dict[str, Any]:
    """Return values as a title keeps them; None for those that are empty.

    Texts are taken as somebody typed them; ``known`` spares asking for the fields
    again. Errors: ``InvalidInput`` with the field ``custom.KEY`` in its details.
    """
    known = {each.key: each for each in offered(db)} if known is None else known
    cleaned = {}
    for key, value in values.items():
        if key not in known:
            raise _refusal(f"custom.{key}", f"There is no field “{str(key)[:60]}”.")
        cleaned[key] = _value(known[key], value)
    return cleaned


def fill(
    db: Database,
    actor: Actor,
    slug: str,
    values: Mapping[str, object],
    *,
    revision: int | None = None,
) -> Title:
    """Give a title these values; those not named stay, an empty one is taken away.

    Errors: ``InvalidInput``, ``NotFound``, ``Forbidden``; ``Conflict`` when somebody
    changed the title since ``revision``.
    """
    cleaned = clean(db, values)
    with write(db):
        title = titles.by_slug(db, actor, slug)
        check_title(actor, title.created_by)
        if revision is not None and revision != title.revision:
            raise Conflict("title.changed", f"“{title.name}” was changed meanwhile.")
        merged = {**title.custom, **cleaned}
        kept = {key: value for key, value in merged.items() if value is not None}
        if kept == title.custom:
            return title
        db.conn.execute(
            """
            update titles set custom = ?, updated_at = ?, revision = revision + 1
            where id = ?
            """,
            (json.dumps(kept), db.now(), title.id),
        )
        changed = sorted(k for k in cleaned if title.custom.get(k) != cleaned[k])
        record(
            *(db, actor, Event.TITLE_UPDATE, f"title/{title.public_id}"),
            fields=[f"custom.{key}" for key in changed],
        )
        return titles.by_id(db, title.id)


def typed(value: object) -> str:
    """Return a value as a form, or a table, shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _value(field: Field, value: object) -> Any:
    if value is None or value == "":
        return None
    wrong = _KINDS[field.kind][1].format(", ".join(field.choices))
    try:
        return _KINDS[field.kind][0](field, value)
    except (ValueError, TypeError) as error:
        raise _refusal(f"custom.{field.key}", f"{field.label}: {wrong}") from error


def _text(_field: Field, value: object) -> str | None:
    text = _one_line(value, _LONGEST_TEXT)
    return text or None


def _number(_field: Field, value: object) -> float | int | None:
    if isinstance(value, bool):
        raise TypeError
    text = str(value).strip()
    if not text:
        return None
    if not re.fullmatch(r"-?\d{1,15}([.,]\d{1,9})?", text, re.ASCII):
        raise ValueError
    number = float(text.replace(",", "."))
    if not math.isfinite(number):
        raise ValueError
    return int(number) if number.is_integer() else number


def _date(_field: Field, value: object) -> str | None:
    text = str(value).strip()
    return date.fromisoformat(text).isoformat() if text else None


def _choice(field: Field, value: object) -> str | None:
    text = str(value).strip()
    if not text:
        return None
    offered = {each.casefold(): each for each in field.choices}
    if text.casefold() not in offered:
        raise ValueError
    return offered[text.casefold()]


def _yes_no(_field: Field, value: object) -> bool | None:
    text = str(value).strip().lower()
    if text in _YES:
        return True
    if text in _NO:
        return False
    if text:
        raise ValueError
    return None


_KINDS = {
    Kind.TEXT: (_text, f"a text of {_LONGEST_TEXT:,} characters at most."),
    Kind.NUMBER: (_number, "a number such as 12 or 3.5."),
    Kind.DATE: (_date, "a day such as 2026-02-01."),
    Kind.CHOICE: (_choice, "one of {}."),
    Kind.YES_NO: (_yes_no, "yes or no."),
}


def _label(label: object) -> str:
    wrong = f"The name has 1 to {_LONGEST_LABEL} characters."
    try:
        text = _one_line(label, _LONGEST_LABEL)
    except (TypeError, ValueError) as error:
        raise _refusal("label", wrong) from error
    if not text:
        raise _refusal("label", wrong)
    return text


def _key(key: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,59}", key, re.ASCII):
        raise _refusal(
            "key", "The key is small letters, digits and _, beginning with a letter."
        )
    return key


def _choices(kind: Kind, choices: Iterable[str]) -> list[str]:
    if kind is not Kind.CHOICE:
        return []
    try:
        texts = [_one_line(each, _LONGEST_LABEL) for each in choices]
    except (TypeError, ValueError) as error:
        raise _refusal(
            "choices", f"A choice has {_LONGEST_LABEL} characters at most."
        ) from error
    once: dict[str, str] = {}
    for text in filter(None, texts):
        once.setdefault(text.casefold(), text)
    if not 1 <= len(once) <= _MOST_CHOICES:
        raise _refusal("choices", f"Give 1 to {_MOST_CHOICES} choices, a line each.")
    return list(once.values())


def _one_line(value: object, longest: int) -> str:
    if not isinstance(value, str):
        raise TypeError
    text = " ".join(value.split())
    text = "".join(each for each in text if unicodedata.category(each) not in _NO_TEXT)
    if len(text) > longest:
        raise ValueError
    return unicodedata.normalize("NFC", text)


_NO_TEXT = frozenset({"Cc", "Cs"})


def _field(db: Database, row: Row) -> Field:
    used = db.value(
        "select count(*) from titles where json_extract(custom, ?) is not null",
        (_path(row["key"]),),
    )
    return _made(row, int(used))


def _made(row: Row, used: int) -> Field:
    return Field(
        key=row["key"],
        label=row["label"],
        kind=Kind(row["kind"]),
        choices=tuple(json.loads(row["choices"])),
        position=row["position"],
        used=used,
    )


def _path(key: str) -> str:
    return f'$."{key}"'


def _refusal(field: str, sentence: str) -> InvalidInput:
    return InvalidInput("field.value", sentence, {"field": field})


def _record(db: Database, actor: Actor, field: Field, change: str) -> None:
    record(
        db,
        actor,
        Event.FIELD_CHANGE,
        f"field/{field.key}",
        change=change,
        label=field.label,
        kind=field.kind.value,
    )
