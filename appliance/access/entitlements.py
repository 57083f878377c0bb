"""Entitlements: rights to watch, of everyone, a role, a group or an account."""

import re
import secrets
from dataclasses import dataclass

from appliance.access import moments, parties
from appliance.catalog import titles
from appliance.db import Database, write
from appliance.errors import InvalidInput, NotFound
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check

_SOURCE = re.compile(r"installation|(role|group|plan|voucher|assignment):\S.{0,99}")
_MOST_STREAMS = 1000


@dataclass(frozen=True, slots=True)
class Entitlement:
    """A right that applies; from ``starts_at`` until before ``ends_at``, UTC text.

    A limit of streams that is None says nothing, and 0 says “as many as you like”;
    without ``max_height`` every quality may be watched.
    """

    public_id: str
    source: str
    starts_at: str | None = None
    ends_at: str | None = None
    streams: int | None = None
    uhd_streams: int | None = None
    max_height: int | None = None
    policy_id: int | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A right as it is listed: whose (``group:Training``), to which title.

    ``title`` is a slug; None: to every title.
    """

    id: str
    subject: str
    title: str | None
    source: str
    starts_at: str | None
    ends_at: str | None
    streams: int | None
    uhd_streams: int | None
    max_height: int | None
    policy: str | None
    created_at: str


def applying(db: Database, account_id: int, title_id: int) -> tuple[Entitlement, ...]:
    """Return every right of the account to the title, also past and future ones."""
    rows = db.conn.execute(_APPLYING, {"account": account_id, "title": title_id})
    return tuple(Entitlement(*row) for row in rows)


def grant(
    db: Database,
    actor: Actor,
    subject: str,
    title: str | None = None,
    *,
    source: str = "",
    starts_at: str | None = None,
    ends_at: str | None = None,
    streams: int | None = None,
    uhd_streams: int | None = None,
    max_height: int | None = None,
    policy: str = "",
) -> Grant:
    """Give somebody the right to watch a title (by its slug) or every one (None).

    ``subject`` is everyone, role:…, group:… or account:…; ``source`` says where the
    right comes from, as plan:… or voucher:…, else it follows from the subject.
    Errors: ``InvalidInput``, ``NotFound``, ``Forbidden``.
    """
    check(actor, Action.GRANT_MANAGE)
    begins, ends = moments.span(starts_at, ends_at)
    public_id = secrets.token_hex(8)
    with write(db):
        party = parties.party(db, subject)
        title_id = None if title is None else titles.by_slug(db, actor, title).id
        row = {
            "public_id": public_id,
            "subject": party.kind,
            "subject_id": party.id,
            "role": party.role,
            "object": "all" if title_id is None else "title",
            "object_id": title_id,
            "source": _source(source.strip() or party.source),
            "starts_at": begins,
            "ends_at": ends,
            "streams": _number("streams", streams, 0, _MOST_STREAMS),
            "uhd_streams": _number("uhd_streams", uhd_streams, 0, _MOST_STREAMS),
            "max_height": _number("max_height", max_height, 1, 10_000),
            "policy_id": _policy(db, policy.strip()),
            "created_at": db.now(),
        }
        db.table("entitlements").insert(row)
        granted = by_id(db, public_id)
        _record(db, actor, Event.GRANT_CREATE, granted)
    return granted


def withdraw(db: Database, actor: Actor, public_id: str) -> Grant:
    """Take a right away at once; return what it was. Errors: ``NotFound``."""
    check(actor, Action.GRANT_MANAGE)
    with write(db):
        granted = by_id(db, public_id)
        db.conn.execute("delete from entitlements where public_id = ?", (public_id,))
        _record(db, actor, Event.GRANT_END, granted)
    return granted


def by_id(db: Database, public_id: str) -> Grant:
    """Return one right. Errors: ``NotFound``."""
    row = db.one(f"{_LISTED} where e.public_id = ?", (public_id,))
    if row is None:
        raise NotFound("grant.missing", f"There is no right “{public_id}”.")
    return Grant(**row)


def listing(db: Database, subject: str = "", title: str = "") -> list[Grant]:
    """Return rights, the oldest first: those that name a subject, a title (slug)."""
    rows = db.rows(
        f"""
        {_LISTED}
        where (:subject = '' or {_SUBJECT} = :subject collate nocase)
            and (:title = '' or t.slug = :title)
        order by e.id
        """,
        {"subject": subject, "title": title},
    )
    return [Grant(**row) for row in rows]


_SUBJECTS = (
    "subject = 'everyone'",
    "subject = 'account' and subject_id = :account",
    """subject = 'role' and role in (
        select role from role_assignments where account_id = :account
    )""",
    """subject = 'group' and subject_id in (
        select group_id from group_members where account_id = :account
    )""",
)
_OBJECTS = (
    "object = 'all' and object_id is null",
    "object = 'title' and object_id = :title",
)
# Every subject with every object, written out: each is then one short range of the
# index by object, however many subscribers and purchases there are.
_CASES = "\n    or ".join(
    f"({object_} and {subject})" for object_ in _OBJECTS for subject in _SUBJECTS
)
_APPLYING = f"""
select public_id, source, starts_at, ends_at, streams, uhd_streams, max_height,
    policy_id
from entitlements
where {_CASES}
order by id
"""

_SUBJECT = """case e.subject
    when 'role' then 'role:' || e.role
    when 'group' then 'group:' || g.name
    when 'account' then 'account:' || a.username
    else e.subject
end"""
_LISTED = f"""
select e.public_id as id, {_SUBJECT} as subject,
    t.slug as title, e.source, e.starts_at, e.ends_at, e.streams, e.uhd_streams,
    e.max_height, p.name as policy, e.created_at
from entitlements e
left join accounts a on e.subject = 'account' and a.id = e.subject_id
left join groups g on e.subject = 'group' and g.id = e.subject_id
left join titles t on e.object = 'title' and t.id = e.object_id
left join licence_policies p on p.id = e.policy_id
"""


def _source(text: str) -> str:
    if not _SOURCE.fullmatch(text):
        raise InvalidInput(
            "grant.source",
            "The source of a right is written as plan:NAME, voucher:NAME,"
            " assignment:NAME, role:NAME, group:NAME, or installation.",
            {"field": "source"},
        )
    return text


def _number(field: str, value: int | None, least: int, most: int) -> int | None:
    if value is not None and not least <= value <= most:
        raise InvalidInput(
            "grant.number",
            f"{_NUMBERS[field]} is a whole number from {least} to {most:,}.",
            {"field": field},
        )
    return value


_NUMBERS = {
    "streams": "The limit of streams",
    "uhd_streams": "The limit of UHD streams",
    "max_height": "The greatest height in pixels",
}


def _policy(db: Database, name: str) -> int | None:
    if not name:
        return None
    found = db.value("select id from licence_policies where name = ?", (name,))
    if found is None:
        raise InvalidInput(
            "policy.unknown",
            f"There is no policy “{name[:80]}”: see `matinee policy list`.",
            {"field": "policy"},
        )
    return int(found)


def _record(db: Database, actor: Actor, event: Event, granted: Grant) -> None:
    record(
        db,
        actor,
        event,
        f"grant/{granted.id}",
        whose=granted.subject,
        title=granted.title,
        source=granted.source,
    )
