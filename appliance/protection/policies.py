"""Policies of licences by name: made, changed, removed, and found for a licence."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from appliance.db import Database, Row, write
from appliance.errors import InvalidInput, NotFound
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check
from appliance.protection import policy as values
from appliance.protection.policy import DEFAULT, Policy

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Named:
    """A policy as it is kept; ``titles`` and ``rights`` say how many name it."""

    id: int
    name: str
    policy: Policy
    updated_at: str
    titles: int
    rights: int


_SELECT = """
select id, name, document, updated_at,
    (select count(*) from titles where policy_id = licence_policies.id) as titles,
    (select count(*) from entitlements where policy_id = licence_policies.id) as rights
from licence_policies
"""


def put(db: Database, actor: Actor, name: str, changes: Mapping[str, Any]) -> Named:
    """Change fields of a policy, or make it from the default and them.

    Errors: ``InvalidInput``, ``Forbidden``.
    """
    check(actor, Action.KEY_MANAGE)
    cleaned = _name(name)
    with write(db):
        before = db.one(f"{_SELECT} where name = ?", (cleaned,))
        policy = values.changed(_policy(before) if before else DEFAULT, changes)
        document = json.dumps(values.fields(policy), separators=(",", ":"))
        if before and before["document"] == document:
            return _named(before)
        db.conn.execute(
            """
            insert into licence_policies (name, document, created_at, updated_at)
            values (:name, :document, :now, :now)
            on conflict (name) do update
            set document = excluded.document, updated_at = excluded.updated_at
            """,
            {"name": cleaned, "document": document, "now": db.now()},
        )
        found = by_name(db, cleaned)
        change = "changed" if before else "made"
        _record(db, actor, found.name, change, fields=sorted(changes))
        return found


def remove(db: Database, actor: Actor, name: str) -> None:
    """Remove a policy: what named it falls back to the next that applies.

    Errors: ``NotFound``, ``Forbidden``.
    """
    check(actor, Action.KEY_MANAGE)
    with write(db):
        found = by_name(db, name)
        db.conn.execute("delete from licence_policies where id = ?", (found.id,))
        _record(
            db, actor, found.name, "removed", titles=found.titles, rights=found.rights
        )


def listing(db: Database) -> list[Named]:
    """Return every policy, by name."""
    return [_named(row) for row in db.rows(f"{_SELECT} order by name")]


def by_name(db: Database, name: str) -> Named:
    """Return a policy; case does not matter. Errors: ``NotFound``."""
    row = db.one(f"{_SELECT} where name = ?", (name.strip(),))
    if row is None:
        raise NotFound(
            "policy.missing", f"There is no policy “{name}”: see `matinee policy list`."
        )
    return _named(row)


def effective(db: Database, *candidates: int | None) -> Policy:
    """Return the policy of the first id that is one, else the default.

    The caller names that of the title first and that of the right second.
    """
    for each in candidates:
        if each is not None:
            row = db.one("select document from licence_policies where id = ?", (each,))
            if row is not None:
                return _policy(row)
    return DEFAULT


def _name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= _LONGEST_NAME or not cleaned.isprintable():
        raise InvalidInput(
            "policy.name", f"The name of a policy has 1 to {_LONGEST_NAME} characters."
        )
    return cleaned


def _policy(row: Row) -> Policy:
    return values.changed(DEFAULT, json.loads(row["document"]))


def _named(row: Row) -> Named:
    return Named(
        id=row["id"],
        name=row["name"],
        policy=_policy(row),
        updated_at=row["updated_at"],
        titles=row["titles"],
        rights=row["rights"],
    )


def _record(db: Database, actor: Actor, name: str, change: str, **data: object) -> None:
    record(db, actor, Event.POLICY_CHANGE, f"policy/{name}", change=change, **data)
