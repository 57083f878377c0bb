"""The seasons of a series: described, in order, and numbered anew."""

from contextlib import suppress
from dataclasses import replace

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from appliance.catalog import artwork, series
from appliance.catalog.artwork import ArtworkKind, ArtworkOrigin
from appliance.catalog.kinds import CONTAINERS
from appliance.catalog.series import Place, Season
from appliance.catalog.titles import Title
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.permissions import Action
from web import context, guard
from web.studio import describing, forms

Answer = str | Response | tuple[str, int]
_Refused = InvalidInput | Conflict


@guard.needs(Action.STUDIO_SEE)
def page(slug: str) -> Answer:
    return _page(_container(slug))


@guard.needs(Action.STUDIO_SEE)
def arrange(slug: str) -> Answer:
    """Put the episodes where the form says, or one of them up or down."""
    found = _container(slug)
    try:
        series.arrange(
            *(context.db(), context.actor(), slug),
            _places(found, request.form.get("act", "save")),
            revision=forms.revision(),
        )
    except (InvalidInput, Conflict) as error:
        return _page(found, error, "order"), error.status
    flash(gettext("The order is saved."), "ok")
    return _back(slug)


@guard.needs(Action.STUDIO_SEE)
def add(slug: str) -> Answer:
    """Make a season before there is an episode of it."""
    found = _container(slug)
    try:
        number = _whole(request.form.get("number", ""), "number")
        series.describe_season(
            *(context.db(), context.actor(), slug, number),
            name=request.form.get("name", ""),
        )
    except (InvalidInput, Conflict) as error:
        return _page(found, error, "new"), error.status
    flash(gettext("Season %(number)s is there.", number=number), "ok")
    return _back(slug, number)


@guard.needs(Action.STUDIO_SEE)
def save(slug: str, number: int) -> Answer:
    """Describe a season, show it by a picture, or remove it, as the button says."""
    found = _container(slug)
    try:
        if request.form.get("act") == "remove":
            series.remove_season(context.db(), context.actor(), slug, number)
            flash(gettext("Season %(number)s is removed.", number=number), "ok")
            return _back(slug)
        _describe(found, number)
    except (InvalidInput, Conflict) as error:
        return _page(found, error, str(number)), error.status
    flash(gettext("Saved."), "ok")
    return _back(slug, number)


def _describe(found: Title, number: int) -> None:
    form = request.form
    db, actor = context.db(), context.actor()
    kept = series.describe_season(
        *(db, actor, found.slug, number),
        revision=forms.revision(),
        name=form.get("name", ""),
        synopsis=form.get("synopsis", ""),
        year=form.get("year", "").strip() or None,
    )
    picture = request.files.get("picture")
    if picture is not None and picture.filename:
        with forms.uploaded("picture") as path:
            artwork.add(
                *(db, context.storage(), actor, found.id, ArtworkKind.SEASON, path),
                origin=ArtworkOrigin.UPLOAD,
                season=number,
            )
    elif "no-picture" in form and kept.poster is not None:
        with suppress(NotFound):
            artwork.remove(db, context.storage(), actor, kept.poster)


def _page(found: Title, error: _Refused | None = None, at: str = "") -> str:
    seasons = series.seasons(context.db(), context.actor(), found)
    typed = request.form if error else {}
    return render_template(
        "studio/seasons.html",
        title=found,
        **describing.of_whole(found),
        seasons=[_as_typed(each, at) for each in seasons],
        stored={each.number: each for each in seasons},
        typed=typed,
        error=error,
        at=at,
        next_season=max((each.number for each in seasons), default=0) + 1,
    )


def _as_typed(season: Season, at: str) -> Season:
    """Return a season as it was typed where that was refused."""
    if at != str(season.number):
        return season
    form = request.form
    return replace(season, name=form.get("name", ""), synopsis=form.get("synopsis", ""))


def _places(found: Title, act: str) -> list[Place]:
    """Return where the episodes are to stand.

    ``up-SLUG`` and ``down-SLUG`` change places with the neighbour, ``number-SEASON``
    counts the episodes of a season from 1.
    """
    seasons = series.seasons(context.db(), context.actor(), found)
    verb, _, what = act.partition("-")
    if verb in ("up", "down"):
        return _swapped(seasons, what, -1 if verb == "up" else 1)
    if verb == "number":
        return [
            Place(each.slug, season.number, place)
            for season in seasons
            if str(season.number) == what
            for place, each in enumerate(season.episodes, 1)
        ]
    return [
        Place(
            each.slug,
            _whole(request.form.get(f"season-{each.slug}", ""), "order"),
            _whole(request.form.get(f"number-{each.slug}", ""), "order"),
        )
        for season in seasons
        for each in season.episodes
        if f"season-{each.slug}" in request.form
    ]


def _swapped(seasons: tuple[Season, ...], slug: str, step: int) -> list[Place]:
    for season in seasons:
        slugs = [each.slug for each in season.episodes]
        if slug not in slugs or not 0 <= slugs.index(slug) + step < len(slugs):
            continue
        one = season.episodes[slugs.index(slug)]
        other = season.episodes[slugs.index(slug) + step]
        return [
            Place(one.slug, season.number, other.episode_number or 0),
            Place(other.slug, season.number, one.episode_number or 0),
        ]
    return []


def _whole(text: str, field: str) -> int:
    kept = text.strip()
    if not (kept.isascii() and kept.isdigit() and len(kept) < 6):
        raise InvalidInput(
            f"season.{field}",
            gettext("Seasons and episodes are whole numbers from 0 on."),
            {"field": field},
        )
    return int(kept)


def _container(slug: str) -> Title:
    found = describing.editable(slug)
    if found.kind not in CONTAINERS:
        raise NotFound(
            "season.no-series",
            gettext("“%(name)s” is no series and no course.", name=found.name),
        )
    return found


def _back(slug: str, number: int | None = None) -> Response:
    anchor = None if number is None else f"season-{number}"
    return redirect(url_for("studio.seasons", slug=slug, _anchor=anchor))
