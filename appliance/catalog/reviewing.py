"""Reviews of titles: somebody asks, somebody approves or sends back with a note.

A review is of the description as it is now: an approval counts as long as nothing of
it changes. With ``studio.four_eyes`` nobody approves what they asked for themselves,
and only what is approved can be published.
"""

from dataclasses import dataclass
from enum import StrEnum

from appliance.catalog import titles
from appliance.catalog.titles import Title, TitleState
from appliance.db import Database, write
from appliance.errors import Conflict, Forbidden, InvalidInput
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check, check_title
from appliance.settings import Settings

_LONGEST_NOTE = 2000


class Decision(StrEnum):
    ASKED = "asked"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Review:
    """One step: who decided what, when, about which revision of the title."""

    decision: Decision
    note: str
    revision: int
    account_id: int | None
    username: str
    at: str


def ask(db: Database, actor: Actor, slug: str, note: str = "") -> Title:
    """Ask others to look at a title; asked already, it stays so.

    Errors: ``InvalidInput``, ``NotFound``, ``Forbidden``, ``Conflict``.
    """
    cleaned = _cleaned(note)
    with write(db):
        title = titles.by_slug(db, actor, slug)
        check_title(actor, title.created_by)
        if title.review == Decision.ASKED:
            return title
        if title.state is not TitleState.READY:
            raise Conflict(
                "review.not-ready",
                f"“{title.name}” is {title.state}: only what is ready and not yet"
                " published can be reviewed.",
            )
        return _decide(db, actor, title, Decision.ASKED, cleaned)


def approve(
    db: Database, settings: Settings, actor: Actor, slug: str, note: str = ""
) -> Title:
    """Let a title pass. Errors: as of :func:`ask`; nobody asked: ``Conflict``."""
    check(actor, Action.TITLE_PUBLISH)
    cleaned = _cleaned(note)
    with write(db):
        title = _asked(db, actor, slug)
        if settings.studio.four_eyes:
            _refuse_own(db, actor, title)
        return _decide(db, actor, title, Decision.APPROVED, cleaned)


def send_back(db: Database, actor: Actor, slug: str, note: str) -> Title:
    """Send a title back with a note that says why. Errors: as of :func:`approve`."""
    check(actor, Action.TITLE_PUBLISH)
    cleaned = _cleaned(note)
    if not cleaned:
        raise InvalidInput(
            "review.note", "Say what is to be changed.", {"field": "note"}
        )
    with write(db):
        title = _asked(db, actor, slug)
        return _decide(db, actor, title, Decision.REJECTED, cleaned)


def of_title(db: Database, title_id: int) -> list[Review]:
    """Return every step of the reviews of a title, the last first."""
    rows = db.rows(
        """
        select decision, note, revision, account_id, username, at
        from title_reviews where title_id = ? order by id desc
        """,
        (title_id,),
    )
    return [Review(**row | {"decision": Decision(row["decision"])}) for row in rows]


def put_back(db: Database, title_id: int, review: str) -> None:
    """Let a title stand where it stood in its review, in the open transaction."""
    db.conn.execute("update titles set review = ? where id = ?", (review, title_id))


def require_approved(db: Database, settings: Settings, title: Title) -> None:
    """Refuse to publish what nobody approved as it is, where that is needed.

    Errors: ``Conflict``.
    """
    if not settings.studio.four_eyes:
        return
    steps = of_title(db, title.id)
    last = steps[0] if steps else None
    if last is None or last.decision is not Decision.APPROVED:
        raise Conflict(
            "review.missing",
            f"“{title.name}” is not approved: ask for a review, and let somebody else"
            " approve it.",
        )
    if last.revision != title.revision:
        raise Conflict(
            "review.outdated",
            f"“{title.name}” was changed after {last.username} approved it: ask for"
            " another review.",
        )


def _asked(db: Database, actor: Actor, slug: str) -> Title:
    title = titles.by_slug(db, actor, slug)
    if title.review != Decision.ASKED:
        raise Conflict(
            "review.not-asked", f"Nobody waits for a review of “{title.name}” any more."
        )
    return title


def _refuse_own(db: Database, actor: Actor, title: Title) -> None:
    asked = next(
        each for each in of_title(db, title.id) if each.decision is Decision.ASKED
    )
    own = asked.username == actor.username
    if asked.account_id is not None:
        own = asked.account_id == actor.account_id
    if own:
        raise Forbidden(
            "review.own",
            "You asked for this review: somebody else has to approve it.",
        )


def _decide(
    db: Database, actor: Actor, title: Title, decision: Decision, note: str
) -> Title:
    db.conn.execute(
        """
        update titles set review = ?, review_note = ?, updated_at = ? where id = ?
        """,
        (decision.value, note, db.now(), title.id),
    )
    db.conn.execute(
        """
        insert into title_reviews
            (title_id, decision, note, revision, account_id, username, at)
        values (?, ?, ?, ?, ?, ?, ?)
        """,
        (
            *(title.id, decision.value, note, title.revision),
            *(actor.account_id, actor.username, db.now()),
        ),
    )
    subject = f"title/{title.public_id}"
    record(
        *(db, actor, Event.TITLE_REVIEW, subject), decision=decision.value, note=note
    )
    return titles.by_id(db, title.id)


def _cleaned(note: object) -> str:
    if not isinstance(note, str):
        raise InvalidInput("review.note", "The note is a text.", {"field": "note"})
    kept = "".join(each for each in note if each.isprintable() or each == "\n").strip()
    if len(kept) > _LONGEST_NOTE:
        raise InvalidInput(
            "review.note",
            f"A note has {_LONGEST_NOTE:,} characters at most.",
            {"field": "note"},
        )
    return kept
