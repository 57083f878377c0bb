"""PINs: a few digits that keep a profile, and what children may not do, apart.

They are no passwords: whoever is signed in is in already. Setting one takes the
account's password, and every wrong try at any PIN of an account counts together.
"""

import unicodedata

from appliance.accounts import confirmation, passwords, throttle
from appliance.db import Database, write
from appliance.errors import InvalidInput, NotFound
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check
from appliance.settings import Settings

_LEAST, _MOST = 4, 8


def set_own(
    db: Database, settings: Settings, actor: Actor, pin: str | None, password: str
) -> None:
    """Set the PIN of the actor's account, or take it away.

    It guards profiles being added and changed, and the way out of a child's profile.
    Errors: ``InvalidInput`` ("pin.form", "password.wrong"), ``TooManyRequests``.
    """
    check(actor, Action.ACCOUNT_OWN)
    own = confirmation.account_id(actor)
    stored = _stored(db, settings, actor, pin, password)
    with write(db):
        db.conn.execute("update accounts set pin_hash = ? where id = ?", (stored, own))
        _record(db, actor, f"account/{_public_id(db, own)}", is_set=stored is not None)


def set_of_profile(
    db: Database,
    settings: Settings,
    actor: Actor,
    profile: str,
    pin: str | None,
    password: str,
) -> None:
    """Set the PIN that opens one of the account's profiles, or take it away.

    Errors: ``NotFound``, ``InvalidInput`` ("pin.form", "password.wrong"),
    ``TooManyRequests``.
    """
    check(actor, Action.ACCOUNT_OWN)
    own = confirmation.account_id(actor)
    where, params = "public_id = ? and account_id = ?", (profile, own)
    if db.value(f"select 1 from profiles where {where}", params) is None:
        raise NotFound("profile.missing", "There is no such profile.")
    stored = _stored(db, settings, actor, pin, password)
    with write(db):
        db.conn.execute(
            f"update profiles set pin_hash = ? where {where}", (stored, *params)
        )
        _record(db, actor, f"profile/{profile}", is_set=stored is not None)


def clear(db: Database, actor: Actor, account_id: int) -> int:
    """Take away every PIN of an account, as when nobody remembers them; say how many.

    Errors: ``Forbidden``.
    """
    check(actor, Action.ACCOUNT_MANAGE)
    with write(db):
        cleared = sum(
            db.conn.execute(
                f"""
                update {table} set pin_hash = null
                where {key} = ? and pin_hash is not null
                """,
                (account_id,),
            ).rowcount
            for table, key in (("accounts", "id"), ("profiles", "account_id"))
        )
        throttle.forgive_pins(db, account_id)
        if cleared:
            subject = f"account/{_public_id(db, account_id)}"
            _record(db, actor, subject, is_set=False, pins=cleared)
    return cleared


def guards(db: Database, account_id: int) -> bool:
    """Say whether an account has a PIN of its own."""
    stored = db.value("select pin_hash from accounts where id = ?", (account_id,))
    return stored is not None


def require(
    db: Database, settings: Settings, actor: Actor, pin: str, *, field: str = "pin"
) -> None:
    """Let pass who knows the PIN of the account; anybody where it has none.

    Errors: ``InvalidInput`` ("pin.needed", "pin.wrong"), ``TooManyRequests``.
    """
    own = confirmation.account_id(actor)
    stored = db.value("select pin_hash from accounts where id = ?", (own,))
    if stored is not None:
        subject = f"account/{_public_id(db, own)}"
        _prove(db, settings, actor, stored, pin, subject, field)


def require_of_profile(
    db: Database, settings: Settings, actor: Actor, profile: str, pin: str
) -> None:
    """Let pass who knows the PIN of a profile; anybody where it has none.

    Errors: as of :func:`require`.
    """
    own = confirmation.account_id(actor)
    stored = db.value(
        "select pin_hash from profiles where public_id = ? and account_id = ?",
        (profile, own),
    )
    if stored is not None:
        _prove(db, settings, actor, stored, pin, f"profile/{profile}", "pin")


def _prove(
    db: Database,
    settings: Settings,
    actor: Actor,
    stored: str,
    pin: str,
    subject: str,
    field: str,
) -> None:
    if not pin.strip():
        raise InvalidInput("pin.needed", "Type the PIN.", {"field": field})
    own = confirmation.account_id(actor)
    admission = throttle.admit_pin(db, settings, own)
    if passwords.matches(stored, _digits(pin)):
        throttle.right(db, admission)
        return
    with write(db):
        record(db, actor, Event.PIN_REFUSE, subject)
    raise InvalidInput("pin.wrong", "That is not the PIN.", {"field": field})


def _stored(
    db: Database, settings: Settings, actor: Actor, pin: str | None, password: str
) -> str | None:
    """Return the hash of a new PIN, when the password is right; None for none."""
    digits = None if pin is None else _digits(pin)
    if digits is not None and not _fits(digits):
        raise InvalidInput(
            "pin.form",
            f"A PIN is {_LEAST} to {_MOST} digits.",
            {"field": "pin", "least": _LEAST, "most": _MOST},
        )
    confirmation.require_password(db, settings, actor, password)
    return None if digits is None else passwords.hashed(digits)


def _digits(pin: str) -> str:
    """Return a PIN in the digits 0 to 9, whatever keyboard it was typed on."""
    kept = "".join(pin.split())[: _MOST + 1]
    return "".join(str(unicodedata.decimal(each, each)) for each in kept)


def _fits(digits: str) -> bool:
    return digits.isascii() and digits.isdecimal() and _LEAST <= len(digits) <= _MOST


def _public_id(db: Database, account_id: int) -> str:
    found = db.value("select public_id from accounts where id = ?", (account_id,))
    return str(found)


def _record(
    db: Database, actor: Actor, subject: str, *, is_set: bool, **data: object
) -> None:
    record(db, actor, Event.PIN_CHANGE, subject, set=is_set, **data)
