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

    ``title`` and ``collection`` are slugs; without either it is to every title.
    """

    id: str
    subject: str
    title: str | None
    collection: str | None
    source: str
    starts_at: str | None
    ends_at: str | None
    streams: int | None
    uhd_streams: int | None
    max_height: int | None
    policy: str | None
    created_at: str


def applying(
    db: Database, account_id: int, title_id: int, whole_id: int | None = None
) -> tuple[Entitlement, ...]:
    """Return every right of the account to the title, also past and future ones.

    Who may watch a series may watch its episodes (``whole_id`` is what the title is a
    part of), and who may watch a collection all that is in it.
    """
    params = {"account": account_id, "title": title_id, "whole": whole_id}
    rows = db.conn.execute(_APPLYING, params)
    return tuple(Entitlement(*row) for row in rows)


def grant(
    db: Database,
    actor: Actor,
    subject: str,
    title: str | None = None,
    *,
    collection: str = "",
    source: str = "",
    starts_at: str | None = None,
    ends_at: str | None = None,
    streams: int | None = None,
    uhd_streams: int | None = None,
    max_height: int | None = None,
    policy: str = "",
) -> Grant:
    """Give somebody the right to watch a title or a collection, by slug, or every one.

    ``subject`` is everyone, role:…, group:… or account:…; ``source`` says where the
    right comes from, as plan:… or voucher:…, else it follows from the subject.
    Errors: ``InvalidInput``, ``NotFound``, ``Forbidden``.
    """
    check(actor, Action.GRANT_MANAGE)
    begins, ends = moments.span(starts_at, ends_at)
    public_id = secrets.token_hex(8)
    with write(db):
        party = parties.party(db, subject)
        object_, object_id = _object(db, actor, title, collection)
        row = {
            "public_id": public_id,
            "subject": party.kind,
            "subject_id": party.id,
            "role": party.role,
            "object": object_,
            "object_id": object_id,
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


# Every subject with every object: each pair is then one step into the index by object,
# however many subscribers and purchases there are.
_APPLYING = """
with subjects (subject, id, role) as (
    values ('everyone', null, null), ('account', :account, null)
    union all
    select 'role', null, role from role_assignments where account_id = :account
    union all
    select 'group', group_id, null from group_members where account_id = :account
), objects (object, id) as (
    values ('all', null), ('title', :title)
    union all
    select 'title', :whole where :whole is not null
    union all
    select 'collection', collection_id from collection_titles
    where title_id in (:title, :whole)
)
select e.public_id, e.source, e.starts_at, e.ends_at, e.streams, e.uhd_streams,
    e.max_height, e.policy_id
from objects cross join subjects cross join entitlements e
where e.object = objects.object and e.object_id is objects.id
    and e.subject = subjects.subject and e.subject_id is subjects.id
    and e.role is subjects.role
order by e.id
"""

_SUBJECT = """case e.subject
    when 'role' then 'role:' || e.role
    when 'group' then 'group:' || g.name
    when 'account' then 'account:' || a.username
    else e.subject
end"""
_LISTED = f"""
select e.public_id as id, {_SUBJECT} as subject,
    t.slug as title, c.slug as collection, e.source, e.starts_at, e.ends_at,
    e.streams, e.uhd_streams, e.max_height, p.name as policy, e.created_at
from entitlements e
left join accounts a on e.subject = 'account' and a.id = e.subject_id
left join groups g on e.subject = 'group' and g.id = e.subject_id
left join titles t on e.object = 'title' and t.id = e.object_id
left join collections c on e.object = 'collection' and c.id = e.object_id
left join licence_policies p on p.id = e.policy_id
"""


def _object(
    db: Database, actor: Actor, title: str | None, collection: str
) -> tuple[str, int | None]:
    if title is not None and collection:
        raise InvalidInput(
            "grant.object",
            "A right is to a title or to a collection, not to both.",
            {"field": "collection"},
        )
    if title is not None:
        return "title", titles.by_slug(db, actor, title).id
    if not collection:
        return "all", None
    found = db.value("select id from collections where slug = ?", (collection,))
    if found is None:
        raise NotFound(
            "collection.missing", f"There is no collection “{collection[:80]}”."
        )
    return "collection", int(found)


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
        collection=granted.collection,
        source=granted.source,
    )
