"""People of the cast and crew: found, named, described and removed."""

import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.catalog import slugs
from appliance.db import Database, Row, write
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check

_LONGEST_NAME = 120
_LONGEST_BIOGRAPHY = 5000
_LONGEST_EXTERNAL = 100
# Two people of one name are told apart as “Jane Doe (jane-doe-2)”.
_TOLD_APART = re.compile(r"(.+) \(([a-z0-9-]+)\)")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with credits; ``portrait`` is the public id of a picture.

    ``revision`` counts changes, ``titles`` the titles with a credit of theirs.
    """

    id: int
    public_id: str
    slug: str
    name: str
    biography: str
    portrait: str | None
    external_id: str | None
    revision: int
    created_at: str
    updated_at: str
    titles: int


_SELECT = """
select people.*, (
    select count(distinct title_id) from credits where person_id = people.id
) as titles
from people
"""


def listing(
    db: Database, words: str = "", *, limit: int = 50, offset: int = 0
) -> list[Person]:
    """Return people whose name has these words, in the order of the alphabet."""
    rows = db.rows(
        f"""
        {_SELECT}
        where name like :like escape '\\'
        order by name collate nocase, id
        limit :limit offset :offset
        """,
        {"like": _like(words), "limit": limit, "offset": offset},
    )
    return [Person(**row) for row in rows]


def count(db: Database, words: str = "") -> int:
    """Return how many people :func:`listing` has in all."""
    sql = "select count(*) from people where name like ? escape '\\'"
    return int(db.value(sql, (_like(words),)))


def by_slug(db: Database, slug: str) -> Person:
    """Return one person. Errors: ``NotFound``."""
    row = db.one(f"{_SELECT} where slug = ?", (slug,))
    if row is None:
        raise NotFound("person.missing", f"There is no person “{slug}”.")
    return Person(**row)


def add(db: Database, actor: Actor, name: str, **more: object) -> Person:
    """Make a person; ``more`` are ``biography`` and ``external_id``.

    Errors: ``InvalidInput``, ``Forbidden``.
    """
    check(actor, Action.PEOPLE_EDIT)
    cleaned = _clean({"name": name, **more})
    with write(db):
        _refuse_taken(db, cleaned.get("external_id"), but=0)
        person_id = _insert(db, cleaned.pop("name"), **cleaned)
        made = _by_id(db, person_id)
        _record(db, actor, made, "made")
        return made


def edit(
    db: Database,
    actor: Actor,
    slug: str,
    *,
    revision: int | None = None,
    **changes: object,
) -> Person:
    """Change ``name``, ``biography`` or ``external_id`` of a person; the slug stays.

    Errors: ``InvalidInput``, ``NotFound``, ``Forbidden``; ``Conflict`` when somebody
    changed it since ``revision``.
    """
    check(actor, Action.PEOPLE_EDIT)
    cleaned = _clean(changes)
    with write(db):
        person = by_slug(db, slug)
        if revision is not None and revision != person.revision:
            raise Conflict(
                "person.changed",
                f"Somebody else changed “{person.name}” while you wrote: compare, and"
                " save again to keep yours.",
                {"revision": person.revision},
            )
        changed = {
            each: value
            for each, value in cleaned.items()
            if value != getattr(person, each)
        }
        if not changed:
            return person
        _refuse_taken(db, changed.get("external_id"), but=person.id)
        change(db, actor, person, **changed)
        return by_slug(db, slug)


def remove(db: Database, actor: Actor, slug: str) -> Person:
    """Remove a person with their credits; the titles stay.

    The files of a portrait are removed by :func:`appliance.catalog.portraits.remove`.
    """
    check(actor, Action.PEOPLE_EDIT)
    with write(db):
        person = by_slug(db, slug)
        db.conn.execute("delete from people where id = ?", (person.id,))
        _record(db, actor, person, "removed", titles=person.titles)
        return person


def named(db: Database, name: str) -> int:
    """Return the key of who is called so, inside the transaction that is open.

    A slug does as well, alone or behind the name; else it becomes a new person.
    """
    apart = _TOLD_APART.fullmatch(name)
    for slug in (apart.group(2) if apart else "", name):
        found = db.value("select id from people where slug = ?", (slug,))
        if found is not None:
            return int(found)
    found = db.value(
        "select id from people where name = ? collate nocase order by id limit 1",
        (name,),
    )
    return int(found) if found is not None else _insert(db, name)


def told_apart(name: str, slug: str, shared: bool) -> str:
    """Return a name that :func:`named` finds the same person by."""
    return f"{name} ({slug})" if shared else name


def change(db: Database, actor: Actor, person: Person, **columns: object) -> None:
    """Write columns of a person, inside the transaction that is open."""
    db.table("people").update(
        person.id,
        {**columns, "revision": person.revision + 1, "updated_at": db.now()},
    )
    _record(db, actor, person, "changed", fields=sorted(columns))


def _insert(db: Database, name: str, **columns: object) -> int:
    now = db.now()
    row = {
        "public_id": secrets.token_hex(8),
        "slug": slugs.unique(db, name, table="people", otherwise="person"),
        "name": name,
        **columns,
        "created_at": now,
        "updated_at": now,
    }
    return int(db.table("people").insert(row).last_pk or 0)


def _clean(fields: Mapping[str, object]) -> dict[str, Any]:
    cleaned: dict[str, Any] = {}
    for field, value in fields.items():
        if field not in ("name", "biography", "external_id"):
            raise _refusal(field, f"A person has no field “{field}”.")
        if field == "external_id" and value is None:
            cleaned[field] = None
            continue
        text = _text(field, value)
        if field == "name" and not text:
            raise _refusal(field, "Give the person a name.")
        cleaned[field] = text if field != "external_id" else text or None
    return cleaned


def _text(field: str, value: object) -> str:
    longest, lines = {
        "name": (_LONGEST_NAME, ""),
        "biography": (_LONGEST_BIOGRAPHY, "\n"),
        "external_id": (_LONGEST_EXTERNAL, ""),
    }[field]
    if not isinstance(value, str):
        raise _refusal(field, f"The {field.replace('_', ' ')} is a text.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _refusal(field, f"The {field} is not proper Unicode text.") from error
    text = unicodedata.normalize("NFC", value).replace("\r\n", "\n").strip()
    if not lines:
        text = " ".join(text.split())
    text = "".join(
        each for each in text if each in lines or unicodedata.category(each) != "Cc"
    )
    if len(text) > longest:
        what = field.replace("_", " ")
        raise _refusal(field, f"The {what} may have {longest:,} characters at most.")
    return text


def _refuse_taken(db: Database, external_id: str | None, *, but: int) -> None:
    if external_id is None:
        return
    taken = db.value(
        "select name from people where external_id = ? and id != ?",
        (external_id, but),
    )
    if taken is not None:
        raise _refusal("external_id", f"“{taken}” has this external id already.")


def _by_id(db: Database, person_id: int) -> Person:
    row: Row | None = db.one(f"{_SELECT} where people.id = ?", (person_id,))
    if row is None:
        raise NotFound("person.missing", "That person has been removed.")
    return Person(**row)


def _like(words: str) -> str:
    plain = re.sub(r"([\\%_])", r"\\\1", " ".join(words.split()).replace("\0", ""))
    return f"%{plain}%"


def _refusal(field: str, sentence: str) -> InvalidInput:
    return InvalidInput(f"person.{field}", sentence, {"field": field})


def _record(
    db: Database, actor: Actor, person: Person, change: str, **data: object
) -> None:
    record(
        db,
        actor,
        Event.PERSON_CHANGE,
        f"person/{person.public_id}",
        change=change,
        name=person.name,
        **data,
    )
