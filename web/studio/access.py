"""Access in the Studio: may somebody watch a title, and everything that decides it."""

from collections.abc import Mapping

from flask import render_template, request

from appliance.access import countries
from appliance.access.evaluate import Reason
from appliance.accounts import people
from appliance.catalog import titles
from appliance.errors import InvalidInput, NotFound
from appliance.permissions import Action
from appliance.playback import explanation
from appliance.playback.explanation import Explanation
from web import context, guard

_OFFERED = 200

# Why a right or a window does not count, in the words of a table.
IN_SHORT: Mapping[Reason, str] = {
    Reason.NOT_YET: "Not begun yet",
    Reason.NO_LONGER: "Ended",
    Reason.NOT_YET_AVAILABLE: "Not open yet",
    Reason.NO_LONGER_AVAILABLE: "Closed",
    Reason.NOT_IN_TERRITORY: "Other countries",
    Reason.TERRITORY_UNKNOWN: "Country unknown",
    Reason.NOT_FOR_GROUP: "Other group",
}


@guard.needs(Action.ACCESS_EXPLAIN)
def index() -> str | tuple[str, int]:
    asked = {
        name: request.args.get(name, "").strip()
        for name in ("user", "title", "profile", "address", "at")
    }
    if not asked["user"] or not asked["title"]:
        return _page(asked)
    try:
        return _page(asked, found=_explained(asked))
    except (InvalidInput, NotFound) as error:
        return _page(asked, problem=error.message), error.status


def _explained(asked: Mapping[str, str]) -> Explanation:
    return explanation.explain(
        context.db(),
        context.settings(),
        context.actor(),
        asked["user"],
        asked["title"],
        profile=asked["profile"],
        address=asked["address"],
        at=asked["at"],
    )


def _page(
    asked: Mapping[str, str], found: Explanation | None = None, problem: str = ""
) -> str:
    db, actor = context.db(), context.actor()
    # Names of accounts are for those who manage them; others type what they know.
    known = people.listing(db) if actor.may(Action.ACCOUNT_MANAGE) else []
    return render_template(
        "studio/access.html",
        asked=asked,
        found=found,
        problem_found=problem,
        accounts=known[:_OFFERED],
        titles=titles.listing(db, actor, limit=_OFFERED),
        in_short=IN_SHORT,
        country=countries.name,
    )
