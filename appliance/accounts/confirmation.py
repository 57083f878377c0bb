"""Ask somebody who is signed in for the password again, before what can't be undone."""

from appliance.accounts import passwords, throttle
from appliance.accounts.throttle import Door
from appliance.db import Database
from appliance.errors import InvalidInput, Unauthenticated
from appliance.permissions import Actor
from appliance.settings import Settings


def account_id(actor: Actor) -> int:
    """Return the account that acts; ``Unauthenticated`` when there is none."""
    if actor.account_id is None:
        raise Unauthenticated("session.missing", "Please sign in first.")
    return actor.account_id


def require_password(
    db: Database, settings: Settings, actor: Actor, password: str
) -> None:
    """Refuse unless ``password`` is the actor's own.

    Wrong ones are counted against the account alone: whoever found a session open can't
    guess at leisure. Errors: ``InvalidInput``, ``TooManyRequests``.
    """
    own = account_id(actor)
    admission = throttle.admit(
        db, settings, Door.PASSWORD, "", actor.address, f"account-{own}"
    )
    stored = db.value("select password_hash from accounts where id = ?", (own,))
    if not passwords.matches(stored, password):
        raise InvalidInput("password.wrong", "That is not your password.")
    throttle.right(db, admission)
