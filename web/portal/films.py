"""What the page of a title says of its film: whether it plays, where, in what."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import gettext

from appliance.access.evaluate import Decision
from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.errors import Forbidden
from appliance.media import assets, tracks
from appliance.media.tracks import Track, TrackKind
from appliance.permissions import Actor
from appliance.playback import permission, progress
from appliance.playback.progress import Progress
from appliance.settings import Settings
from web import places, telling
from web.refusals import said
from web.templating import runtime


@dataclass(frozen=True, slots=True)
class Film:
    """``button`` says what pressing it does; ``progress`` is None before it began.

    ``slug`` is what is played: of a series the episode that comes next. ``refusal``
    says why somebody who sees it may not play it, ``until`` when that begins (UTC
    text); ``allowed`` is that there is no such reason.
    """

    slug: str = ""
    playable: bool = False
    button: str = ""
    resumes: bool = False
    finished: bool = False
    progress: float | None = None
    badges: tuple[str, ...] = ()
    audio: tuple[str, ...] = ()
    subtitles: tuple[str, ...] = ()
    refusal: str = ""
    until: str | None = None


def of_title(db: Database, settings: Settings, actor: Actor, title: Title) -> Film:
    decision = permission.decide(db, settings, actor, title)
    asset = assets.playable(db, title.id)
    if asset is None:
        return Film(refusal=_refusal(decision), until=decision.until)
    watched = progress.of_asset(db, actor, asset.id)
    resumes = progress.resume_at(settings, watched) > 0
    parts = tracks.of_asset(db, asset.id)
    return Film(
        slug=title.slug,
        playable=True,
        button=_button(watched, resumes, places.label(title)),
        resumes=resumes,
        finished=watched is not None and watched.finished,
        progress=watched.fraction if watched is not None and resumes else None,
        badges=tuple(_badges(parts)),
        audio=_labels(parts, TrackKind.AUDIO),
        subtitles=_labels(parts, TrackKind.TEXT),
        refusal=_refusal(decision),
        until=decision.until,
    )


def of_series(
    db: Database, settings: Settings, actor: Actor, series: Title, first: Title | None
) -> Film:
    """Return the film that a series goes on with.

    When all of it is watched that is the ``first`` episode.
    """
    following = progress.next_up(db, actor, series) or first
    if following is None:
        decision = permission.decide(db, settings, actor, series)
        return Film(refusal=_refusal(decision), until=decision.until)
    return of_title(db, settings, actor, following)


def _refusal(decision: Decision) -> str:
    if decision.allowed:
        return ""
    return said(Forbidden("playback.refused", decision.sentence, decision.details))


def _button(watched: Progress | None, resumes: bool, label: str) -> str:
    """Say what happens: “Resume S1 E2 · 23 min left”."""
    if watched is not None and resumes:
        left = runtime(watched.duration - watched.position)
        if label:
            return str(
                gettext("Resume %(label)s · %(left)s left", label=label, left=left)
            )
        return str(gettext("Resume · %(left)s left", left=left))
    if watched is not None and watched.finished:
        if label:
            return str(gettext("Watch %(label)s again", label=label))
        return str(gettext("Watch again"))
    return str(gettext("Play %(label)s", label=label) if label else gettext("Play"))


def _badges(parts: Iterable[Track]) -> Iterable[str]:
    height = max((part.height or 0 for part in parts), default=0)
    if height >= 2160:
        yield "4K"
    elif height >= 720:
        yield "HD"
    if any(part.kind is TrackKind.TEXT for part in parts):
        yield "CC"


def _labels(parts: Iterable[Track], kind: TrackKind) -> tuple[str, ...]:
    labels = (
        part.label or telling.language_name(part.language)
        for part in parts
        if part.kind is kind
    )
    return tuple(dict.fromkeys(labels))
