"""The page of a title: of a film, an episode, a series or a course."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from flask import render_template, request
from flask_babel import format_date, gettext

from appliance import clock
from appliance.catalog import artwork as pictures
from appliance.catalog import credits, extras, series, titles
from appliance.catalog.artwork import Artwork, ArtworkKind
from appliance.catalog.credits import CAST, Credit
from appliance.catalog.kinds import CONTAINERS, Kind
from appliance.catalog.series import Season
from appliance.catalog.titles import Title, TitleState
from appliance.catalog.topics import genres, tags
from appliance.discovery import marks
from appliance.discovery.home import Row
from appliance.errors import NotFound
from appliance.permissions import Action, Actor
from appliance.playback import progress
from appliance.playback.progress import Progress
from web import context, guard, places, telling
from web.portal import cards, films
from web.portal.films import Film

_ALIKE = 12
_LEAVING_DAYS = 30


@dataclass(frozen=True, slots=True)
class Episodes:
    """The seasons of a series, the one that is shown, and how far somebody is in it."""

    seasons: tuple[Season, ...]
    shown: Season | None
    watched: dict[int, Progress]


@guard.needs(Action.PORTAL_SEE)
def title(slug: str) -> str:
    found = titles.by_slug(context.db(), context.actor(), slug)
    if found.kind in CONTAINERS:
        return _series(found)
    db, actor = context.db(), context.actor()
    film = films.of_title(db, context.settings(), actor, found)
    before, after = series.neighbours(db, actor, found)
    return render_template(
        "portal/title.html",
        **_told(found, film),
        before=places.place(before) if before else None,
        after=places.place(after) if after else None,
    )


def day(text: str) -> str:
    """Write the day of a time (UTC text) as the viewer's language does."""
    return str(format_date(clock.from_text(text), "long"))


def _series(found: Title) -> str:
    db, actor = context.db(), context.actor()
    seasons = series.seasons(db, actor, found)
    first = next((each for season in seasons for each in season.episodes), None)
    film = films.of_series(db, context.settings(), actor, found, first)
    return render_template(
        "portal/series.html",
        **_told(found, film),
        episodes=_episodes(seasons, film),
        count=sum(len(each.episodes) for each in seasons),
    )


def _told(found: Title, film: Film) -> dict[str, object]:
    """Return what the pages of all kinds of titles show."""
    whole = _whole(found)
    kept = extras.of_title(context.db(), context.actor(), found)
    trailer = next((each.slug for each in kept if each.kind is Kind.TRAILER), None)
    return {
        "title": telling.title(found),
        "whole": telling.title(whole) if whole else None,
        "film": film,
        "more": _more(found, whole, film) | {"trailer": trailer},
        "extras": _extras(kept),
        "alike": _alike(found),
    }


def _more(found: Title, whole: Title | None, film: Film) -> dict[str, object]:
    """Return what an episode has of its own, or else of its series."""
    db, seen = context.db(), whole or found
    named = credits.of_title(db, found.id)
    if whole is not None:
        named += credits.of_title(db, whole.id)
    shown = found if found.backdrop else seen
    focused = pictures.shown(db, shown.id, ArtworkKind.BACKDROP)
    return {
        "whole": telling.title(whole) if whole else None,
        "container": found.kind in CONTAINERS,
        "label": places.label(found),
        "rating": found.rating or seen.rating,
        "backdrop": shown.backdrop,
        "focus": _focus(focused) if focused else None,
        "logo": found.logo,
        "marks": marks.of_title(db, context.actor(), seen.id),
        "genres": genres.of_title(db, found.id),
        "tags": tags.of_title(db, found.id),
        "cast": _once(each for each in named if each.job in CAST),
        "crew": _crew(named),
        "leaving": film.until is not None and film.until < db.now(days=_LEAVING_DAYS),
        "may_edit": _may_edit(context.actor(), found),
    }


def _focus(art: Artwork) -> tuple[float, float] | None:
    """Return what somebody said must be seen of a picture; None: nobody did."""
    focus = (art.focal_x, art.focal_y)
    return None if focus == pictures.MIDDLE else focus


def _whole(found: Title) -> Title | None:
    """Return what a title belongs to, if the viewer may see that."""
    whole = titles.parent(context.db(), found)
    if whole is None:
        return None
    try:
        return titles.by_slug(context.db(), context.actor(), whole.slug)
    except NotFound:
        return None


def _episodes(seasons: tuple[Season, ...], film: Film) -> Episodes:
    wanted = request.args.get("season", None, int)
    shown = next((each for each in seasons if each.number == wanted), None)
    if shown is None:
        shown = next(
            (
                each
                for each in seasons
                if film.slug in {episode.slug for episode in each.episodes}
            ),
            next(iter(seasons), None),
        )
    if shown is None:
        return Episodes(seasons, None, {})
    watched = progress.of_titles(
        context.db(), context.actor(), [each.id for each in shown.episodes]
    )
    told = replace(shown, episodes=tuple(telling.titles(shown.episodes)))
    return Episodes(seasons, told, watched)


def _once(named: Iterable[Credit]) -> list[Credit]:
    """Return each person once, with the first of their characters."""
    once: dict[str, Credit] = {}
    for each in named:
        once.setdefault(each.person_slug, each)
    return list(once.values())


def _crew(named: tuple[Credit, ...]) -> dict[str, list[Credit]]:
    """Return who stood behind the camera, by what they did."""
    crew: dict[str, list[Credit]] = {}
    for each in named:
        if each.job not in CAST:
            crew.setdefault(each.job, []).append(each)
    return {job: _once(people) for job, people in crew.items()}


def _extras(kept: tuple[Title, ...]) -> Row | None:
    if not kept:
        return None
    heading = gettext("Trailers and extras")
    return Row("extras", heading, cards.of_titles(kept), None)


def _alike(title: Title) -> Row | None:
    """Return others of the genre that has the most titles, None when there are none."""
    genre = genres.largest(context.db(), title.id)
    if genre is None:
        return None
    found = titles.listing(
        context.db(),
        context.actor(),
        state=TitleState.PUBLISHED,
        genre=genre.slug,
        top=True,
        limit=_ALIKE + 1,
    )
    others = [each for each in found if each.id != title.id][:_ALIKE]
    if not others:
        return None
    return Row(
        "alike",
        gettext("More like this"),
        cards.of_titles(others),
        f"/genre/{genre.slug}",
    )


def _may_edit(actor: Actor, title: Title) -> bool:
    own = title.created_by == actor.account_id
    return actor.may(Action.TITLE_EDIT) or (own and actor.may(Action.TITLE_EDIT_OWN))
