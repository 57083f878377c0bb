"""The states of a title: nothing else moves one.

draft → processing → ready → published, and archived from where nobody sees it. A title
that already has a playable version keeps its state while a new one is processed; a
series or course, which has no film of its own, is ready from the beginning.
"""

from collections.abc import Callable

from appliance.catalog.kinds import CONTAINERS
from appliance.catalog.titles import Title, TitleState, by_id, by_slug
from appliance.db import Database, write
from appliance.errors import Conflict
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check, check_title

_DRAFT, _PROCESSING = TitleState.DRAFT, TitleState.PROCESSING
_READY, _PUBLISHED = TitleState.READY, TitleState.PUBLISHED
_ARCHIVED = TitleState.ARCHIVED


def start_processing(db: Database, actor: Actor, title_id: int) -> Title:
    """A film of the title is being processed: a draft shows it."""
    with write(db):
        title = by_id(db, title_id)
        check_title(actor, title.created_by)
        if title.state is not _DRAFT:
            return title
        return _move(db, actor, title, _PROCESSING)


def processed(
    db: Database, actor: Actor, title_id: int, runtime_seconds: float
) -> Title:
    """A film of the title can be played; it is as long as ``runtime_seconds``."""
    with write(db):
        title = by_id(db, title_id)
        check_title(actor, title.created_by)
        db.conn.execute(
            "update titles set runtime_seconds = ?, updated_at = ? where id = ?",
            (runtime_seconds, db.now(), title_id),
        )
        if title.state in (_DRAFT, _PROCESSING):
            return _move(db, actor, title, _READY)
        return by_id(db, title_id)


def processing_failed(db: Database, actor: Actor, title_id: int) -> Title:
    """Processing ended without a film: back to where the title was before."""
    with write(db):
        title = by_id(db, title_id)
        check_title(actor, title.created_by)
        if title.state is not _PROCESSING:
            return title
        return _move(db, actor, title, _READY if _playable(db, title) else _DRAFT)


def publish(
    db: Database, actor: Actor, slug: str, *, passes: Callable[[Database, Title], None]
) -> Title:
    """Show a ready title in the portal; one that is published stays so.

    ``passes`` raises where its film must not be shown: what that is, only those know
    who know films. See :func:`appliance.media.publishing.publish`.
    Errors: ``Conflict`` when it can't be played yet or is archived.
    """
    check(actor, Action.TITLE_PUBLISH)
    with write(db):
        title = by_slug(db, actor, slug)
        if title.state is _PUBLISHED:
            return title
        if title.state is not _READY:
            raise Conflict(
                "title.not-ready", _WHY_NOT[title.state].format(name=title.name)
            )
        passes(db, title)
        return _move(db, actor, title, _PUBLISHED)


def unpublish(db: Database, actor: Actor, slug: str) -> Title:
    """Take a title out of the portal; what plays stops at its next heartbeat."""
    check(actor, Action.TITLE_PUBLISH)
    with write(db):
        title = by_slug(db, actor, slug)
        if title.state is not _PUBLISHED:
            return title
        return _move(db, actor, title, _READY)


def archive(db: Database, actor: Actor, slug: str) -> Title:
    """Put a title away; its files stay. Errors: ``Conflict`` while it is processed."""
    check(actor, Action.TITLE_PUBLISH)
    with write(db):
        title = by_slug(db, actor, slug)
        if title.state is _ARCHIVED:
            return title
        if title.state is _PROCESSING:
            raise Conflict(
                "title.processing",
                f"“{title.name}” is being processed: wait for it or cancel its job.",
            )
        return _move(db, actor, title, _ARCHIVED)


def restore(db: Database, actor: Actor, slug: str) -> Title:
    """Take a title back from the archive, ready or as a draft. Errors: ``Conflict``."""
    check(actor, Action.TITLE_PUBLISH)
    with write(db):
        title = by_slug(db, actor, slug)
        if title.state is not _ARCHIVED:
            raise Conflict("title.not-archived", f"“{title.name}” is not archived.")
        return _move(db, actor, title, _READY if _playable(db, title) else _DRAFT)


_WHY_NOT = {
    _DRAFT: "“{name}” has no film that can be played yet: upload one first.",
    _PROCESSING: "“{name}” is still being processed: publish it when it is ready.",
    _ARCHIVED: "“{name}” is archived: restore it first.",
}


def _move(db: Database, actor: Actor, title: Title, state: TitleState) -> Title:
    now = db.now()
    db.conn.execute(
        """
        update titles
        set state = :state, updated_at = :now, published_at = case
            -- A title that comes back is no novelty: the first date stands.
            when :state = 'published' then coalesce(published_at, :now)
            else published_at
        end
        where id = :id
        """,
        {"state": state.value, "now": now, "id": title.id},
    )
    record(
        db,
        actor,
        Event.TITLE_STATE,
        f"title/{title.public_id}",
        before=title.state.value,
        after=state.value,
    )
    return by_id(db, title.id)


def _playable(db: Database, title: Title) -> bool:
    """Say whether an older version of the film is still there, or none is needed."""
    if title.kind in CONTAINERS:
        return True
    found = db.value(
        "select 1 from assets where title_id = ? and version > 0 limit 1", (title.id,)
    )
    return found is not None
