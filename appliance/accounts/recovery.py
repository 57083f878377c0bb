"""Recovery codes: ten that each stand in for the second factor once.

They carry 50 random bits and are stored under a key that lies outside the database, so
that a copy of the database alone gives none away.
"""

import hashlib
import hmac
import secrets

from appliance import keyring
from appliance.db import Database, write
from appliance.events import Event, record
from appliance.permissions import Actor
from appliance.settings import Settings

COUNT = 10
# No letter or digit that can be taken for another when read from paper.
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
_HALF = 5


def renew(
    db: Database, settings: Settings, actor: Actor, account_id: int
) -> tuple[str, ...]:
    """Replace the codes of an account and return the new ones, this once."""
    codes = tuple(_code() for _ in range(COUNT))
    with write(db):
        forget(db, account_id)
        db.conn.executemany(
            "insert into recovery_codes (account_id, code_hash) values (?, ?)",
            [(account_id, _digest(settings, code)) for code in codes],
        )
        record(db, actor, Event.RECOVERY_CODE_CREATE, _subject(db, account_id))
    return codes


def use(
    db: Database, settings: Settings, actor: Actor, account_id: int, code: str
) -> bool:
    """Take a code that was not used before."""
    with write(db):
        taken = db.conn.execute(
            """
            update recovery_codes set used_at = ?
            where account_id = ? and code_hash = ? and used_at is null
            """,
            (db.now(), account_id, _digest(settings, code)),
        )
        if taken.rowcount == 1:
            record(
                db,
                actor,
                Event.RECOVERY_CODE_USE,
                _subject(db, account_id),
                left=left(db, account_id),
            )
        return taken.rowcount == 1


def left(db: Database, account_id: int) -> int:
    """Return how many codes were not used yet."""
    return int(
        db.value(
            """
            select count(*) from recovery_codes
            where account_id = ? and used_at is null
            """,
            (account_id,),
        )
    )


def forget(db: Database, account_id: int) -> None:
    """Remove every code of an account."""
    with write(db):
        db.conn.execute(
            "delete from recovery_codes where account_id = ?", (account_id,)
        )


def _code() -> str:
    text = "".join(secrets.choice(_ALPHABET) for _ in range(2 * _HALF))
    return f"{text[:_HALF]}-{text[_HALF:]}"


def _digest(settings: Settings, code: str) -> str:
    plain = "".join(sign for sign in code.lower() if sign.isalnum())
    key = keyring.key(settings.keys, "totp")
    return hmac.new(key, plain.encode(), hashlib.sha256).hexdigest()


def _subject(db: Database, account_id: int) -> str:
    public_id = db.value("select public_id from accounts where id = ?", (account_id,))
    return f"account/{public_id}"
