"""The page of a title."""

from flask import render_template

from appliance.catalog import genres, titles
from appliance.catalog.genres import Genre
from appliance.catalog.titles import Title, TitleState
from appliance.discovery.home import Row
from appliance.permissions import Action, Actor
from web import context, guard
from web.portal import cards, films

_ALIKE = 12


@guard.needs(Action.PORTAL_SEE)
def title(slug: str) -> str:
    db, actor = context.db(), context.actor()
    found = titles.by_slug(db, actor, slug)
    own = [each for each in genres.listing(db) if each.name in found.genres]
    return render_template(
        "portal/title.html",
        title=found,
        film=films.of_title(db, context.settings(), actor, found),
        genres=own,
        alike=_alike(found, own),
        may_edit=_may_edit(actor, found),
    )


def _alike(title: Title, own: list[Genre]) -> Row | None:
    """Return others of the genre that has the most titles, None when there are none."""
    if not own:
        return None
    genre = max(own, key=lambda each: each.titles)
    found = titles.listing(
        context.db(),
        context.actor(),
        state=TitleState.PUBLISHED,
        genre=genre.slug,
        limit=_ALIKE + 1,
    )
    others = [each for each in found if each.id != title.id][:_ALIKE]
    if not others:
        return None
    return Row(
        key="alike",
        heading="More like this",
        cards=cards.of_titles(others),
        more_url=f"/genre/{genre.slug}",
    )


def _may_edit(actor: Actor, title: Title) -> bool:
    own = title.created_by == actor.account_id
    return actor.may(Action.TITLE_EDIT) or (own and actor.may(Action.TITLE_EDIT_OWN))
