"""Films that are fetched from addresses: rows that outlive whoever fetches them."""

import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from appliance import safe_addresses
from appliance.catalog import titles
from appliance.db import Database, Row, write
from appliance.errors import Conflict, NotFound, PreconditionFailed
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check, check_title
from appliance.settings import Settings
from appliance.storage import Storage

_OPEN = ("waiting", "running")


@dataclass(frozen=True, slots=True)
class Fetch:
    """One film on its way from an address; ``slug`` is of its title, once known.

    ``url`` may hold a secret in its query: it is shown to nobody, and forgotten when
    the film has come or will not.
    """

    id: int
    public_id: str
    title_id: int | None
    account_id: int | None
    username: str
    url: str
    publish: bool
    state: str
    filename: str
    received: int
    total: int | None
    code: str
    message: str
    created_at: str
    updated_at: str
    slug: str | None

    @property
    def open(self) -> bool:
        return self.state in _OPEN

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


def start(
    db: Database,
    settings: Settings,
    actor: Actor,
    url: str,
    *,
    slug: str = "",
    publish: bool = False,
) -> Fetch:
    """Let a film be fetched, for a title or a new one; the control worker does it.

    Errors: ``PreconditionFailed`` while ``uploads.from_urls`` is off, ``StorageFull``
    while no film is taken, ``InvalidInput``, ``NotFound``, ``Forbidden``.
    """
    check(actor, Action.TITLE_IMPORT)
    if publish:
        check(actor, Action.TITLE_PUBLISH)
    if not settings.uploads.from_urls:
        raise PreconditionFailed(
            "fetch.off",
            "Films are not fetched from addresses here: an administrator can switch it"
            " on with uploads.from_urls.",
        )
    cleaned = safe_addresses.check(url)
    Storage(settings.media, settings.home).require_takes(settings.disk)
    with write(db):
        title = titles.by_slug(db, actor, slug) if slug else None
        if title is not None:
            check_title(actor, title.created_by)
        _refuse_twin(db, cleaned)
        public_id, now = secrets.token_hex(8), db.now()
        db.conn.execute(
            """
            insert into fetches (public_id, title_id, account_id, username, url,
                publish, created_at, updated_at)
            values (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            (
                *(public_id, title.id if title else None, actor.account_id),
                *(actor.username, cleaned, int(publish), now, now),
            ),
        )
        made = by_id(db, public_id)
        subject = f"fetch/{public_id}"
        record(db, actor, Event.UPLOAD_FETCH, subject, host=made.host, change="asked")
        return made


def cancel(db: Database, actor: Actor, public_id: str) -> Fetch:
    """Stop fetching a film; what has come is removed. Errors: ``NotFound``."""
    check(actor, Action.TITLE_IMPORT)
    with write(db):
        own(db, actor, public_id)
        ended(db, public_id, "cancelled")
        subject = f"fetch/{public_id}"
        record(db, actor, Event.UPLOAD_FETCH, subject, change="cancelled")
        return by_id(db, public_id)


def own(db: Database, actor: Actor, public_id: str) -> Fetch:
    """Return a fetch of the actor's, or any for who edits all. Errors: ``NotFound``."""
    found = by_id(db, public_id)
    if found.username != actor.username and not actor.may(Action.TITLE_EDIT):
        raise NotFound("fetch.missing", "Nothing of that kind is being fetched.")
    return found


def listing(db: Database, actor: Actor, limit: int = 20) -> list[Fetch]:
    """Return what the actor, or for who edits all anybody, has fetched lately."""
    rows = db.rows(
        f"""
        {_SELECT} where :all or f.username = :name order by f.id desc limit :limit
        """,
        {
            "all": actor.may(Action.TITLE_EDIT),
            "name": actor.username,
            "limit": limit,
        },
    )
    return [_fetch(row) for row in rows]


def unfinished(db: Database) -> list[Fetch]:
    """Return what is to be fetched still, the oldest first."""
    rows = db.rows(f"{_SELECT} where f.state in ('waiting', 'running') order by f.id")
    return [_fetch(row) for row in rows]


def by_id(db: Database, public_id: str) -> Fetch:
    """Return one. Errors: ``NotFound``."""
    row = db.one(f"{_SELECT} where f.public_id = ?", (public_id,))
    if row is None:
        raise NotFound("fetch.missing", "Nothing of that kind is being fetched.")
    return _fetch(row)


def note(
    db: Database, public_id: str, received: int, total: int | None, filename: str
) -> bool:
    """Write down how far it is; say whether it is still wanted."""
    with write(db):
        changed = db.conn.execute(
            """
            update fetches
            set state = 'running', received = ?, total = ?, filename = ?,
                updated_at = ?
            where public_id = ? and state in ('waiting', 'running')
            """,
            (received, total, filename, db.now(), public_id),
        )
        return changed.rowcount == 1


def arrived(db: Database, public_id: str, slug: str, received: int) -> None:
    """Note that the film has come, and which title has it; the address is forgotten."""
    with write(db):
        db.conn.execute(
            """
            update fetches set received = ?,
                title_id = (select id from titles where slug = ?)
            where public_id = ?
            """,
            (received, slug, public_id),
        )
        ended(db, public_id, "done")


def ended(
    db: Database, public_id: str, state: str, *, code: str = "", message: str = ""
) -> None:
    """Let it be over; of its address only the host is kept."""
    with write(db):
        found = by_id(db, public_id)
        if not found.open:
            return
        db.conn.execute(
            """
            update fetches
            set state = ?, code = ?, message = ?, url = ?, updated_at = ?
            where public_id = ?
            """,
            (state, code, message, f"//{found.host}", db.now(), public_id),
        )


def forget(db: Database, before: str) -> None:
    """Remove the rows of what ended before that moment."""
    with write(db):
        db.conn.execute(
            """
            delete from fetches
            where updated_at < ? and state not in ('waiting', 'running')
            """,
            (before,),
        )


_SELECT = """
select f.*, titles.slug
from fetches f left join titles on titles.id = f.title_id
"""


def _fetch(row: Row) -> Fetch:
    return Fetch(**row | {"publish": bool(row["publish"])})


def _refuse_twin(db: Database, url: str) -> None:
    """Refuse to fetch the same film twice at once, as a double click would."""
    sql = "select 1 from fetches where url = ? and state in ('waiting', 'running')"
    if db.value(sql, (url,)):
        raise Conflict(
            "fetch.twice", "This film is being fetched already.", {"field": "url"}
        )
