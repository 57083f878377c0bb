"""The first administrator: a link that works once, for an hour, printed on the console.

So nobody who finds a fresh installation on the network can take it over.
"""

import hashlib
import secrets

from appliance.accounts import people
from appliance.accounts.people import Account
from appliance.db import Database, write
from appliance.errors import Conflict, Gone, NotFound
from appliance.events import Event, record
from appliance.permissions import SYSTEM, Actor, Role
from appliance.settings import Settings

MINUTES = 60
_PURPOSE = "setup"


def issue(db: Database) -> str:
    """Return a new token for ``/setup?token=…``; older unused ones no longer work.

    Errors: ``Conflict`` once there is an administrator.
    """
    token = secrets.token_urlsafe(32)
    with write(db):
        if people.any_administrator(db):
            raise Conflict(
                "setup.done",
                "There is an administrator already: sign in, or set a new password with"
                " `matinee user reset-password NAME`.",
            )
        db.conn.execute(
            "delete from one_time_tokens where purpose = ? and used_at is null",
            (_PURPOSE,),
        )
        db.conn.execute(
            """
            insert into one_time_tokens (token_hash, purpose, created_at, expires_at)
            values (?, ?, ?, ?)
            """,
            (_digest(token), _PURPOSE, db.now(), db.now(minutes=MINUTES)),
        )
        record(db, SYSTEM, Event.SETUP_LINK_CREATE, "installation")
    return token


def require_valid(db: Database, token: str) -> None:
    """Refuse a token that opens nothing.

    Errors: ``Gone`` for one that was used or has run out, ``NotFound`` otherwise, and
    for everything but a used one as soon as there is an administrator.
    """
    row = db.one(
        """
        select used_at, expires_at from one_time_tokens
        where token_hash = ? and purpose = ?
        """,
        (_digest(token), _PURPOSE),
    )
    if row is not None and row["used_at"] is not None:
        raise Gone(
            "setup.used", "This link was used already: sign in with that account."
        )
    if row is None or people.any_administrator(db):
        raise NotFound("setup.missing", "There is nothing at this address.")
    if row["expires_at"] <= db.now():
        raise Gone(
            "setup.expired",
            "This link has run out: run `matinee init` again for a new one.",
        )


def complete(
    db: Database,
    settings: Settings,
    token: str,
    username: str,
    password: str,
    *,
    display_name: str = "",
    address: str = "",
) -> Account:
    """Use the token up and make the first administrator.

    Errors: as :func:`require_valid` and :func:`people.create`; the token is used up
    only when the account was made.
    """
    actor = Actor(SYSTEM.username, roles=SYSTEM.roles, address=address)
    with write(db):
        require_valid(db, token)
        account = people.create(
            db,
            settings,
            actor,
            username,
            password,
            display_name=display_name,
            roles=(Role.ADMINISTRATOR,),
        )
        db.conn.execute(
            "update one_time_tokens set used_at = ? where token_hash = ?",
            (db.now(), _digest(token)),
        )
        record(
            db, actor, Event.SETUP_LINK_USE, "installation", account=account.public_id
        )
    return account


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
