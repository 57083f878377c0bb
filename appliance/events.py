"""What happened, by whom: the audit log, written in the transaction it speaks of."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from appliance.db import Database, Row
from appliance.permissions import Actor


class Event(StrEnum):
    """Every event, ``noun:verb``; the meaning stands in :data:`MEANINGS`."""

    ACCOUNT_CREATE = "account:create"
    ACCOUNT_UPDATE = "account:update"
    ACCOUNT_DISABLE = "account:disable"
    ACCOUNT_ENABLE = "account:enable"
    ACCOUNT_ROLE = "account:role"
    PASSWORD_CHANGE = "password:change"
    PASSWORD_RESET = "password:reset"
    SESSION_CREATE = "session:create"
    SESSION_REFUSE = "session:refuse"
    SESSION_REVOKE = "session:revoke"
    TOKEN_CREATE = "token:create"
    TOKEN_REVOKE = "token:revoke"
    TOTP_ENABLE = "totp:enable"
    TOTP_DISABLE = "totp:disable"
    RECOVERY_CODE_CREATE = "recovery-code:create"
    RECOVERY_CODE_USE = "recovery-code:use"
    SETUP_LINK_CREATE = "setup-link:create"
    SETUP_LINK_USE = "setup-link:use"
    TITLE_CREATE = "title:create"
    TITLE_UPDATE = "title:update"
    TITLE_STATE = "title:state"
    TITLE_REMOVE = "title:remove"
    ARTWORK_CHANGE = "artwork:change"
    UPLOAD_FINISH = "upload:finish"
    UPLOAD_REFUSE = "upload:refuse"
    ASSET_INSTALL = "asset:install"
    JOB_CREATE = "job:create"
    JOB_RETRY = "job:retry"
    JOB_CANCEL = "job:cancel"
    JOB_FAIL = "job:fail"
    JOB_FINISH = "job:finish"
    PLAYBACK_START = "playback:start"
    PLAYBACK_REFUSE = "playback:refuse"
    PLAYBACK_END = "playback:end"
    LICENCE_ISSUE = "licence:issue"
    LICENCE_REFUSE = "licence:refuse"
    KEY_CREATE = "key:create"
    KEY_RETIRE = "key:retire"
    KEY_ROTATE = "key:rotate"
    KEY_EXPORT = "key:export"
    KEY_IMPORT = "key:import"
    POLICY_CHANGE = "policy:change"
    GRANT_CREATE = "grant:create"
    GRANT_END = "grant:end"
    AVAILABILITY_CHANGE = "availability:change"
    PROFILE_LIMIT = "profile:limit"
    STORAGE_MOVE = "storage:move"


MEANINGS: Mapping[Event, str] = {
    Event.ACCOUNT_CREATE: "An account was created.",
    Event.ACCOUNT_UPDATE: "An account's name, e-mail or language changed.",
    Event.ACCOUNT_DISABLE: "An account was disabled; its sessions ended.",
    Event.ACCOUNT_ENABLE: "A disabled account may sign in again.",
    Event.ACCOUNT_ROLE: "The roles of an account changed.",
    Event.PASSWORD_CHANGE: "Somebody changed their own password.",
    Event.PASSWORD_RESET: "An administrator set a new password.",
    Event.SESSION_CREATE: "Somebody signed in.",
    Event.SESSION_REFUSE: "A sign-in was refused.",
    Event.SESSION_REVOKE: "A session was ended by its owner or an administrator.",
    Event.TOKEN_CREATE: "An API token was issued.",
    Event.TOKEN_REVOKE: "An API token was revoked.",
    Event.TOTP_ENABLE: "A second factor was switched on.",
    Event.TOTP_DISABLE: "A second factor was switched off.",
    Event.RECOVERY_CODE_CREATE: "New recovery codes were made; older ones ended.",
    Event.RECOVERY_CODE_USE: "A recovery code was used in place of a second factor.",
    Event.SETUP_LINK_CREATE: "A link for the first administrator was made.",
    Event.SETUP_LINK_USE: "The first administrator was made through the link.",
    Event.TITLE_CREATE: "A title was created.",
    Event.TITLE_UPDATE: "A title's description changed.",
    Event.TITLE_STATE: "A title moved to another state.",
    Event.TITLE_REMOVE: "A title and its files were removed.",
    Event.ARTWORK_CHANGE: "A title's poster or backdrop changed.",
    Event.UPLOAD_FINISH: "A source arrived whole and became an asset.",
    Event.UPLOAD_REFUSE: "A source was refused; it was kept where it was.",
    Event.ASSET_INSTALL: "A processed version of an asset was installed.",
    Event.JOB_CREATE: "A job was created.",
    Event.JOB_RETRY: "A failed job was started again.",
    Event.JOB_CANCEL: "A job was cancelled.",
    Event.JOB_FAIL: "A job failed for good.",
    Event.JOB_FINISH: "A job ended well.",
    Event.PLAYBACK_START: "A playback session was opened.",
    Event.PLAYBACK_REFUSE: "A playback session was refused.",
    Event.PLAYBACK_END: "A playback session ended.",
    Event.LICENCE_ISSUE: "Content keys or a licence went to a player.",
    Event.LICENCE_REFUSE: "A player was refused a licence or a content key.",
    Event.KEY_CREATE: "Content keys of an asset were made.",
    Event.KEY_RETIRE: "Content keys of an asset were retired; no door gives them out.",
    Event.KEY_ROTATE: "A key of the installation was replaced by a new one.",
    Event.KEY_EXPORT: "Content keys were exported, sealed with a passphrase.",
    Event.KEY_IMPORT: "Content keys were imported.",
    Event.POLICY_CHANGE: "A policy of licences was made, changed or removed.",
    Event.GRANT_CREATE: "Somebody was granted the right to watch something.",
    Event.GRANT_END: "A right to watch something was taken away.",
    Event.AVAILABILITY_CHANGE: "When, where or to whom a title is shown changed.",
    Event.PROFILE_LIMIT: "The age limit of a profile changed.",
    Event.STORAGE_MOVE: "A part of a film was moved to another storage.",
}


# Made once: `json.dumps` with separators of its own makes an encoder for each call.
_as_json = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Recorded:
    """One line of the audit log; ``at`` is UTC text."""

    id: int
    at: str
    name: str
    actor: str
    address: str
    subject: str
    data: Mapping[str, Any]


def record(
    db: Database, actor: Actor, event: Event, subject: str, **data: object
) -> None:
    """Write an event in the transaction that is open.

    ``subject`` is what it happened to, ``noun/public id``; ``data`` are JSON values
    and never hold a secret. Errors: ``RuntimeError`` outside a transaction.
    """
    if not db.conn.in_transaction:
        raise RuntimeError(f"{event} was recorded outside write(db)")
    db.conn.execute(
        """
        insert into events (at, name, actor_id, actor_name, address, subject, data)
        values (?, ?, ?, ?, ?, ?, ?)
        """,
        (
            db.now(),
            event.value,
            actor.account_id,
            actor.username,
            actor.address,
            subject,
            _as_json(data),
        ),
    )


def since(db: Database, cursor: int = 0, limit: int = 200) -> list[Recorded]:
    """Return events after ``cursor`` (an event id), oldest first."""
    return _recorded(
        db.rows(
            "select * from events where id > ? order by id limit ?", (cursor, limit)
        )
    )


def latest(db: Database, limit: int = 50) -> list[Recorded]:
    """Return the last ``limit`` events, oldest first."""
    newest = db.rows("select * from events order by id desc limit ?", (limit,))
    return _recorded(reversed(newest))


def before(
    db: Database,
    cursor: int | None = None,
    *,
    name: Event | None = None,
    actor: str = "",
    limit: int = 100,
) -> list[Recorded]:
    """Return events older than ``cursor``, newest first: of one name, by one actor."""
    return _recorded(
        db.rows(
            """
            select * from events
            where (:cursor is null or id < :cursor)
                and (:name is null or name = :name)
                and (:actor = '' or actor_name = :actor collate nocase)
            order by id desc limit :limit
            """,
            {"cursor": cursor, "name": name, "actor": actor, "limit": limit},
        )
    )


def _recorded(rows: Iterable[Row]) -> list[Recorded]:
    return [
        Recorded(
            id=row["id"],
            at=row["at"],
            name=row["name"],
            actor=row["actor_name"],
            address=row["address"],
            subject=row["subject"],
            data=json.loads(row["data"]),
        )
        for row in rows
    ]
