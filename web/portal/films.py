"""What the page of a title says of its film: whether it plays, where, in what."""

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.media import assets, tracks
from appliance.media.tracks import Track, TrackKind
from appliance.permissions import Actor
from appliance.playback import progress
from appliance.playback.progress import Progress
from appliance.settings import Settings
from web.templating import runtime


@dataclass(frozen=True, slots=True)
class Film:
    """``button`` says what pressing it does; ``progress`` is None before it began."""

    playable: bool = False
    button: str = ""
    resumes: bool = False
    finished: bool = False
    progress: float | None = None
    badges: tuple[str, ...] = ()
    audio: tuple[str, ...] = ()
    subtitles: tuple[str, ...] = ()


def of_title(db: Database, settings: Settings, actor: Actor, title: Title) -> Film:
    asset = assets.playable(db, title.id)
    if asset is None:
        return Film()
    watched = progress.of_asset(db, actor, asset.id)
    resumes = progress.resume_at(settings, watched) > 0
    parts = tracks.of_asset(db, asset.id)
    return Film(
        playable=True,
        button=_button(watched, resumes),
        resumes=resumes,
        finished=watched is not None and watched.finished,
        progress=watched.fraction if watched is not None and resumes else None,
        badges=tuple(_badges(parts)),
        audio=_labels(parts, TrackKind.AUDIO),
        subtitles=_labels(parts, TrackKind.TEXT),
    )


def _button(watched: Progress | None, resumes: bool) -> str:
    if watched is not None and resumes:
        return f"Resume · {runtime(watched.duration - watched.position)} left"
    return "Watch again" if watched is not None and watched.finished else "Play"


def _badges(parts: Iterable[Track]) -> Iterable[str]:
    height = max((part.height or 0 for part in parts), default=0)
    if height >= 2160:
        yield "4K"
    elif height >= 720:
        yield "HD"
    if any(part.kind is TrackKind.TEXT for part in parts):
        yield "CC"


def _labels(parts: Iterable[Track], kind: TrackKind) -> tuple[str, ...]:
    labels = (part.label or part.language for part in parts if part.kind is kind)
    return tuple(dict.fromkeys(labels))
