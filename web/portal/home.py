"""The home page: a film in large, and rows of cards."""

from flask import Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from appliance.catalog import titles
from appliance.discovery import home as discovery
from appliance.errors import Conflict
from appliance.media import assets
from appliance.permissions import Action
from appliance.playback import progress
from web import context, guard


@guard.needs(Action.PORTAL_SEE)
def home() -> str:
    page = discovery.home(context.db(), context.settings(), context.actor())
    begun = {
        card.slug for row in page.rows if row.key == "continue" for card in row.cards
    }
    return render_template(
        "portal/home.html",
        home=page,
        resumes=page.hero is not None and page.hero.slug in begun,
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
