"""The home page: a film in large, and rows of cards."""

from dataclasses import dataclass
from functools import lru_cache

from flask import (
    Response,
    current_app,
    g,
    get_template_attribute,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from appliance.accounts.sessions import SignedIn
from appliance.catalog import titles
from appliance.discovery import home as discovery
from appliance.discovery.home import Card, Row
from appliance.errors import Conflict
from appliance.media import assets
from appliance.permissions import Action
from appliance.playback import progress
from web import context, guard, templating

_KEPT = "matinee.shelves"
# Some 30 kB each; most come back to a page that looks as they left it.
_PAGES = 256


@dataclass(frozen=True, slots=True, eq=False)
class _Shelves:
    """What everybody sees, drawn once for each edition of the library."""

    edition: tuple[int, str]
    hero: Card | None
    play: Markup
    resume: Markup
    rows: Markup


@guard.needs(Action.PORTAL_SEE)
def home() -> str:
    begun = discovery.begun(context.db(), context.settings(), context.actor())
    draw = _page.__wrapped__ if "_flashes" in session else _page
    return draw(_shelves(), begun, g.signed_in, templating.mode())


@lru_cache(maxsize=_PAGES)
def _page(shelves: _Shelves, begun: Row, _viewer: SignedIn, _mode: str) -> str:
    """Draw the page, which nothing changes but what it is given.

    The session of ``_viewer`` stands for name, roles, language and form token.
    """
    resumes = shelves.hero and shelves.hero.slug in {card.slug for card in begun.cards}
    return render_template(
        "portal/home.html",
        begun=begun,
        shelves=shelves,
        hero=shelves.resume if resumes else shelves.play,
    )


def _shelves() -> _Shelves:
    """Return the shelves as drawn, and draw them anew when the library changed."""
    edition = discovery.edition(context.db())
    kept: _Shelves | None = current_app.extensions.get(_KEPT)
    if kept is None or kept.edition != edition:
        kept = _drawn(edition)
        current_app.extensions[_KEPT] = kept
    return kept


def _drawn(edition: tuple[int, str]) -> _Shelves:
    page = discovery.shelves(context.db(), context.settings())
    hero = get_template_attribute("macros/hero.html", "hero")
    row = get_template_attribute("macros/cards.html", "row")
    rows = [row(each, eager=each.key == "new") for each in page.rows]
    return _Shelves(
        edition,
        page.hero,
        play=hero(page.hero, "Play") if page.hero else Markup(),
        resume=hero(page.hero, "Resume") if page.hero else Markup(),
        rows=Markup().join(rows),
    )


@guard.needs(Action.PORTAL_SEE)
def hide(slug: str) -> BaseResponse:
    """Take a film out of “Continue watching”."""
    progress.hide(context.db(), context.actor(), _film(slug))
    return _done()


@guard.needs(Action.PORTAL_SEE)
def show(slug: str) -> BaseResponse:
    """Put it back."""
    progress.show(context.db(), context.actor(), _film(slug))
    return _done()


def _film(slug: str) -> int:
    title = titles.by_slug(context.db(), context.actor(), slug)
    film = assets.playable(context.db(), title.id)
    if film is None:
        raise Conflict("title.no-film", f"“{title.name}” has no film.")
    return film.id


def _done() -> BaseResponse:
    if request.accept_mimetypes.best == "application/json":
        return Response(status=204)
    return redirect(url_for("portal.home"), 303)
