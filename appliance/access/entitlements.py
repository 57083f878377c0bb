"""Entitlements: rights to watch, of everyone, a role, a group or an account."""

from dataclasses import dataclass

from appliance.db import Database


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


def applying(db: Database, account_id: int, title_id: int) -> tuple[Entitlement, ...]:
    """Return every right of the account to the title, also past and future ones."""
    rows = db.conn.execute(_APPLYING, {"account": account_id, "title": title_id})
    return tuple(Entitlement(*row) for row in rows)


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
