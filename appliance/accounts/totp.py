"""The second factor: codes of an authenticator app (RFC 6238).

The secret lies encrypted in the database, under a key that lies outside it and bound to
its account. A code is taken once: the step of the last one is stored in the statement
that compares it.
"""

import base64
import hmac
import io
import secrets
from dataclasses import dataclass

import pyotp
import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance import keyring
from appliance.accounts import confirmation, recovery
from appliance.db import Database, Row, write
from appliance.errors import Conflict, InvalidInput, PreconditionFailed
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check
from appliance.settings import Settings

_STEP_SECONDS = 30
_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs: as text in groups of four, as a link, as SVG."""

    secret: str
    uri: str
    qr_svg: str


def begin(db: Database, settings: Settings, actor: Actor) -> Enrolment:
    """Make a new secret for the actor; it counts once :func:`confirm` saw a code."""
    own = confirmation.account_id(actor)
    secret = pyotp.random_base32()
    with write(db):
        account = _account(db, own)
        _refuse_when_on(account)
        db.conn.execute(
            "update accounts set totp_secret = ? where id = ?",
            (_sealed(settings, account["public_id"], secret), own),
        )
    return _enrolment(settings, account["username"], secret)


def pending(db: Database, settings: Settings, actor: Actor) -> Enrolment | None:
    """Return the secret that waits to be confirmed, if there is one."""
    account = _account(db, confirmation.account_id(actor))
    if account["totp_secret"] is None or account["totp_confirmed_at"] is not None:
        return None
    return _enrolment(settings, account["username"], _secret(settings, account))


def confirm(
    db: Database, settings: Settings, actor: Actor, code: str
) -> tuple[str, ...]:
    """Switch the second factor on and return the recovery codes, shown this once.

    Errors: ``InvalidInput`` when the code is wrong, ``Conflict`` when nothing waits.
    """
    own = confirmation.account_id(actor)
    with write(db):
        account = _account(db, own)
        _refuse_when_on(account)
        if account["totp_secret"] is None:
            raise Conflict(
                "totp.not-begun", "Begin again: there is no code to confirm."
            )
        if not accept(db, settings, own, code):
            raise InvalidInput(
                "totp.wrong-code",
                "That code does not fit: check the clock of your phone, and type the"
                " code that shows now.",
            )
        db.conn.execute(
            "update accounts set totp_confirmed_at = ? where id = ?", (db.now(), own)
        )
        record(db, actor, Event.TOTP_ENABLE, f"account/{account['public_id']}")
        return recovery.renew(db, settings, actor, own)


def renew_codes(
    db: Database, settings: Settings, actor: Actor, password: str
) -> tuple[str, ...]:
    """Return new recovery codes; the old ones no longer work."""
    confirmation.require_password(db, settings, actor, password)
    own = confirmation.account_id(actor)
    with write(db):
        if _account(db, own)["totp_confirmed_at"] is None:
            raise Conflict("totp.off", "The second factor is not switched on.")
        return recovery.renew(db, settings, actor, own)


def disable(db: Database, settings: Settings, actor: Actor, password: str) -> None:
    """Switch off the actor's second factor, or drop one that was only begun."""
    confirmation.require_password(db, settings, actor, password)
    with write(db):
        _switch_off(db, actor, confirmation.account_id(actor))


def reset(db: Database, actor: Actor, account_id: int) -> None:
    """Switch off somebody's second factor, as when the phone is lost."""
    with write(db):
        check(actor, Action.ACCOUNT_MANAGE)
        _switch_off(db, actor, account_id)


def accept(db: Database, settings: Settings, account_id: int, code: str) -> bool:
    """Take a code that fits now or one step (30 s) around, and never twice."""
    digits = "".join(code.split())
    with write(db):
        account = _account(db, account_id)
        if account["totp_secret"] is None:
            return False
        step = _matching_step(db, _secret(settings, account), digits)
        if step is None:
            return False
        taken = db.conn.execute(
            """
            update accounts set totp_last_step = :step
            where id = :id and totp_last_step < :step
            """,
            {"step": step, "id": account_id},
        )
        return taken.rowcount == 1


def _matching_step(db: Database, secret: str, digits: str) -> int | None:
    now = int(db.clock.now().timestamp()) // _STEP_SECONDS
    codes = pyotp.HOTP(secret)
    for step in (now, now - 1, now + 1):
        if hmac.compare_digest(
            codes.at(step).encode(), digits.encode("utf-8", "replace")
        ):
            return step
    return None


def _switch_off(db: Database, actor: Actor, account_id: int) -> None:
    account = _account(db, account_id)
    # The last step stays: a code that was used is not good for a new secret either.
    db.conn.execute(
        """
        update accounts set totp_secret = null, totp_confirmed_at = null
        where id = ?
        """,
        (account_id,),
    )
    recovery.forget(db, account_id)
    if account["totp_confirmed_at"] is not None:
        record(db, actor, Event.TOTP_DISABLE, f"account/{account['public_id']}")


def _account(db: Database, account_id: int) -> Row:
    row = db.one(
        """
        select public_id, username, totp_secret, totp_confirmed_at
        from accounts where id = ?
        """,
        (account_id,),
    )
    assert row is not None, "accounts are disabled, never deleted"
    return row


def _refuse_when_on(account: Row) -> None:
    if account["totp_confirmed_at"] is not None:
        raise Conflict("totp.on", "The second factor is already switched on.")


def _enrolment(settings: Settings, username: str, secret: str) -> Enrolment:
    uri = pyotp.TOTP(secret).provisioning_uri(
        name=username, issuer_name=settings.portal.name
    )
    groups = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4))
    return Enrolment(groups, uri, _picture(uri))


def _picture(uri: str) -> str:
    """Draw a QR code without size, class or style: the page's own CSS places it."""
    out = io.BytesIO()
    segno.make(uri, error="m", micro=False).save(
        out,
        kind="svg",
        xmldecl=False,
        svgns=False,
        svgclass=None,
        lineclass=None,
        omitsize=True,
        border=4,
        dark="#000",
        light="#fff",
        nl=False,
    )
    return out.getvalue().decode()


def _sealed(settings: Settings, public_id: str, secret: str) -> str:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    box = _cipher(settings).encrypt(nonce, secret.encode(), public_id.encode())
    return base64.b64encode(nonce + box).decode()


def _secret(settings: Settings, account: Row) -> str:
    raw = base64.b64decode(account["totp_secret"])
    nonce, box = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
    bound_to = account["public_id"].encode()
    try:
        return _cipher(settings).decrypt(nonce, box, bound_to).decode()
    except InvalidTag as error:
        raise PreconditionFailed(
            "totp.key",
            f"{settings.keys / 'totp.key'} is not the key that this database was"
            " written with: restore it from the backup, or switch the second factor"
            f" off with `matinee user reset-mfa {account['username']}`.",
        ) from error


def _cipher(settings: Settings) -> AESGCM:
    return AESGCM(keyring.key(settings.keys, "totp"))
