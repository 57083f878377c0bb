"""Changes of many titles at once: shown before they are made, undone for a day.

What a change would do is found out by doing it and rolling it back, a few titles at a
time: so what is shown is what comes. What was before is kept for each title, and who
undoes touches none that was changed since.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from appliance.catalog import bulk_words, sieve, titles
from appliance.catalog.bulk_steps import Publish, look, make, put_back
from appliance.catalog.bulk_words import Change, Wish
from appliance.catalog.sieve import Sieve
from appliance.db import Database, Row, write
from appliance.errors import (
    Conflict,
    Forbidden,
    Gone,
    InvalidInput,
    MatineeError,
    NotFound,
)
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check
from appliance.settings import Settings

MOST = 10_000
_SHOWN = 50
# Others write between two of these.
_AT_ONCE = 100
_Each = TypeVar("_Each")


@dataclass(frozen=True, slots=True)
class Effect:
    """What becomes of one title; a ``problem`` says why nothing does."""

    slug: str
    name: str
    changes: tuple[Change, ...] = ()
    problem: str = ""


@dataclass(slots=True)
class Outcome:
    """What a change of many does, or did; ``effects`` are the first of them.

    ``mark`` names the titles and the wish: who saw the effect sends it back, and
    finds out when the list has changed meanwhile. ``bulk`` is the change that was
    made, empty when none was.
    """

    total: int = 0
    changed: int = 0
    same: int = 0
    refused: int = 0
    mark: str = ""
    bulk: str = ""
    effects: list[Effect] = field(default_factory=list)
    problems: list[Effect] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Made:
    """A change that was made; ``left`` says whether it can still be undone."""

    public_id: str
    username: str
    said: str
    titles: int
    created_at: str
    undone_at: str | None
    left: bool


def chosen(
    db: Database, actor: Actor, slugs: Sequence[str] = (), by: Sieve | None = None
) -> list[int]:
    """Return the titles that were ticked, or all that a sieve lets pass.

    Errors: ``InvalidInput`` for none or too many, ``NotFound``.
    """
    if by is not None:
        found = sieve.ids(db, actor, by, MOST + 1)
    else:
        found = [titles.by_slug(db, actor, each).id for each in slugs[: MOST + 1]]
    if not found:
        raise InvalidInput("bulk.none", "Choose at least one title.", {"field": "slug"})
    if len(found) > MOST:
        raise InvalidInput(
            "bulk.too-many",
            f"At most {MOST:,} titles are changed at once: narrow the list down.",
        )
    return sorted(set(found))


def preview(
    db: Database,
    settings: Settings,
    actor: Actor,
    chosen: Sequence[int],
    wish: Wish,
    publish: Publish,
) -> Outcome:
    """Say what the change would do; nothing is kept. Errors: ``Forbidden``."""
    check(actor, Action.STUDIO_SEE)
    outcome = Outcome(total=len(chosen), mark=_mark(chosen, wish))
    for some in _portions(chosen):
        with _thrown_away(db):
            for title_id in some:
                _one(db, settings, actor, title_id, wish, publish, outcome)
    return outcome


def apply(
    db: Database,
    settings: Settings,
    actor: Actor,
    chosen: Sequence[int],
    wish: Wish,
    publish: Publish,
    *,
    mark: str = "",
) -> Outcome:
    """Change the titles that can be changed; the others stay, and say why.

    Errors: ``Conflict`` when ``mark`` is of another list than that of now.
    """
    check(actor, Action.STUDIO_SEE)
    outcome = Outcome(total=len(chosen), mark=_mark(chosen, wish))
    if mark and mark != outcome.mark:
        raise Conflict(
            "bulk.stale",
            "The list has changed since you saw the effect: look at it again.",
        )
    for some in _portions(chosen):
        with write(db):
            for title_id in some:
                kept = _one(db, settings, actor, title_id, wish, publish, outcome)
                if kept is not None:
                    _keep(db, actor, wish, title_id, kept, outcome)
    if outcome.bulk:
        with write(db):
            _record(db, actor, outcome.bulk, wish.said(), "made", outcome.changed)
    return outcome


def undo(
    db: Database, settings: Settings, actor: Actor, public_id: str, publish: Publish
) -> Outcome:
    """Put back what a change made of its titles, but for those changed since.

    Errors: ``NotFound``, ``Gone`` after ``studio.undo_hours``, ``Conflict`` when it is
    undone already, ``Forbidden`` for what others changed.
    """
    made = by_id(db, settings, public_id)
    check(actor, Action.STUDIO_SEE)
    if made.username != actor.username:
        check(actor, Action.TITLE_EDIT)
    with write(db):
        _claim(db, settings, public_id)
    outcome = Outcome(total=made.titles, bulk=public_id)
    rows = db.rows(
        """
        select title_id, before, after from bulk_titles
        join bulk_changes on bulk_changes.id = bulk_id
        where bulk_changes.public_id = ? order by title_id
        """,
        (public_id,),
    )
    for some in _portions(rows):
        with write(db):
            for row in some:
                before, after = json.loads(row["before"]), json.loads(row["after"])
                _back(
                    *(db, settings, actor, row["title_id"], before, after),
                    *(publish, outcome),
                )
    with write(db):
        _record(db, actor, public_id, made.said, "undone", outcome.changed)
    return outcome


def listing(db: Database, settings: Settings, limit: int = 20) -> list[Made]:
    """Return the last changes of many titles, the last first."""
    rows = db.rows(f"{_MADE} order by b.id desc limit ?", (limit,))
    return [_made(db, settings, row) for row in rows]


def by_id(db: Database, settings: Settings, public_id: str) -> Made:
    """Return one change. Errors: ``NotFound``."""
    row = db.one(f"{_MADE} where b.public_id = ?", (public_id,))
    if row is None:
        raise NotFound("bulk.missing", f"There is no change “{public_id}” of many.")
    return _made(db, settings, row)


_MADE = """
select b.public_id, b.username, b.changes, b.created_at, b.undone_at,
    (select count(*) from bulk_titles where bulk_id = b.id) as titles
from bulk_changes b
"""


def _made(db: Database, settings: Settings, row: Row) -> Made:
    oldest = db.now(hours=-settings.studio.undo_hours)
    return Made(
        public_id=row["public_id"],
        username=row["username"],
        said=json.loads(row["changes"])["said"],
        titles=int(row["titles"]),
        created_at=row["created_at"],
        undone_at=row["undone_at"],
        left=row["undone_at"] is None and row["created_at"] > oldest,
    )


def _one(
    db: Database,
    settings: Settings,
    actor: Actor,
    title_id: int,
    wish: Wish,
    publish: Publish,
    outcome: Outcome,
) -> tuple[dict[str, object], dict[str, object]] | None:
    """Change one title inside the open transaction; return what was and what is."""
    title = titles.by_id(db, title_id)
    before = look(db, title)
    db.conn.execute("savepoint one")
    try:
        make(db, settings, actor, title, wish, publish)
    except (Conflict, Forbidden, InvalidInput, NotFound) as error:
        db.conn.execute("rollback to one")
        _refuse(outcome, title.slug, title.name, error)
        return None
    finally:
        db.conn.execute("release one")
    after = look(db, titles.by_id(db, title_id))
    changes = bulk_words.differences(db, before, after)
    if not changes:
        outcome.same += 1
        return None
    outcome.changed += 1
    if len(outcome.effects) < _SHOWN:
        outcome.effects.append(Effect(title.slug, title.name, changes))
    return before, after


def _back(
    db: Database,
    settings: Settings,
    actor: Actor,
    title_id: int,
    before: dict[str, object],
    after: dict[str, object],
    publish: Publish,
    outcome: Outcome,
) -> None:
    title = titles.by_id(db, title_id)
    db.conn.execute("savepoint one")
    try:
        if look(db, title) != after:
            raise Conflict(
                "bulk.changed", "It was changed since, so it stays as it is."
            )
        put_back(db, settings, actor, title, before, publish)
        outcome.changed += 1
    except (Conflict, Forbidden, InvalidInput, NotFound) as error:
        db.conn.execute("rollback to one")
        _refuse(outcome, title.slug, title.name, error)
    finally:
        db.conn.execute("release one")


def _refuse(outcome: Outcome, slug: str, name: str, error: MatineeError) -> None:
    outcome.refused += 1
    if len(outcome.problems) < _SHOWN:
        outcome.problems.append(Effect(slug, name, problem=error.message))


def _keep(
    db: Database,
    actor: Actor,
    wish: Wish,
    title_id: int,
    kept: tuple[dict[str, object], dict[str, object]],
    outcome: Outcome,
) -> None:
    if not outcome.bulk:
        outcome.bulk = secrets.token_hex(8)
        db.conn.execute(
            """
            insert into bulk_changes
                (public_id, account_id, username, changes, created_at)
            values (?, ?, ?, ?, ?)
            """,
            (
                *(outcome.bulk, actor.account_id, actor.username),
                *(json.dumps({"said": wish.said()}), db.now()),
            ),
        )
    db.conn.execute(
        """
        insert into bulk_titles (bulk_id, title_id, before, after)
        values ((select id from bulk_changes where public_id = ?), ?, ?, ?)
        """,
        (outcome.bulk, title_id, json.dumps(kept[0]), json.dumps(kept[1])),
    )


def _claim(db: Database, settings: Settings, public_id: str) -> None:
    """Take the undoing for ourselves: of two at once one does it."""
    made = by_id(db, settings, public_id)
    if made.undone_at is not None:
        raise Conflict("bulk.undone", "This change is undone already.")
    if not made.left:
        hours = settings.studio.undo_hours
        raise Gone("bulk.too-late", f"A change can be undone for {hours} hours.")
    db.conn.execute(
        "update bulk_changes set undone_at = ? where public_id = ?",
        (db.now(), public_id),
    )


@contextmanager
def _thrown_away(db: Database) -> Iterator[None]:
    """Write in a transaction of which nothing stays."""
    try:
        with write(db):
            yield
            raise _NothingStays
    except _NothingStays:
        pass


class _NothingStays(Exception):
    """Leaves a transaction without keeping it."""


def _portions(many: Sequence[_Each]) -> Iterable[Sequence[_Each]]:
    return (many[at : at + _AT_ONCE] for at in range(0, len(many), _AT_ONCE))


def _mark(chosen: Sequence[int], wish: Wish) -> str:
    text = json.dumps([list(chosen), wish.typed()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _record(
    db: Database, actor: Actor, public_id: str, said: str, change: str, count: int
) -> None:
    record(
        db,
        actor,
        Event.TITLE_BULK,
        f"bulk/{public_id}",
        change=change,
        wish=said,
        titles=count,
    )
