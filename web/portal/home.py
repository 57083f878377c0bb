"""The home page: a film in large, and rows of cards."""

from collections.abc import Mapping
from functools import lru_cache

from flask import (
    Response,
    g,
    get_template_attribute,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import get_locale
from markupsafe import Markup
from werkzeug.wrappers import Response as BaseResponse

from appliance.accounts.sessions import SignedIn
from appliance.catalog import titles
from appliance.discovery import audience as audiences
from appliance.discovery import personal
from appliance.discovery.audience import Audience
from appliance.discovery.cards import Row
from appliance.discovery.home_rows import RowKind
from appliance.discovery.personal import Picked
from appliance.errors import Conflict, NotFound
from appliance.media import assets
from appliance.permissions import Action, Actor
from appliance.playback import progress
from web import context, guard, house, telling, templating
from web.portal import cards, shelves
from web.portal.shelves import Drawn, Shelves

# Some 50 kB each; most come back to a page that looks as they left it.
_PAGES = 256
# The page stays below 60 kB: what does not fit is fetched as somebody comes near it.
_ROOM = 46_000
_Frame = tuple[object, ...]


@guard.needs(Action.PORTAL_SEE)
def home() -> str:
    viewer, audience = _who()
    found = shelves.of_audience(viewer, audience)
    mine = personal.picked(context.db(), context.settings(), viewer)
    draw = _page.__wrapped__ if "_flashes" in session else _page
    return draw(found, mine, viewer, g.signed_in, _frame())


@guard.needs(Action.PORTAL_SEE)
def row(key: str) -> str:
    """Show one row: all of it as a page, or drawn as it stands on the home page."""
    viewer, audience = _who()
    found = shelves.of_audience(viewer, audience)
    drawn = next(
        (each for each in found.rows if isinstance(each, Drawn) and each.key == key),
        None,
    )
    if drawn is None:
        raise NotFound("row.missing", "There is no such row.")
    if "part" in request.args:
        return drawn.full
    return render_template("portal/row.html", row=drawn.full)


@guard.needs(Action.PORTAL_SEE)
def hide(slug: str) -> BaseResponse:
    """Take a film out of “Continue watching”."""
    progress.hide(context.db(), context.actor(), _film(slug))
    return done()


@guard.needs(Action.PORTAL_SEE)
def show(slug: str) -> BaseResponse:
    """Put it back."""
    progress.show(context.db(), context.actor(), _film(slug))
    return done()


def done() -> BaseResponse:
    """Answer a script with nothing, and send a form back to the page it stood on."""
    if request.accept_mimetypes.best == "application/json":
        return Response(status=204)
    back = request.form.get("back", "")
    inside = back.startswith("/") and not back.startswith(("//", "/\\"))
    return redirect(back if inside else url_for("portal.home"), 303)


def drawn(found: Shelves, mine: Mapping[RowKind, Row]) -> str:
    """Draw the page of these rows."""
    begun = mine[RowKind.CONTINUE].cards if RowKind.CONTINUE in mine else ()
    hero = get_template_attribute("macros/hero.html", "hero")
    resumes = found.hero is not None and found.hero.slug in {
        each.slug for each in begun
    }
    return render_template(
        "portal/home.html",
        hero=hero(found.hero, resumes) if found.hero else "",
        rows=Markup().join(_rows(found, mine)),
    )


@lru_cache(maxsize=_PAGES)
def _page(
    found: Shelves,
    mine: tuple[Picked, ...],
    viewer: Actor,
    _signed_in: SignedIn,
    _frame: _Frame,
) -> str:
    """Draw the page, which nothing changes but what it is given.

    Cards change with the library, and so with ``found``. The session stands for name,
    roles, profile and form token, ``_frame`` for what stands around every page.
    """
    language = telling.language()
    rows = personal.read(context.db(), context.settings(), viewer, mine, language)
    return drawn(found, rows)


def _frame() -> _Frame:
    return (
        templating.mode(),
        telling.language(),
        str(get_locale()),
        house.edition(),
        cards.previews_wanted(),
    )


def _who() -> tuple[Actor, Audience]:
    viewer = audiences.viewer(context.actor())
    return viewer, audiences.of(context.db(), viewer, telling.language())


def _rows(found: Shelves, mine: Mapping[RowKind, Row]) -> list[Markup]:
    """Return the rows in their order, in full as long as there is room."""
    macro = get_template_attribute("macros/cards.html", "row")
    own = {
        kind: macro(
            row,
            hide=kind is RowKind.CONTINUE,
            plays=kind is not RowKind.LIST,
            eager=place == 0,
        )
        for place, (kind, row) in enumerate(mine.items())
    }
    left = _ROOM - sum(map(len, own.values()))
    rows, shown = [], 0
    for each in found.rows:
        if isinstance(each, RowKind):
            rows.append(own.get(each, Markup()))
            continue
        # The first two are always there: they are what the page opens with.
        fits = shown < 2 or len(each.full) <= left
        rows.append(each.full if fits else each.later)
        left -= len(rows[-1])
        shown += 1
    return rows


def _film(slug: str) -> int:
    title = titles.by_slug(context.db(), context.actor(), slug)
    film = assets.playable(context.db(), title.id)
    if film is None:
        raise Conflict("title.no-film", f"“{title.name}” has no film.")
    return film.id
