"""The home page as somebody else sees it: a group, a child, on a phone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

from flask import Response, make_response, render_template, request

from appliance import browser_policy
from appliance.access import parties
from appliance.delivery import routes
from appliance.discovery import audience as audiences
from appliance.discovery.audience import Audience
from appliance.errors import InvalidInput
from appliance.permissions import Action, Actor
from web import context, guard, telling
from web.portal import home, shelves

_AGES = (0, 6, 12, 16, 18)
_SCREENS = ("phone", "laptop", "tv")
_OLDEST = 21


@dataclass(frozen=True, slots=True)
class Looker:
    """As whom the page is looked at, and on what; ``group`` is a name."""

    group: str = ""
    kids: bool = False
    age: int | None = None
    screen: str = "laptop"

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Self:
        age, screen = given.get("age", ""), given.get("screen", "")
        known = age.isascii() and age.isdigit() and int(age) <= _OLDEST
        return cls(
            group=given.get("group", "")[:200],
            kids=given.get("kids") == "1",
            age=int(age) if known else None,
            screen=screen if screen in _SCREENS else "laptop",
        )

    def as_words(self) -> dict[str, str]:
        """Return it as an address holds it."""
        words = {
            "group": self.group,
            "kids": "1" if self.kids else "",
            "age": "" if self.age is None else str(self.age),
            "screen": self.screen,
        }
        return {name: value for name, value in words.items() if value}


@guard.needs(Action.HOME_ARRANGE)
def frame() -> Response:
    """Show the page in a frame of the size of a screen."""
    found = context.db().rows("select name from groups order by name collate nocase")
    page = render_template(
        "studio/row_preview.html",
        looker=Looker.read(request.args),
        ages=[(str(age), str(age)) for age in _AGES],
        groups=[(row["name"], row["name"]) for row in found],
    )
    return _allowed(page, "object-src 'none'", "object-src 'none'; frame-src 'self'")


@guard.needs(Action.HOME_ARRANGE)
def page() -> Response:
    """Draw the page itself; it may stand in a frame of ours, as no other page may."""
    looker = Looker.read(request.args)
    viewer, audience = _as(looker)
    found = shelves.draw(viewer, audience)
    page = home.drawn(found, {})
    return _allowed(page, "frame-ancestors 'none'", "frame-ancestors 'self'")


def _allowed(page: str, strict: str, rule: str) -> Response:
    """Send a page whose security policy allows one thing more."""
    answer = make_response(page)
    for name, value in browser_policy.headers(routes.hosts(context.settings())):
        answer.headers[name] = value.replace(strict, rule)
    answer.headers["X-Frame-Options"] = "SAMEORIGIN"
    return answer


def _as(looker: Looker) -> tuple[Actor, Audience]:
    """Return somebody without an account of their own, of that group and age."""
    group = _group(looker.group)
    actor = replace(
        audiences.viewer(context.actor()),
        account_id=None,
        profile_id=None,
        rating_limit=looker.age,
        as_group=group,
    )
    audience = audiences.of(context.db(), actor, telling.language())
    return actor, replace(audience, kids=looker.kids)


def _group(name: str) -> int | None:
    try:
        return parties.group(context.db(), name) if name else None
    except InvalidInput:
        # It was removed since the page was opened: nobody's page, then.
        return None
