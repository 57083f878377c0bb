"""The page that plays a film, and what its player fetches when it is wanted."""

import math
from dataclasses import asdict

from flask import redirect, render_template, request, url_for
from flask_babel import lazy_gettext
from werkzeug.wrappers import Response

from appliance.accounts import profiles
from appliance.catalog import series, titles
from appliance.catalog.kinds import CONTAINERS, EXTRAS, Kind
from appliance.catalog.titles import Title, TitleState
from appliance.catalog.topics import genres
from appliance.discovery import marks
from appliance.errors import NotFound
from appliance.media import assets
from appliance.permissions import Action
from appliance.playback import around, progress
from appliance.playback.around import Around
from appliance.playback.permission import viewer
from web import context, devices, guard, places, telling
from web.portal import cards

_ALIKE = 6

# What static/js/player/keys.js listens to, as the dialog behind “?” lists it.
KEYS = (
    (("Space", "K"), lazy_gettext("Play or pause")),
    (("J", "L"), lazy_gettext("Back or on 10 seconds")),
    (("←", "→"), lazy_gettext("Back or on 10 seconds")),
    (("PgDn", "PgUp"), lazy_gettext("Chapter before or after; without any, a minute")),
    (("0", "9"), lazy_gettext("Jump to 0 % … 90 %")),
    (("Home", "End"), lazy_gettext("Jump to the beginning or the end")),
    (("↑", "↓"), lazy_gettext("Louder or softer")),
    (("M",), lazy_gettext("Sound on or off")),
    (("C",), lazy_gettext("Captions on or off")),
    (("T",), lazy_gettext("Transcript")),
    (("S",), lazy_gettext("Skip the intro, recap or credits")),
    (("N",), lazy_gettext("Next episode")),
    (("Shift + P",), lazy_gettext("Episode before")),
    (("E",), lazy_gettext("Episodes")),
    (("F",), lazy_gettext("Full screen")),
    (("P",), lazy_gettext("Picture in picture")),
    (("<", ">"), lazy_gettext("Slower or faster")),
    ((",", "."), lazy_gettext("One frame back or on, while paused")),
    (("?",), lazy_gettext("This list")),
)


@guard.needs(Action.PLAYBACK_OPEN)
def watch(slug: str) -> str | Response:
    """Play a title; a series is played from the episode that comes next.

    ``?from=SECONDS`` starts there instead of where the viewer stopped.
    """
    db, actor = context.db(), context.actor()
    _account_id, profile_id = viewer(actor)
    found = around.of_title(db, actor, slug)
    if found.title.kind in CONTAINERS:
        return redirect(_first(found))
    found = places.told(found)
    start = request.args.get("from", math.nan, float)
    told = {
        "around": places.around(found),
        "preferences": asdict(profiles.preferences(db, profile_id)),
        "device": devices.name(request.user_agent.string),
        "start": start if 0 <= start < math.inf else None,
    }
    return render_template(
        "portal/watch.html",
        title=found.title,
        whole=found.whole or found.title,
        label=places.label(found.title),
        told=told,
        keys=KEYS,
    )


@guard.needs(Action.PLAYBACK_OPEN)
def episodes(slug: str) -> str:
    """The episodes of the series, as the panel beside the film lists them."""
    db, actor = context.db(), context.actor()
    found = around.of_title(db, actor, slug)
    if found.whole is None or found.title.kind is not Kind.EPISODE:
        raise NotFound("series.missing", "This title is no episode of a series.")
    seasons = series.seasons(db, actor, found.whole)
    return render_template(
        "portal/watch_episodes.html",
        current=found.title,
        seasons=[(each, telling.titles(each.episodes)) for each in seasons],
        watched=progress.of_titles(
            db, actor, [each.id for season in seasons for each in season.episodes]
        ),
    )


@guard.needs(Action.PLAYBACK_OPEN)
def after(slug: str) -> str:
    """What stands over the picture when the film has ended."""
    db, actor = context.db(), context.actor()
    found = places.told(around.of_title(db, actor, slug))
    whole = found.whole or found.title
    extra = found.title.kind in EXTRAS and assets.playable(db, whole.id) is not None
    return render_template(
        "portal/watch_after.html",
        title=found.title,
        whole=whole,
        following=found.next,
        label=places.label(found.next) if found.next else "",
        film=whole if extra else None,
        marks=marks.of_title(db, actor, whole.id),
        alike=cards.of_titles(_alike(whole)),
    )


def _alike(title: Title) -> list[Title]:
    """Return others of the genre that comes first."""
    db, actor = context.db(), context.actor()
    own = [each.slug for each in genres.of_title(db, title.id)]
    found = titles.listing(
        *(db, actor),
        state=TitleState.PUBLISHED,
        genre=own[0] if own else None,
        top=True,
        limit=_ALIKE + 1,
    )
    return [each for each in found if each.id != title.id][:_ALIKE]


def _first(found: Around) -> str:
    """Return where playing a series begins, or the series where nothing can be."""
    db, actor = context.db(), context.actor()
    following = progress.next_up(db, actor, found.title)
    if following is None:
        playable = [
            each
            for season in series.seasons(db, actor, found.title)
            for each in season.episodes
        ]
        following = playable[0] if playable else None
    if following is None:
        return url_for("portal.title", slug=found.title.slug)
    return url_for("portal.watch", slug=following.slug)
