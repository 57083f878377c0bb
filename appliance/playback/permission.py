"""May this actor watch this title now? Reads the values that decide it."""

from appliance.access import entitlements
from appliance.access.evaluate import Decision, Request, evaluate
from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.errors import Unauthenticated
from appliance.permissions import Action, Actor, check


def viewer(actor: Actor) -> tuple[int, int]:
    """Return the account and the profile that watch.

    Errors: ``Unauthenticated`` when nobody is signed in, ``Forbidden``.
    """
    check(actor, Action.PLAYBACK_OPEN)
    if actor.account_id is None or actor.profile_id is None:
        raise Unauthenticated("session.missing", "Please sign in first.")
    return actor.account_id, actor.profile_id


def decide(db: Database, actor: Actor, title: Title) -> Decision:
    """Say whether the actor, who is signed in, may watch the title now, and why not."""
    account_id, _profile_id = viewer(actor)
    own = title.created_by == account_id
    request = Request(
        account_active=_active(db, account_id),
        title_state=title.state,
        may_edit=actor.may(Action.TITLE_EDIT_OWN if own else Action.TITLE_EDIT),
        entitlements=entitlements.applying(db, account_id, title.id),
        now=db.now(),
    )
    return evaluate(request)


def _active(db: Database, account_id: int) -> bool:
    state = db.value("select state from accounts where id = ?", (account_id,))
    return bool(state == "active")
