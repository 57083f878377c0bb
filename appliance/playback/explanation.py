"""Why may somebody watch a title, or why not: the decision with all it looked at."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from appliance.access import moments, territory
from appliance.access.availability import Window
from appliance.access.entitlements import Entitlement
from appliance.access.evaluate import (
    Decision,
    Reason,
    Request,
    evaluate,
    miss_of,
    misses_of,
)
from appliance.accounts import people, profiles
from appliance.accounts.people import Account, AccountState
from appliance.accounts.profiles import Profile
from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.permissions import Action, Actor, check
from appliance.playback import streams
from appliance.playback.circumstances import Watcher, gather, watched
from appliance.settings import Settings


@dataclass(frozen=True, slots=True)
class ConsideredRight:
    """A right that was looked at: it counts, or ``reasons`` say why it does not."""

    right: Entitlement
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class ConsideredWindow:
    """A window that was looked at: it is open, or ``reasons`` say what shuts it."""

    window: Window
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision about one profile and one title at a time, and what led to it.

    ``territory`` is the country that ``address`` is in, None when nobody can say;
    ``previews`` that they may edit the title, and so need neither right nor window;
    ``watching`` how many streams of the account play.
    """

    account: Account
    profile: Profile
    title: Title
    at: str
    address: str
    territory: str | None
    rating_age: int | None
    previews: bool
    watching: int
    decision: Decision
    rights: tuple[ConsideredRight, ...]
    windows: tuple[ConsideredWindow, ...]


def explain(
    db: Database,
    settings: Settings,
    actor: Actor,
    username: str,
    slug: str,
    *,
    profile: str = "",
    address: str = "",
    at: str = "",
) -> Explanation:
    """Explain what would be decided for an account, its first profile if none is named.

    Without an address it is that of the actor, or where somebody else was seen last.
    ``at`` is another time than now; what plays now does not count then. Everybody may
    ask about themselves. Errors: ``NotFound``, ``InvalidInput``, ``Forbidden``.
    """
    own = actor.signed_in and username.casefold() == actor.username.casefold()
    if not own:
        check(actor, Action.ACCESS_EXPLAIN)
    account = people.find(db, username)
    title = titles.by_slug(db, actor, slug)
    watching = profiles.named(db, username, profile)
    moment = moments.read(at, "at")
    seen = actor.address if own else _last_address(db, account.id)
    watcher = Watcher(
        account_id=account.id,
        roles=",".join(account.roles),
        active=account.state is AccountState.ACTIVE,
        rating_limit=watching.rating_limit,
        address=address.strip() or seen,
        kids=watching.kids,
    )
    request = replace(
        gather(db, settings, watcher, watched(db, title), moment or db.now()),
        territory=territory.of_address(settings, watcher.address),
        other_streams=0 if moment else len(streams.of_account(db, account.id)),
    )
    return _explained(account, watching, title, watcher.address, request)


def told(found: Explanation, *, everything: bool) -> dict[str, Any]:
    """Return an explanation as JSON values, for programs.

    Without ``everything`` it says what viewers may know of themselves: the decision,
    and nothing of how the operator came to it.
    """
    decision = found.decision
    document = {
        "allowed": decision.allowed,
        "sentence": decision.sentence,
        "reasons": [
            {
                "code": each.value,
                "sentence": decision.spoken(each),
                "begins_at": decision.begins.get(each),
            }
            for each in decision.reasons
        ],
        "limits": asdict(decision.limits),
        "until": decision.until,
        "at": found.at,
        "account": found.account.username,
        "profile": found.profile.name,
        "title": found.title.slug,
    }
    return document | _behind(found) if everything else document


def _explained(
    account: Account, profile: Profile, title: Title, address: str, request: Request
) -> Explanation:
    return Explanation(
        account=account,
        profile=profile,
        title=title,
        at=request.now,
        address=address,
        territory=request.territory,
        rating_age=request.rating_age,
        previews=request.may_edit,
        watching=request.other_streams,
        decision=evaluate(request),
        rights=tuple(
            ConsideredRight(each, tuple(filter(None, [miss_of(each, request.now)])))
            for each in request.entitlements
        ),
        windows=tuple(
            ConsideredWindow(each, misses_of(each, request)) for each in request.windows
        ),
    )


def _last_address(db: Database, account_id: int) -> str:
    return str(
        db.value(
            """
            select address from sessions where account_id = ?
            order by seen_at desc limit 1
            """,
            (account_id,),
        )
        or ""
    )


def _behind(found: Explanation) -> dict[str, Any]:
    return {
        "address": found.address,
        "territory": found.territory,
        "rating": found.title.rating,
        "rating_age": found.rating_age,
        "rating_limit": found.profile.rating_limit,
        "previews": found.previews,
        "watching": found.watching,
        "rights": [
            {
                "id": each.right.public_id,
                "source": each.right.source,
                "starts_at": each.right.starts_at,
                "ends_at": each.right.ends_at,
                "streams": each.right.streams,
                "uhd_streams": each.right.uhd_streams,
                "max_height": each.right.max_height,
                **_whether(each.reasons),
            }
            for each in found.rights
        ],
        "windows": [
            {
                "id": each.window.public_id,
                "starts_at": each.window.starts_at,
                "ends_at": each.window.ends_at,
                "group": each.window.group,
                "territories": sorted(each.window.territories),
                "max_height": each.window.max_height,
                **_whether(each.reasons),
            }
            for each in found.windows
        ],
    }


def _whether(reasons: tuple[Reason, ...]) -> dict[str, Any]:
    return {"counts": not reasons, "reasons": [each.value for each in reasons]}
