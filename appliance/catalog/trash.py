"""The trash: titles that are removed but not gone, with all that belongs to them.

A title keeps its rows and files there for ``studio.trash_days``; nobody sees or plays
it, and it can be taken back as it was. What belongs to it, episodes and extras, goes
and comes back with it.
"""

from dataclasses import dataclass
from datetime import timedelta

from appliance import clock
from appliance.catalog import removal, titles
from appliance.catalog.titles import Title, TitleState
from appliance.catalog.topics import genres, tags
from appliance.db import Database, Row, write
from appliance.errors import Conflict, NotFound
from appliance.events import Event, record
from appliance.permissions import SYSTEM, Action, Actor, check
from appliance.settings import Settings
from appliance.storage import Storage


@dataclass(frozen=True, slots=True)
class Discarded:
    """A title in the trash; ``parts`` are how many titles went with it.

    ``bytes`` is what its files take up and what removing it frees, ``until`` when
    that is done by itself, UTC text.
    """

    slug: str
    name: str
    kind: str
    state: TitleState
    removed_at: str
    until: str
    parts: int
    bytes: int


def discard(db: Database, actor: Actor, slug: str) -> Title:
    """Put a title and its parts into the trash; what plays stops.

    Errors: ``NotFound``, ``Forbidden``; ``Conflict`` while it is processed.
    """
    check(actor, Action.TITLE_REMOVE)
    with write(db):
        title = titles.by_slug(db, actor, slug)
        discard_within(db, actor, title)
        return titles.by_id(db, title.id)


def discard_within(db: Database, actor: Actor, title: Title) -> None:
    """Do it inside the transaction that is open. Errors: ``Conflict``."""
    _refuse_at_work(db, title)
    moved = db.conn.execute(
        """
        update titles
        set removed_at = :now, removed_from = state, state = 'archived',
            revision = revision + 1
        where (id = :id or parent_id = :id) and removed_at is null
        """,
        {"id": title.id, "now": db.now()},
    ).rowcount
    _record(db, actor, title, "discarded", parts=moved - 1)


def restore(db: Database, actor: Actor, slug: str) -> Title:
    """Take a title out of the trash, as it was. Errors: ``NotFound``, ``Forbidden``.

    One that was published comes back ready: to show it again is somebody's decision.
    """
    check(actor, Action.TITLE_REMOVE)
    with write(db):
        title = by_slug(db, slug)
        _refuse_orphan(db, title)
        parts = db.conn.execute(
            f"""
            {_BACK}
            where parent_id = :id and removed_at = :at
            """,
            {"id": title.id, "at": title.removed_at},
        ).rowcount
        db.conn.execute(f"{_BACK} where id = :id", {"id": title.id})
        _record(db, actor, title, "restored", parts=parts)
        return titles.by_id(db, title.id)


def purge(db: Database, storage: Storage, actor: Actor, slug: str) -> Title:
    """Remove a title that is in the trash for good, with its files.

    Errors: ``NotFound``, ``Forbidden``.
    """
    check(actor, Action.TITLE_REMOVE)
    with write(db):
        title = by_slug(db, slug)
        folders = _folders(db, title.id)
        db.conn.execute("delete from titles where id = ?", (title.id,))
        genres.drop_unused(db)
        tags.drop_unused(db)
        subject = f"title/{title.public_id}"
        record(
            *(db, actor, Event.TITLE_REMOVE, subject),
            name=title.name,
            slug=title.slug,
        )
    removal.sweep(storage, folders)
    return title


def purge_due(db: Database, storage: Storage, settings: Settings) -> list[str]:
    """Remove what has been in the trash for ``studio.trash_days``; return slugs."""
    before = db.now(days=-settings.studio.trash_days)
    due = [
        row["slug"]
        for row in db.rows(
            f"""
            select slug from titles where removed_at <= ? and {_ITSELF} order by id
            """,
            (before,),
        )
    ]
    for slug in due:
        purge(db, storage, SYSTEM, slug)
    return due


def listing(
    db: Database, actor: Actor, settings: Settings, *, limit: int = 50, offset: int = 0
) -> list[Discarded]:
    """Return what is in the trash, the last first. Errors: ``Forbidden``."""
    check(actor, Action.TITLE_REMOVE)
    rows = db.rows(
        f"""
        select titles.id, slug, name, kind, removed_from as state, removed_at
        from titles where removed_at is not null and {_ITSELF}
        order by removed_at desc, id desc limit ? offset ?
        """,
        (limit, offset),
    )
    return [_discarded(db, settings, row) for row in rows]


def count(db: Database) -> int:
    """Return how many titles :func:`listing` has in all."""
    sql = f"select count(*) from titles where removed_at is not null and {_ITSELF}"
    return int(db.value(sql))


def freed(db: Database) -> int:
    """Return how many bytes emptying the trash would free."""
    return int(
        db.value(f"select {_BYTES} from titles t where t.removed_at is not null") or 0
    )


def weight(db: Database, title_id: int) -> int:
    """Return how many bytes the files of a title and its parts take up."""
    sql = f"select {_BYTES} from titles t where t.id = :id or t.parent_id = :id"
    return int(db.value(sql, {"id": title_id}) or 0)


def by_slug(db: Database, slug: str) -> Title:
    """Return a title in the trash. Errors: ``NotFound``."""
    found = db.value(
        "select id from titles where slug = ? and removed_at is not null", (slug,)
    )
    if found is None:
        raise NotFound("trash.missing", f"There is no title “{slug}” in the trash.")
    return titles.by_id(db, int(found))


# What went with its series is listed, and removed, with that.
_ITSELF = """not exists (
    select 1 from titles whole
    where whole.id = titles.parent_id and whole.removed_at = titles.removed_at
)"""
_BACK = """
update titles
set state = case
        when removed_from = 'published' then 'ready'
        when removed_from = 'processing' then 'draft'
        else coalesce(removed_from, 'draft')
    end,
    removed_at = null, removed_from = null, review = '', revision = revision + 1
"""
_BYTES = """sum(
    coalesce((
        select sum(source_bytes) from assets
        where title_id = t.id and source_removed_at is null
    ), 0)
    + coalesce((
        select sum(tracks.bytes) from tracks join assets on assets.id = tracks.asset_id
        where assets.title_id = t.id
    ), 0)
)"""


def _folders(db: Database, title_id: int) -> list[str]:
    """Return the folders of a title and of its parts."""
    parts = db.rows("select id from titles where parent_id = ?", (title_id,))
    found = removal.folders(db, title_id)
    for row in parts:
        found += [each for each in removal.folders(db, row["id"]) if each not in found]
    return found


def _refuse_at_work(db: Database, title: Title) -> None:
    """Refuse while a film of it, or of a part, is being made."""
    busy = db.value(
        """
        select t.name from jobs j
        join assets a on a.id = j.asset_id
        join titles t on t.id = a.title_id
        where (t.id = :id or t.parent_id = :id) and j.state in ('queued', 'running')
        limit 1
        """,
        {"id": title.id},
    )
    if busy is not None:
        raise Conflict(
            "title.processing",
            f"“{busy}” is being processed: wait for it or cancel its job.",
        )


def _refuse_orphan(db: Database, title: Title) -> None:
    """Refuse to take back a part of what is in the trash itself."""
    whole = db.value(
        "select name from titles where id = ? and removed_at is not null",
        (title.parent_id,),
    )
    if whole is not None:
        raise Conflict(
            "trash.parent", f"“{whole}” is in the trash as well: take it back first."
        )


def _discarded(db: Database, settings: Settings, row: Row) -> Discarded:
    title_id = row["id"]
    parts = db.value(
        "select count(*) from titles where parent_id = ? and removed_at = ?",
        (title_id, row["removed_at"]),
    )
    return Discarded(
        slug=row["slug"],
        name=row["name"],
        kind=row["kind"],
        state=TitleState(row["state"] or "draft"),
        removed_at=row["removed_at"],
        until=_later(row["removed_at"], settings.studio.trash_days),
        parts=int(parts),
        bytes=weight(db, title_id),
    )


def _later(text: str, days: int) -> str:
    return clock.to_text(clock.from_text(text) + timedelta(days=days))


def _record(
    db: Database, actor: Actor, title: Title, change: str, **data: object
) -> None:
    record(
        db,
        actor,
        Event.TITLE_TRASH,
        f"title/{title.public_id}",
        change=change,
        name=title.name,
        slug=title.slug,
        **data,
    )
