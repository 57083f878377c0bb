"""What happened, by whom: the audit log, written in the transaction it speaks of."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from appliance import trail
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
    UPLOAD_FETCH = "upload:fetch"
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
    CDN_PUSH = "cdn:push"
    ASSET_REPLACE = "asset:replace"
    ASSET_RESTORE = "asset:restore"
    ASSET_SUPPLEMENT = "asset:supplement"
    SOURCE_REMOVE = "source:remove"
    JOB_PAUSE = "job:pause"
    JOB_RESUME = "job:resume"
    JOB_PRIORITY = "job:priority"
    LIBRARY_CHANGE = "library:change"
    REVIEW_DECIDE = "review:decide"
    CAPTIONS_CHANGE = "captions:change"
    CAPTIONS_REVIEW = "captions:review"
    MARKERS_CHANGE = "markers:change"
    NODE_CHANGE = "node:change"
    ENCODER_DEGRADE = "encoder:degrade"
    ENCODER_RECOVER = "encoder:recover"
    TITLE_REVIEW = "title:review"
    TITLE_TRASH = "title:trash"
    TITLE_BULK = "title:bulk"
    TITLE_IMPORT = "title:import"
    SEASON_CHANGE = "season:change"
    PERSON_CHANGE = "person:change"
    FIELD_CHANGE = "field:change"
    COLLECTION_CHANGE = "collection:change"
    HOME_CHANGE = "home:change"
    PROFILE_CREATE = "profile:create"
    PROFILE_UPDATE = "profile:update"
    PROFILE_REMOVE = "profile:remove"
    PROFILE_CHOOSE = "profile:choose"
    PIN_CHANGE = "pin:change"
    PIN_REFUSE = "pin:refuse"
    HISTORY_CLEAR = "history:clear"
    GROUP_CHANGE = "group:change"
    BRAND_CHANGE = "brand:change"
    ANNOUNCEMENT_CHANGE = "announcement:change"
    MAINTENANCE_CHANGE = "maintenance:change"
    WEBHOOK_CHANGE = "webhook:change"
    WEBHOOK_FAIL = "webhook:fail"
    MAIL_FAIL = "mail:fail"
    BACKUP_CREATE = "backup:create"
    BACKUP_VERIFY = "backup:verify"
    BACKUP_RESTORE = "backup:restore"
    BACKUP_FAIL = "backup:fail"
    RELEASE_SWITCH = "release:switch"
    RELEASE_ROLLBACK = "release:rollback"
    CERTIFICATE_CHANGE = "certificate:change"
    HEALTH_CHANGE = "health:change"
    ALERT_RAISE = "alert:raise"
    ALERT_CLEAR = "alert:clear"
    NODE_INVITE = "node:invite"
    NODE_JOIN = "node:join"


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
    Event.UPLOAD_FETCH: "A film was asked for from an address, or given up.",
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
    Event.CDN_PUSH: "Parts of a film were put into the bucket that a CDN reads.",
    Event.ASSET_REPLACE: "The film of a title is being replaced by another source.",
    Event.ASSET_RESTORE: "An older version of an asset was put back.",
    Event.ASSET_SUPPLEMENT: "Renditions, a codec or sound are being added.",
    Event.SOURCE_REMOVE: "The source of an asset was removed, as its library wants it.",
    Event.JOB_PAUSE: "A job was paused.",
    Event.JOB_RESUME: "A paused job goes on.",
    Event.JOB_PRIORITY: "The priority of a job changed.",
    Event.LIBRARY_CHANGE: "A library was made, changed or removed.",
    Event.REVIEW_DECIDE: "A reviewer approved or rejected a version of a film.",
    Event.CAPTIONS_CHANGE: "Captions were added, edited, shifted or removed.",
    Event.CAPTIONS_REVIEW: "Captions made by machine were reviewed.",
    Event.MARKERS_CHANGE: "Chapters, intros or other markers of a film changed.",
    Event.NODE_CHANGE: "A media worker was drained, resumed or removed.",
    Event.ENCODER_DEGRADE: "A hardware encoder failed; the processor does its work.",
    Event.ENCODER_RECOVER: "A hardware encoder passed its test again.",
    Event.TITLE_REVIEW: "A title was sent to be reviewed, approved or sent back.",
    Event.TITLE_TRASH: "A title went to the trash, or came back from it.",
    Event.TITLE_BULK: "Many titles were changed at once, or that was undone.",
    Event.TITLE_IMPORT: "Titles were imported from a table.",
    Event.SEASON_CHANGE: "A season was made, changed or removed.",
    Event.PERSON_CHANGE: "Somebody of the cast or crew was added or changed.",
    Event.FIELD_CHANGE: "A field of this installation's own was added or changed.",
    Event.COLLECTION_CHANGE: "A collection was made, changed or removed.",
    Event.HOME_CHANGE: "A row of the home page was made, changed or removed.",
    Event.PROFILE_CREATE: "A profile was made.",
    Event.PROFILE_UPDATE: "A profile was changed.",
    Event.PROFILE_REMOVE: "A profile was removed, with what it watched.",
    Event.PROFILE_CHOOSE: "Somebody said who is watching on a device.",
    Event.PIN_CHANGE: "A PIN was set or taken away.",
    Event.PIN_REFUSE: "A wrong PIN was refused.",
    Event.GROUP_CHANGE: "A group was made or removed, or somebody joined or left it.",
    Event.HISTORY_CLEAR: "A profile's history was deleted, in part or whole.",
    Event.BRAND_CHANGE: "The looks or texts of the portal changed.",
    Event.ANNOUNCEMENT_CHANGE: "An announcement was made, changed or taken back.",
    Event.MAINTENANCE_CHANGE: "The portal was closed for maintenance, or opened.",
    Event.WEBHOOK_CHANGE: "A webhook was made, changed or removed.",
    Event.WEBHOOK_FAIL: "A webhook could not be delivered.",
    Event.MAIL_FAIL: "An e-mail could not be sent.",
    Event.BACKUP_CREATE: "A backup was made.",
    Event.BACKUP_VERIFY: "A backup was restored aside and found whole.",
    Event.BACKUP_RESTORE: "The installation was restored from a backup.",
    Event.BACKUP_FAIL: "A backup could not be made, or was found damaged.",
    Event.RELEASE_SWITCH: "Another release was put into use.",
    Event.RELEASE_ROLLBACK: "The release before was put into use again.",
    Event.CERTIFICATE_CHANGE: "The certificate of the portal was changed.",
    Event.HEALTH_CHANGE: "The findings of the doctor changed.",
    Event.ALERT_RAISE: "Something has been wrong for a while.",
    Event.ALERT_CLEAR: "What was wrong is right again.",
    Event.NODE_INVITE: "A machine was invited to join, by a token for one use.",
    Event.NODE_JOIN: "A machine joined the cluster.",
}


# Made once: `json.dumps` with separators of its own makes an encoder for each call.
_as_json = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Recorded:
    """One line of the audit log; ``at`` is UTC text.

    ``request`` is the id of the request that it came from, as logs have it.
    """

    id: int
    at: str
    name: str
    actor: str
    address: str
    subject: str
    data: Mapping[str, Any]
    request: str = ""


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
        insert into events
            (at, name, actor_id, actor_name, address, subject, data, request)
        values (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            db.now(),
            event.value,
            actor.account_id,
            actor.username,
            actor.address,
            subject,
            _as_json(data),
            trail.request(),
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
    subject: str = "",
    begins: str = "",
    ends: str = "",
    limit: int = 100,
) -> list[Recorded]:
    """Return events older than ``cursor``, newest first: of one name, by one actor.

    ``subject`` is whole, or the noun that it begins with; ``begins`` and ``ends`` are
    UTC text, the end itself is left out.
    """
    return _recorded(
        db.rows(
            """
            select * from events
            where (:cursor is null or id < :cursor)
                and (:name is null or name = :name)
                and (:actor = '' or actor_name = :actor collate nocase)
                and (:subject = '' or subject = :subject
                    or substr(subject, 1, length(:subject) + 1) = :subject || '/')
                and (:begins = '' or at >= :begins)
                and (:ends = '' or at < :ends)
            order by id desc limit :limit
            """,
            {
                "cursor": cursor,
                "name": name,
                "actor": actor,
                "subject": subject,
                "begins": begins,
                "ends": ends,
                "limit": limit,
            },
        )
    )


def of_subject(db: Database, subject: str, limit: int = 100) -> list[Recorded]:
    """Return what happened to one thing, the last first."""
    rows = db.rows(
        "select * from events where subject = ? order by id desc limit ?",
        (subject, limit),
    )
    return _recorded(rows)


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
            request=row["request"],
        )
        for row in rows
    ]
