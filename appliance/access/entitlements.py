"""Entitlements: rights to watch, of everyone, a group or an account."""

from dataclasses import dataclass

from appliance.db import Database


@dataclass(frozen=True, slots=True)
class Entitlement:
    """A right that applies; from ``starts_at`` until before ``ends_at``, UTC text."""

    source: str
    starts_at: str | None
    ends_at: str | None
    streams: int | None
    max_height: int | None


def applying(db: Database, account_id: int, title_id: int) -> tuple[Entitlement, ...]:
    """Return every right of the account to the title, also past and future ones."""
    rows = db.rows(
        """
        select source, starts_at, ends_at, streams, max_height
        from entitlements
        where (
            subject = 'everyone'
            or (subject = 'account' and subject_id = :account)
            or (subject = 'group' and subject_id in (
                select group_id from group_members where account_id = :account
            ))
        )
        and (object = 'all' or (object = 'title' and object_id = :title))
        order by id
        """,
        {"account": account_id, "title": title_id},
    )
    return tuple(Entitlement(**row) for row in rows)
