"""Prove who somebody is: the password first, then the second factor where it is on."""

from dataclasses import dataclass

from appliance.accounts import devices, names, passwords, recovery, throttle, totp
from appliance.accounts.throttle import Admission, Door
from appliance.db import Database, Row, write
from appliance.errors import Unauthenticated
from appliance.events import Event, record
from appliance.permissions import ANONYMOUS, Actor
from appliance.settings import Settings


@dataclass(frozen=True, slots=True)
class Proven:
    """An account whose password was right.

    ``stamp`` changes with the password: a proof that waits for its second factor no
    longer holds when the password was changed meanwhile.
    """

    account_id: int
    public_id: str
    username: str
    stamp: str
    needs_code: bool


def password(
    db: Database,
    settings: Settings,
    username: str,
    password: str,
    *,
    address: str,
    device: str = "",
) -> Proven:
    """Check a password; ``device`` is the note of a known device (devices.py).

    Errors: ``Unauthenticated`` ("sign-in.wrong" whether or not there is such a name,
    "sign-in.disabled"), ``TooManyRequests`` with ``retry_after``.
    """
    row = _by_name(db, username)
    known = devices.known(settings, device, row["public_id"]) if row else None
    admission = throttle.admit(db, settings, Door.PASSWORD, username, address, known)
    stored = row["password_hash"] if row else None
    if not passwords.matches(stored, password) or row is None:
        _refuse(db, address, row, "password")
        raise Unauthenticated(
            "sign-in.wrong", "That user name and password don’t match."
        )
    proven = _proven(row)
    _refuse_disabled(db, address, row)
    _keep_hash_current(db, proven.account_id, stored, password)
    _passed(db, admission, more_to_come=proven.needs_code)
    return proven


def code(
    db: Database,
    settings: Settings,
    proven: Proven,
    text: str,
    *,
    address: str,
    device: str = "",
) -> None:
    """Check the second factor of an account whose password was right.

    Errors: ``Unauthenticated`` ("sign-in.otp-wrong"), ``TooManyRequests``.
    """
    known = devices.known(settings, device, proven.public_id)
    admission = throttle.admit(db, settings, Door.CODE, proven.username, address, known)
    actor = Actor(proven.username, proven.account_id, address=address)
    with write(db):
        if totp.accept(db, settings, proven.account_id, text) or recovery.use(
            db, settings, actor, proven.account_id, text
        ):
            throttle.right(db, admission)
            return
    _refuse(db, address, _by_name(db, proven.username), "code")
    raise Unauthenticated(
        "sign-in.otp-wrong",
        "That code does not fit: each one works once. Type the one that shows now, or"
        " a recovery code.",
    )


def resume(db: Database, public_id: str, stamp: str) -> Proven:
    """Take up a proof that waited for its second factor.

    Errors: ``Unauthenticated`` when meanwhile the account was disabled, its password
    changed or its second factor switched off.
    """
    row = db.one(f"{_SELECT} where public_id = ?", (public_id,))
    proven = _proven(row) if row and row["state"] == "active" else None
    if proven is None or proven.stamp != stamp or not proven.needs_code:
        raise Unauthenticated("sign-in.expired", "Please sign in again.")
    return proven


_SELECT = """
select id, public_id, username, password_hash, password_changed_at, state,
    totp_confirmed_at
from accounts
"""


def _by_name(db: Database, username: str) -> Row | None:
    return db.one(f"{_SELECT} where username = ?", (names.lookup(username),))


def _proven(row: Row) -> Proven:
    return Proven(
        account_id=row["id"],
        public_id=row["public_id"],
        username=row["username"],
        stamp=row["password_changed_at"] or "",
        needs_code=row["totp_confirmed_at"] is not None,
    )


def _refuse_disabled(db: Database, address: str, row: Row) -> None:
    if row["state"] != "active":
        _refuse(db, address, row, "disabled")
        raise Unauthenticated(
            "sign-in.disabled", "This account is disabled: ask an administrator."
        )


def _refuse(db: Database, address: str, row: Row | None, reason: str) -> None:
    # A name that does not exist is not written down: it is often a mistyped password.
    subject = f"account/{row['public_id']}" if row else "account/unknown"
    actor = Actor(ANONYMOUS.username, address=address)
    with write(db):
        record(db, actor, Event.SESSION_REFUSE, subject, reason=reason)


def _keep_hash_current(
    db: Database, account_id: int, stored: str | None, password: str
) -> None:
    if stored is None or not passwords.outdated(stored):
        return
    renewed = passwords.hashed(password)
    with write(db):
        db.conn.execute(
            """
            update accounts set password_hash = ?
            where id = ? and password_hash = ?
            """,
            (renewed, account_id, stored),
        )


def _passed(db: Database, admission: Admission, *, more_to_come: bool) -> None:
    if more_to_come:
        throttle.give_back(db, admission)
    else:
        throttle.right(db, admission)
