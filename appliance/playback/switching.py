"""From one profile to another on a device: what the one before plays there ends."""

from dataclasses import replace

from appliance.accounts import watching
from appliance.accounts.profiles import Profile
from appliance.db import Database
from appliance.permissions import Actor
from appliance.playback import sessions
from appliance.settings import Settings


def switch(
    db: Database,
    settings: Settings,
    actor: Actor,
    public_id: str,
    *,
    pin: str = "",
    account_pin: str = "",
) -> Profile:
    """Choose who watches in the actor's session; what others play there ends.

    Errors: those of :func:`appliance.accounts.watching.choose`.
    """
    chosen = watching.choose(
        db, settings, actor, public_id, pin=pin, account_pin=account_pin
    )
    sessions.end_of_others(db, replace(actor, profile_id=chosen.id))
    return chosen
