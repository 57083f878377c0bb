"""Machines of a cluster: invited by a token for one use, joined, and removed again.

Of a token only its hash is kept, and so it is of the credential that a machine gets
when it joins, by which it asks later for what has changed. ``given`` says what a
machine has that another could misuse, so that it can be taken away again.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from appliance import __version__
from appliance.clock import to_text
from appliance.db import Database, Row, write
from appliance.errors import Conflict, Forbidden, Gone, InvalidInput, NotFound
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check

MOST_MINUTES = 7 * 24 * 60
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)
# So long a token that has run out is told from one that never was.
_KEPT_DAYS = 30


class Kind(StrEnum):
    """What a machine is invited as."""

    WORKER = "worker"
    EDGE = "edge"
    STANDBY = "standby"


@dataclass(frozen=True, slots=True)
class Invitation:
    """A token that nobody has used yet; ``name`` is empty where any name will do."""

    id: str
    kind: Kind
    name: str
    created_at: str
    created_by: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class Member:
    """A machine that joined; ``seen_at`` is when it last asked for changes."""

    id: str
    kind: Kind
    name: str
    address: str
    version: str
    joined_at: str
    seen_at: str
    given: Mapping[str, Any]


def invite(
    db: Database, actor: Actor, kind: Kind, name: str = "", minutes: int = 60
) -> tuple[str, Invitation]:
    """Make a token by which one machine may join; it is answered only now.

    Errors: ``InvalidInput``; ``Conflict`` when a machine of that kind has the name.
    """
    check(actor, Action.SYSTEM_MANAGE)
    if not 1 <= minutes <= MOST_MINUTES:
        raise InvalidInput(
            "node.minutes", f"A token lives 1 to {MOST_MINUTES} minutes."
        )
    token, public_id = secrets.token_urlsafe(32), secrets.token_hex(8)
    with write(db):
        _forget_old(db)
        if name:
            _require_free(db, kind, usable(name))
        row = {
            "public_id": public_id,
            "kind": kind.value,
            "name": name,
            "token_hash": _hash(token),
            "created_at": db.now(),
            "created_by": actor.username,
            "expires_at": db.now(minutes=minutes),
        }
        db.table("node_invitations").insert(row)
        subject = f"node/{name or public_id}"
        record(db, actor, Event.NODE_INVITE, subject, kind=kind, minutes=minutes)
    return token, _invitation(row)


def looked_at(db: Database, token: str, name: str, version: str) -> Invitation:
    """Return the invitation that a token stands for; it is not used up by this.

    Errors: ``Forbidden`` node.token for one that was never made, ``Gone`` for one that
    was used or ran out; ``Conflict`` for another release than ours, or a name that is
    taken; ``InvalidInput``.
    """
    found = _open(db, token)
    if version != __version__:
        raise Conflict(
            "node.version",
            f"This machine has Matinee {version[:40] or 'of an unknown release'}, and"
            f" the control node {__version__}: install {__version__} here first, and"
            " join again with the same token.",
        )
    _require_free(db, found.kind, usable(found.name or name))
    return found


def redeem(
    db: Database,
    actor: Actor,
    token: str,
    name: str,
    version: str,
    given: Mapping[str, Any],
) -> tuple[Member, str]:
    """Use a token up; return the machine that joined by it, and its credential.

    ``given`` is what it gets, without any secret. Errors: as of :func:`looked_at`.
    """
    credential = secrets.token_urlsafe(32)
    with write(db):
        found = looked_at(db, token, name, version)
        called = found.name or name
        db.conn.execute(
            """
            update node_invitations
            set used_at = :now, used_by = :name, address = :address,
                version = :version, given = :given, credential_hash = :credential,
                seen_at = :now
            where public_id = :id
            """,
            {
                "now": db.now(),
                "name": called,
                "address": actor.address,
                "version": version,
                "given": json.dumps(dict(given)),
                "credential": _hash(credential),
                "id": found.id,
            },
        )
        record(db, actor, Event.NODE_JOIN, f"node/{called}", kind=found.kind)
        return _member(_row(db, found.id)), credential


def known(db: Database, credential: str, version: str) -> Member:
    """Return the machine that a credential was given to, and note that it asked.

    Errors: ``Forbidden`` node.credential when there is none, or it was removed.
    """
    with write(db):
        row = db.one(
            """
            update node_invitations set seen_at = ?, version = ?
            where credential_hash = ? and removed_at is null
            returning *
            """,
            (db.now(), version[:40], _hash(credential)),
        )
    if row is None:
        raise Forbidden(
            "node.credential",
            "This machine is no part of this cluster, or no longer: join it with a new"
            " token.",
        )
    return _member(row)


def members(db: Database, actor: Actor) -> list[Member]:
    """Return the machines that joined and were not removed, by name."""
    check(actor, Action.NODE_MANAGE)
    rows = db.rows(
        """
        select * from node_invitations
        where used_at is not null and removed_at is null
        order by kind, used_by
        """
    )
    return [_member(row) for row in rows]


def waiting(db: Database, actor: Actor) -> list[Invitation]:
    """Return the tokens that can still be used."""
    check(actor, Action.NODE_MANAGE)
    rows = db.rows(
        "select * from node_invitations where used_at is null and expires_at > ?",
        (db.now(),),
    )
    return [_invitation(row) for row in rows]


def expel(db: Database, actor: Actor, member: Member) -> None:
    """Forget that a machine joined: its credential counts no more."""
    check(actor, Action.SYSTEM_MANAGE)
    with write(db):
        db.conn.execute(
            """
            update node_invitations set removed_at = ?, credential_hash = null
            where public_id = ?
            """,
            (db.now(), member.id),
        )
        record(
            db,
            actor,
            Event.NODE_CHANGE,
            f"node/{member.name}",
            kind=member.kind,
            removed=True,
        )


def withdraw(db: Database, actor: Actor, name: str) -> int:
    """Let the tokens that wait for a machine of this name count no more."""
    check(actor, Action.SYSTEM_MANAGE)
    with write(db):
        cursor = db.conn.execute(
            """
            update node_invitations set expires_at = :now
            where used_at is null and name = :name and expires_at > :now
            """,
            {"now": db.now(), "name": name},
        )
        return int(cursor.rowcount)


def usable(name: str) -> str:
    """Return a name that a machine can have. Errors: ``InvalidInput``."""
    if not NAME.fullmatch(name):
        raise InvalidInput(
            "node.name",
            "Name the machine in letters, digits, dots and hyphens, 40 at most.",
        )
    return name


def _open(db: Database, token: str) -> Invitation:
    row = db.one("select * from node_invitations where token_hash = ?", (_hash(token),))
    if row is None:
        raise Forbidden(
            "node.token",
            "This token opens nothing here: copy it whole, and ask the control node"
            " that made it.",
        )
    again = "make a new one on the control node: matinee node token."
    if row["used_at"] is not None:
        raise Gone("node.token-used", f"This token was used already: {again}")
    if row["expires_at"] <= db.now():
        raise Gone("node.token-expired", f"This token has run out: {again}")
    return _invitation(row)


def _require_free(db: Database, kind: Kind, name: str) -> None:
    taken = db.value(
        """
        select 1 from node_invitations
        where kind = ? and used_by = ? and used_at is not null and removed_at is null
        """,
        (kind.value, name),
    )
    if taken:
        raise Conflict(
            "node.taken",
            f"There is a machine “{name}” in this cluster: take another name, or, if it"
            f" is gone, say on the control node: matinee node remove {name} --yes.",
        )


def _forget_old(db: Database) -> None:
    before = to_text(db.clock.now() - timedelta(days=_KEPT_DAYS))
    db.conn.execute(
        """
        delete from node_invitations
        where (used_at is null and expires_at < :before) or removed_at < :before
        """,
        {"before": before},
    )


def _row(db: Database, public_id: str) -> Row:
    row = db.one("select * from node_invitations where public_id = ?", (public_id,))
    if row is None:
        raise NotFound("node.missing", "There is no such machine.")
    return row


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _invitation(row: Row) -> Invitation:
    return Invitation(
        id=row["public_id"],
        kind=Kind(row["kind"]),
        name=row["name"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        expires_at=row["expires_at"],
    )


def _member(row: Row) -> Member:
    return Member(
        id=row["public_id"],
        kind=Kind(row["kind"]),
        name=row["used_by"],
        address=row["address"],
        version=row["version"],
        joined_at=row["used_at"],
        seen_at=row["seen_at"] or "",
        given=json.loads(row["given"]),
    )
