"""Titles: made, edited, listed, searched and removed; states move elsewhere."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from appliance.catalog import fields, kinds, removal, storing
from appliance.catalog.kinds import Kind
from appliance.catalog.title import SELECT, from_row
from appliance.catalog.title import Title as Title
from appliance.catalog.title import TitleState as TitleState
from appliance.catalog.topics import genres, tags
from appliance.catalog.translations import Translation
from appliance.db import Database, write
from appliance.errors import NotFound
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check, check_title, visible
from appliance.storage import Storage

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
    library_id: int | None = None,
    kind: str = Kind.FILM,
    parent: str = "",
    season_number: int | None = None,
    episode_number: int | None = None,
    tags: Iterable[str] = (),
    original_name: str = "",
    external_id: str | None = None,
    credits: Iterable[object] = (),
    translations: Mapping[str, object] | None = None,
) -> Title:
    """Make a draft with a slug of its own; a series or course is ready at once.

    ``parent`` is the slug of what it belongs to. An episode without numbers follows
    the last one of the first season. Credits are mappings of name, job and character,
    translations those of name and synopsis by language.
    Errors: ``InvalidInput``, ``NotFound``, ``Forbidden``.
    """
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
            "library_id": library_id,
            "kind": kind,
            "parent": parent,
            "season_number": season_number,
            "episode_number": episode_number,
            "tags": tags,
            "original_name": original_name,
            "external_id": external_id,
            "credits": credits,
            "translations": translations or {},
        }
    )
    with write(db):
        container = _container(db, actor, cleaned.pop("parent"))
        storing.place(db, cleaned, container, but=0)
        made = by_id(
            db, storing.insert(db, actor, cleaned, storing.called(cleaned, container))
        )
        record(
            db,
            actor,
            Event.TITLE_CREATE,
            f"title/{made.public_id}",
            name=made.name,
            slug=made.slug,
        )
        return made


def edit(
    db: Database,
    actor: Actor,
    slug: str,
    *,
    revision: int | None = None,
    **changes: object,
) -> Title:
    """Change fields of a title: those that :func:`create` takes, by name.

    The slug stays, so that addresses keep working when a title is renamed. Of the
    translations only those given change. Errors: ``InvalidInput``, ``NotFound``,
    ``Forbidden``; ``Conflict`` when somebody changed it since ``revision``.
    """
    cleaned = fields.clean(changes)
    with write(db):
        title = by_slug(db, actor, slug)
        check_title(actor, title.created_by)
        if revision is not None and revision != title.revision:
            raise storing.overtaken(db, title)
        changed = _changed(db, actor, title, cleaned)
        if not changed:
            return title
        storing.update(db, title.id, changed)
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
    predicate, params = visible(actor, db.now())
    row = db.one(
        f"{SELECT} where titles.slug = :slug and {predicate}",
        {"slug": slug, **params},
    )
    if row is None:
        raise NotFound("title.missing", f"There is no title “{slug}”.")
    return from_row(row)


def by_id(db: Database, title_id: int) -> Title:
    """Return a title by its key, whoever asks. Errors: ``NotFound``."""
    row = db.one(f"{SELECT} where titles.id = ?", (title_id,))
    if row is None:
        raise NotFound("title.missing", "That title has been removed.")
    return from_row(row)


def slugs(db: Database, title_ids: Iterable[int]) -> dict[int, str]:
    """Return the slugs of titles by their keys, whoever asks."""
    rows = db.conn.execute(
        "select id, slug from titles where id in (select value from json_each(?))",
        (json.dumps(list(title_ids)),),
    )
    return dict(rows.fetchall())


def parent(db: Database, title: Title) -> Title | None:
    """Return what a title belongs to, whoever asks, also when it is in the trash."""
    return None if title.parent_id is None else by_id(db, title.parent_id)


def children(db: Database, actor: Actor, title: Title) -> list[Title]:
    """Return what belongs to a title and the actor may see.

    Episodes come in their order, those of season 0 (specials) after the others, then
    trailers and extras.
    """
    predicate, params = visible(actor, db.now())
    rows = db.rows(
        f"""
        {SELECT}
        where titles.parent_id = :parent and {predicate}
        order by titles.kind != 'episode', titles.kind != 'trailer',
            coalesce(titles.season_number, 0) = 0, titles.season_number,
            titles.episode_number, titles.id
        """,
        {"parent": title.id, **params},
    )
    return [from_row(row) for row in rows]


def listing(
    db: Database,
    actor: Actor,
    *,
    state: TitleState | None = None,
    genre: str | None = None,
    library_id: int | None = None,
    tag: str | None = None,
    kind: Kind | None = None,
    top: bool = False,
    limit: int = 50,
    offset: int = 0,
) -> list[Title]:
    """Return titles the actor may see: newest first, published ones by that date.

    ``top`` leaves out what belongs to another title.
    """
    if not actor.may(Action.TITLE_EDIT_OWN):
        state = state or TitleState.PUBLISHED
    where, params = _filter(db, actor, state, genre, library_id, tag, kind, top)
    newest = "published_at desc, titles.id desc"
    order = newest if state == TitleState.PUBLISHED else "titles.id desc"
    rows = db.rows(
        f"{SELECT} where {where} order by {order} limit :limit offset :offset",
        {**params, "limit": limit, "offset": offset},
    )
    return [from_row(row) for row in rows]


def count(
    db: Database,
    actor: Actor,
    *,
    state: TitleState | None = None,
    genre: str | None = None,
    library_id: int | None = None,
    tag: str | None = None,
    kind: Kind | None = None,
    top: bool = False,
) -> int:
    """Return how many titles :func:`listing` has in all."""
    where, params = _filter(db, actor, state, genre, library_id, tag, kind, top)
    return int(db.value(f"select count(*) from titles where {where}", params))


def search(db: Database, actor: Actor, words: str, limit: int = 24) -> list[Title]:
    """Return visible titles that have every word; the last may be half typed.

    Accents and case do not matter; the name counts more than the synopsis.
    """
    match = _match(words)
    if not match:
        return []
    predicate, params = visible(actor, db.now())
    rows = db.rows(
        f"""
        {SELECT}
        join titles_fts on titles_fts.rowid = titles.id
        where titles_fts match :match and {predicate}
        order by bm25(titles_fts, 10.0, 1.0), titles.name collate nocase
        limit :limit
        """,
        {"match": match, "limit": limit, **params},
    )
    return [from_row(row) for row in rows]


def remove(db: Database, storage: Storage, actor: Actor, slug: str) -> None:
    """Remove a title with its parts, assets, jobs and files; rows first, files after.

    A work unit that runs is told to stop. Errors: ``NotFound``, ``Forbidden``.
    """
    check(actor, Action.TITLE_REMOVE)
    with write(db):
        title = by_slug(db, actor, slug)
        folders = removal.folders(db, title.id)
        db.conn.execute("delete from titles where id = ?", (title.id,))
        genres.drop_unused(db)
        tags.drop_unused(db)
        record(
            db,
            actor,
            Event.TITLE_REMOVE,
            f"title/{title.public_id}",
            name=title.name,
            slug=title.slug,
        )
    removal.sweep(storage, folders)


def _container(db: Database, actor: Actor, slug: str) -> Title | None:
    """Return what a title is to belong to; the actor must be allowed to change it."""
    if not slug:
        return None
    try:
        found = by_slug(db, actor, slug)
    except NotFound as missing:
        raise kinds.refusal("parent", missing.message) from missing
    check_title(actor, found.created_by)
    return found


def _changed(
    db: Database, actor: Actor, title: Title, cleaned: dict[str, Any]
) -> dict[str, Any]:
    """Return the fields that differ from those of the title, ready to be stored."""
    if cleaned.keys() & {"kind", "parent", "season_number", "episode_number"}:
        cleaned = cleaned | _moved(db, actor, title, cleaned)
        del cleaned["parent"]
    changed = {}
    for each, value in cleaned.items():
        if each in ("tags", "credits"):
            differs = value != storing.as_stored(db, title.id, each)
        elif each == "translations":
            stored = storing.as_stored(db, title.id, each)
            value = {
                language: told
                for language, told in value.items()
                if told != stored.get(language, Translation())
            }
            differs = bool(value)
        else:
            differs = value != getattr(title, each)
        if differs:
            changed[each] = value
    return changed


def _moved(
    db: Database, actor: Actor, title: Title, cleaned: Mapping[str, Any]
) -> dict[str, Any]:
    """Return kind, place and numbers of a title that some of them are changed of."""
    moved: dict[str, Any] = {
        each: cleaned.get(each, getattr(title, each))
        for each in ("kind", "season_number", "episode_number")
    }
    whole = parent(db, title)
    slug = cleaned.get("parent", whole.slug if whole else "")
    if moved["kind"] is not title.kind:
        storing.refuse_losing(db, title, moved["kind"])
    if whole is None or slug != whole.slug:
        whole = _container(db, actor, slug)
    storing.place(db, moved, whole, but=title.id)
    return moved | {"parent": slug}


def _filter(
    db: Database,
    actor: Actor,
    state: TitleState | None,
    genre: str | None,
    library_id: int | None,
    tag: str | None,
    kind: Kind | None,
    top: bool,
) -> tuple[str, dict[str, object]]:
    predicate, params = visible(actor, db.now())
    clauses = [predicate]
    if top:
        clauses.append("titles.parent_id is null")
    if kind is not None:
        clauses.append("titles.kind = :kind")
        params["kind"] = kind.value
    if tag is not None:
        clauses.append(
            """titles.id in (
                select title_id from title_tags
                join tags on tags.id = title_tags.tag_id
                where tags.slug = :tag
            )"""
        )
        params["tag"] = tag
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
    if library_id is not None:
        clauses.append("titles.library_id = :library")
        params["library"] = library_id
    return " and ".join(clauses), params


def _match(words: str) -> str:
    """Write what somebody typed as an FTS5 query that holds no syntax of theirs."""
    storable = words.replace("\0", " ").encode(errors="ignore").decode()
    typed = [word for word in storable.split() if any(map(str.isalnum, word))]
    quoted = ['"' + word.replace('"', '""') + '"' for word in typed[:_MOST_WORDS]]
    return " ".join(quoted) + "*" if quoted else ""
