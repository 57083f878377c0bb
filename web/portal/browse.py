"""Finding a title: by genre, by when it came, by words."""

from flask import render_template, request, url_for

from appliance.catalog import genres, titles
from appliance.catalog.titles import TitleState
from appliance.permissions import Action
from web import context, guard
from web.portal import cards

_PER_PAGE = 48
_MOST_FOUND = 48
_LONGEST = 100


@guard.needs(Action.PORTAL_SEE)
def genre(slug: str) -> str:
    found = genres.by_slug(context.db(), slug)
    return _listed(found.name, "portal.genre", slug=found.slug)


@guard.needs(Action.PORTAL_SEE)
def new() -> str:
    return _listed("New in the library", "portal.new")


@guard.needs(Action.PORTAL_SEE)
def search() -> str:
    words = " ".join(request.args.get("q", "").split())[:_LONGEST]
    found = titles.search(context.db(), context.actor(), words, _MOST_FOUND + 1)
    return render_template(
        "portal/search.html",
        words=words,
        cards=cards.of_titles(found[:_MOST_FOUND]),
        more=len(found) > _MOST_FOUND,
    )


def _listed(heading: str, endpoint: str, slug: str | None = None) -> str:
    """Show published titles, newest first, a page at a time."""
    db, actor = context.db(), context.actor()
    page = max(1, request.args.get("page", 1, int))
    total = titles.count(db, actor, state=TitleState.PUBLISHED, genre=slug)
    found = titles.listing(
        db,
        actor,
        state=TitleState.PUBLISHED,
        genre=slug,
        limit=_PER_PAGE,
        offset=(page - 1) * _PER_PAGE,
    )

    def turn(to: int) -> str:
        return url_for(endpoint, slug=slug, page=to)

    return render_template(
        "portal/genre.html",
        heading=heading,
        total=total,
        cards=cards.of_titles(found),
        earlier=turn(page - 1) if page > 1 else None,
        later=turn(page + 1) if page * _PER_PAGE < total else None,
    )
