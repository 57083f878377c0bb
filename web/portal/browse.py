"""Lists of titles: all by filters, a genre, what is new, a collection, my list."""

from collections.abc import Mapping
from typing import Any

from flask import current_app, render_template, request, url_for
from flask_babel import gettext, ngettext

from appliance.catalog import collections
from appliance.catalog.topics import genres, tags
from appliance.discovery import audience as audiences
from appliance.discovery import facets, lists, marks, shelves
from appliance.discovery.audience import Audience
from appliance.discovery.facets import Facets
from appliance.discovery.filters import SORTS, Filters
from appliance.errors import InvalidInput, NotFound
from appliance.permissions import Action
from web import context, guard, telling
from web.portal import cards, choices

_KEPT = "matinee.facets"
_AUDIENCES = 64
_PER_PAGE = 48
_LAST_PAGE = 200
_SHOWN_BY_NAME = ("page", "tv")


@guard.needs(Action.PORTAL_SEE)
def browse() -> str | tuple[str, int]:
    """List everything, or what the filters in the address leave of it."""
    given = {
        name: value
        for name, value in request.args.items()
        if name not in _SHOWN_BY_NAME
    }
    try:
        filters = Filters.read(given)
    except InvalidInput as error:
        return _browse(Filters(), given, error), error.status
    return _browse(filters, given)


@guard.needs(Action.PORTAL_SEE)
def genre(slug: str) -> str:
    found = genres.by_slug(context.db(), slug)
    filters = Filters(genre=found.slug)
    return _listed(found.name, filters, "portal.genre", slug=found.slug)


@guard.needs(Action.PORTAL_SEE)
def tag(slug: str) -> str:
    """Show a tag to whoever may see any title of it."""
    db, viewer = context.db(), audiences.viewer(context.actor())
    found, filters = tags.by_slug(db, slug), Filters(tag=slug)
    if not lists.filtered(db, viewer, filters, 1):
        raise NotFound("tag.missing", f"There is no tag “{slug}”.")
    return _listed(found.name, filters, "portal.tag", slug=slug)


@guard.needs(Action.PORTAL_SEE)
def new() -> str:
    return _listed(gettext("New in the library"), Filters(), "portal.new")


@guard.needs(Action.PORTAL_SEE)
def collection(slug: str) -> str:
    """Show a collection to whoever may see any title of it."""
    db, viewer = context.db(), audiences.viewer(context.actor())
    found = collections.by_slug(db, slug)
    if not collections.seen_by(db, viewer, found.id):
        raise NotFound("collection.missing", f"There is no collection “{slug[:80]}”.")
    ids = lists.chosen(
        *(db, viewer, "collection_titles", "collection_id", found.id),
        limit=_PER_PAGE + 1,
        offset=_offset(),
    )
    return render_template(
        "portal/list.html",
        heading=found.name,
        told=found.synopsis,
        cards=cards.of_ids(ids[:_PER_PAGE]),
        **_turns(len(ids) > _PER_PAGE, "portal.collection", slug=slug),
    )


@guard.needs(Action.PORTAL_SEE)
def my_list() -> str:
    viewer = audiences.viewer(context.actor())
    ids = marks.listed(context.db(), viewer, _PER_PAGE + 1, _offset())
    return render_template(
        "portal/my_list.html",
        cards=cards.of_ids(ids[:_PER_PAGE]),
        **_turns(len(ids) > _PER_PAGE, "portal.my_list"),
    )


def _browse(
    filters: Filters, typed: Mapping[str, str], error: InvalidInput | None = None
) -> str:
    db, viewer = context.db(), audiences.viewer(context.actor())
    page = lists.page(db, viewer, filters, _PER_PAGE, _offset())
    there = _facets()
    return render_template(
        "portal/browse.html",
        filters=filters,
        typed=typed,
        error=error,
        choices=choices.of(there),
        sorts=choices.sorts(SORTS),
        applied=choices.applied(filters, there),
        found=_count(page.total, page.more),
        cards=cards.of_ids(page.ids),
        **_turns(
            page.more or page.total > _offset() + _PER_PAGE,
            "portal.browse",
            **filters.as_words(),
        ),
    )


def _listed(heading: str, filters: Filters, endpoint: str, **values: str) -> str:
    db, viewer = context.db(), audiences.viewer(context.actor())
    page = lists.page(db, viewer, filters, _PER_PAGE, _offset())
    more = page.more or page.total > _offset() + _PER_PAGE
    return render_template(
        "portal/list.html",
        heading=heading,
        told="",
        found=_count(page.total, page.more),
        narrow=choices.address(filters),
        cards=cards.of_ids(page.ids),
        **_turns(more, endpoint, **values),
    )


def _facets() -> Facets:
    """Return what this audience can choose from: read anew when the library changed."""
    db, viewer = context.db(), audiences.viewer(context.actor())
    audience = audiences.of(db, viewer, telling.language())
    kept: dict[Audience, tuple[object, Facets]]
    kept = current_app.extensions.setdefault(_KEPT, {})
    edition = (shelves.edition(db), db.now()[: len("2026-01-02T12:3")])
    found = kept.get(audience)
    if found is None or found[0] != edition:
        if len(kept) >= _AUDIENCES:
            kept.clear()
        found = kept[audience] = (edition, facets.facets(db, viewer))
    return found[1]


def _count(total: int, more: bool) -> str:
    if more:
        return str(gettext("More than %(count)s titles", count=f"{total:,}"))
    return str(ngettext("%(num)s title", "%(num)s titles", total))


def _page() -> int:
    return min(max(1, request.args.get("page", 1, int)), _LAST_PAGE)


def _offset() -> int:
    return (_page() - 1) * _PER_PAGE


def _turns(more: bool, endpoint: str, **values: Any) -> dict[str, str | None]:
    """Return the addresses of the pages before and after this one."""
    page = _page()

    def turn(to: int) -> str:
        return url_for(endpoint, **values, page=to)

    return {
        "earlier": turn(page - 1) if page > 1 else None,
        "later": turn(page + 1) if more and page < _LAST_PAGE else None,
    }
