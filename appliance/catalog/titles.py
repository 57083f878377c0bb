"""Titles: made, edited, listed, searched and removed; states move elsewhere."""

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from appliance.catalog import fields, genres, removal, slugs
from appliance.cenc import KeySystem, Scheme
from appliance.db import Database, Row, write
from appliance.errors import NotFound
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check, check_title, visible
from appliance.storage import Storage


class TitleState(StrEnum):
    """Where a title stands; :mod:`appliance.catalog.states` moves it."""

    DRAFT = "draft"
    PROCESSING = "processing"
    READY = "ready"
    PUBLISHED = "published"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class Title:
    """What is listed. ``poster`` and ``backdrop`` are public ids of artwork.

    ``genres`` stand in the order somebody gave them, the main one first. A protected
    title opens with its ``key_systems`` and is encrypted by its ``scheme``; those of
    the library where they are empty. ``policy_id`` is that of its licences.
    """

    id: int
    public_id: str
    slug: str
    kind: str
    name: str
    synopsis: str
    year: int | None
    rating: str
    language: str
    runtime_seconds: float | None
    state: TitleState
    protected: bool
    genres: tuple[str, ...]
    created_by: int | None
    created_at: str
    updated_at: str
    published_at: str | None
    poster: str | None
    backdrop: str | None
    key_systems: tuple[KeySystem, ...] = ()
    scheme: Scheme | None = None
    policy_id: int | None = None


_SELECT = """
select titles.*, (
    select group_concat(name, char(31))
    from (
        select genres.name from title_genres
        join genres on genres.id = title_genres.genre_id
        where title_genres.title_id = titles.id
        order by title_genres.rowid
    )
) as genres
from titles
"""
_MOST_WORDS = 12


def create(
    db: Database,
    actor: Actor,
    name: str,
    *,
    synopsis: str = "",
    year: int | None = None,
    genres: tuple[str, ...] = (),
    rating: str = "",
    language: str = "",
    protected: bool = False,
    key_systems: Iterable[str] = (),
    scheme: str | None = None,
    policy_id: int | None = None,
) -> Title:
    """Make a draft with a slug of its own. Errors: ``InvalidInput``, ``Forbidden``."""
    check(actor, Action.TITLE_CREATE)
    cleaned = fields.clean(
        {
            "name": name,
            "synopsis": synopsis,
            "year": year,
            "genres": genres,
            "rating": rating,
            "language": language,
            "protected": protected,
            "key_systems": key_systems,
            "scheme": scheme,
            "policy_id": policy_id,
        }
    )
    with write(db):
        return _insert(db, actor, cleaned)


def edit(db: Database, actor: Actor, slug: str, **changes: object) -> Title:
    """Change fields of a title: those that :func:`create` takes, by name.

    The slug stays, so that addresses keep working when a title is renamed.
    Errors: ``InvalidInput``, ``NotFound``, ``Forbidden``.
    """
    cleaned = fields.clean(changes)
    with write(db):
        title = by_slug(db, actor, slug)
        check_title(actor, title.created_by)
        changed = {
            each: value
            for each, value in cleaned.items()
            if value != getattr(title, each)
        }
        if not changed:
            return title
        _update(db, title.id, changed)
        record(
            db,
            actor,
            Event.TITLE_UPDATE,
            f"title/{title.public_id}",
            fields=sorted(changed),
        )
        return by_id(db, title.id)


def by_slug(db: Database, actor: Actor, slug: str) -> Title:
    """Return a title the actor may see. Errors: ``NotFound``."""
    predicate, params = visible(actor)
    row = db.one(
        f"{_SELECT} where titles.slug = :slug and {predicate}",
        {"slug": slug, **params},
    )
    if row is None:
        raise NotFound("title.missing", f"There is no title “{slug}”.")
    return _title(row)


def by_id(db: Database, title_id: int) -> Title:
    """Return a title by its key, whoever asks. Errors: ``NotFound``."""
    row = db.one(f"{_SELECT} where titles.id = ?", (title_id,))
    if row is None:
        raise NotFound("title.missing", "That title has been removed.")
    return _title(row)


def listing(
    db: Database,
    actor: Actor,
    *,
    state: TitleState | None = None,
    genre: str | None = None,
    limit: int = 50,
    offset: int = 0,
) -> list[Title]:
    """Return titles the actor may see: newest first, published ones by that date."""
    if not actor.may(Action.TITLE_EDIT_OWN):
        state = state or TitleState.PUBLISHED
    where, params = _filter(actor, state, genre)
    newest = "published_at desc, titles.id desc"
    order = newest if state == TitleState.PUBLISHED else "titles.id desc"
    rows = db.rows(
        f"{_SELECT} where {where} order by {order} limit :limit offset :offset",
        {**params, "limit": limit, "offset": offset},
    )
    return [_title(row) for row in rows]


def count(
    db: Database,
    actor: Actor,
    *,
    state: TitleState | None = None,
    genre: str | None = None,
) -> int:
    """Return how many titles :func:`listing` has in all."""
    where, params = _filter(actor, state, genre)
    return int(db.value(f"select count(*) from titles where {where}", params))


def search(db: Database, actor: Actor, words: str, limit: int = 24) -> list[Title]:
    """Return visible titles that have every word; the last may be half typed.

    Accents and case do not matter; the name counts more than the synopsis.
    """
    match = _match(words)
    if not match:
        return []
    predicate, params = visible(actor)
    rows = db.rows(
        f"""
        {_SELECT}
        join titles_fts on titles_fts.rowid = titles.id
        where titles_fts match :match and {predicate}
        order by bm25(titles_fts, 10.0, 1.0), titles.name collate nocase
        limit :limit
        """,
        {"match": match, "limit": limit, **params},
    )
    return [_title(row) for row in rows]


def remove(db: Database, storage: Storage, actor: Actor, slug: str) -> None:
    """Remove a title with its assets, jobs and files; rows first, files after.

    A work unit that runs is told to stop. Errors: ``NotFound``, ``Forbidden``.
    """
    check(actor, Action.TITLE_REMOVE)
    with write(db):
        title = by_slug(db, actor, slug)
        folders = removal.folders(db, title.id)
        db.conn.execute("delete from titles where id = ?", (title.id,))
        genres.drop_unused(db)
        record(
            db,
            actor,
            Event.TITLE_REMOVE,
            f"title/{title.public_id}",
            name=title.name,
            slug=title.slug,
        )
    removal.sweep(storage, folders)


def _insert(db: Database, actor: Actor, cleaned: dict[str, Any]) -> Title:
    names = cleaned["genres"]
    _require_policy(db, cleaned["policy_id"])
    now = db.now()
    row = {
        **_columns(cleaned),
        "public_id": secrets.token_hex(8),
        "slug": slugs.unique(db, cleaned["name"]),
        "created_by": actor.account_id,
        "created_at": now,
        "updated_at": now,
    }
    title_id = int(db.table("titles").insert(row).last_pk or 0)
    genres.assign(db, title_id, names)
    record(
        db,
        actor,
        Event.TITLE_CREATE,
        f"title/{row['public_id']}",
        name=row["name"],
        slug=row["slug"],
    )
    return by_id(db, title_id)


def _update(db: Database, title_id: int, changed: dict[str, Any]) -> None:
    _require_policy(db, changed.get("policy_id"))
    columns = _columns(changed) | {"updated_at": db.now()}
    db.table("titles").update(title_id, columns)
    if "genres" in changed:
        genres.assign(db, title_id, changed["genres"])


def _require_policy(db: Database, policy_id: int | None) -> None:
    known = policy_id is None or db.value(
        "select 1 from licence_policies where id = ?", (policy_id,)
    )
    if not known:
        raise NotFound(
            "policy.missing", "That licence policy has been removed: choose another."
        )


def _columns(cleaned: dict[str, Any]) -> dict[str, Any]:
    """Return the fields as their columns hold them; genres have rows of their own."""
    stored: Mapping[str, Callable[[Any], Any]] = {
        "protected": int,
        "key_systems": json.dumps,
        "scheme": lambda scheme: scheme or "",
    }
    return {
        name: stored[name](value) if name in stored else value
        for name, value in cleaned.items()
        if name != "genres"
    }


def _filter(
    actor: Actor, state: TitleState | None, genre: str | None
) -> tuple[str, dict[str, object]]:
    predicate, params = visible(actor)
    clauses = [predicate]
    if state is not None:
        clauses.append("titles.state = :state")
        params["state"] = state.value
    if genre is not None:
        clauses.append(
            """titles.id in (
                select title_id from title_genres
                join genres on genres.id = title_genres.genre_id
                where genres.slug = :genre
            )"""
        )
        params["genre"] = genre
    return " and ".join(clauses), params


def _match(words: str) -> str:
    """Write what somebody typed as an FTS5 query that holds no syntax of theirs."""
    storable = words.replace("\0", " ").encode(errors="ignore").decode()
    typed = [word for word in storable.split() if any(map(str.isalnum, word))]
    quoted = ['"' + word.replace('"', '""') + '"' for word in typed[:_MOST_WORDS]]
    return " ".join(quoted) + "*" if quoted else ""


def _title(row: Row) -> Title:
    names = row["genres"]
    return Title(
        **row
        | {
            "state": TitleState(row["state"]),
            "protected": bool(row["protected"]),
            "genres": tuple(names.split("\x1f")) if names else (),
            "key_systems": tuple(map(KeySystem, json.loads(row["key_systems"]))),
            "scheme": Scheme(row["scheme"]) if row["scheme"] else None,
        }
    )
