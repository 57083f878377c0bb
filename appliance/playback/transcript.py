"""What is said in a film, and when: its captions to be read beside the picture."""

from dataclasses import dataclass

from appliance.captions import markup
from appliance.captions.cues import Cue
from appliance.captions.description import Role
from appliance.catalog import titles
from appliance.db import Database
from appliance.errors import Forbidden, NotFound
from appliance.media import assets, caption_tracks, tracks
from appliance.media.caption_tracks import Held
from appliance.media.tracks import Track, TrackKind
from appliance.objects import Stores
from appliance.permissions import Actor
from appliance.playback.permission import decide
from appliance.settings import Settings

# What says most of what is heard comes first.
_ROLES: tuple[str, ...] = (Role.CAPTION, Role.SUBTITLE, Role.FORCED)
_TOUCHING_MILLISECONDS = 50


@dataclass(frozen=True, slots=True)
class Line:
    """What is said from ``start`` to ``end``, in seconds; without any markup."""

    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A language that there is a transcript in."""

    language: str
    label: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """The transcript in one language; ``auto``: a machine heard it, unreviewed."""

    language: str
    label: str
    auto: bool
    languages: tuple[Offer, ...]
    cues: tuple[Line, ...]


def of_title(
    db: Database,
    settings: Settings,
    stores: Stores,
    actor: Actor,
    slug: str,
    language: str = "",
) -> Transcript:
    """Return the transcript of a title, for whoever may watch it now.

    ``language`` is the one wished for; another one that there is takes its place.
    Errors: ``NotFound`` also where there are no captions, ``Forbidden``.
    """
    title = titles.by_slug(db, actor, slug)
    decision = decide(db, settings, actor, title)
    if not decision.allowed:
        raise Forbidden("playback.refused", decision.sentence, decision.details)
    film = assets.playable(db, title.id)
    found = _texts(db, film.id) if film else []
    if not found:
        raise NotFound(
            "transcript.missing", f"“{title.name}” has no captions to be read."
        )
    chosen = _wished(found, language)
    held = caption_tracks.held(chosen)
    return Transcript(
        language=held.language,
        label=held.label,
        auto=held.auto,
        languages=_offers(found),
        cues=tuple(_lines(caption_tracks.cues(stores, chosen).cues)),
    )


def _texts(db: Database, asset_id: int) -> list[Track]:
    texts = [
        each
        for each in tracks.of_asset(db, asset_id)
        if each.kind is TrackKind.TEXT and "file" in each.facts
    ]
    return sorted(texts, key=_weight)


def _weight(track: Track) -> int:
    return _ROLES.index(track.role) if track.role in _ROLES else 1


def _wished(found: list[Track], language: str) -> Track:
    """Return the track in a language, else in one like it, else the first."""
    short = language.split("-")[0]
    for fits in (
        lambda each: each.language == language,
        lambda each: bool(short) and each.language.split("-")[0] == short,
    ):
        if track := next(filter(fits, found), None):
            return track
    return found[0]


def _offers(found: list[Track]) -> tuple[Offer, ...]:
    labels: dict[str, Held] = {}
    for each in found:
        labels.setdefault(each.language, caption_tracks.held(each))
    return tuple(Offer(language, held.label) for language, held in labels.items())


def _lines(cues: tuple[Cue, ...]) -> list[Line]:
    """Return what is read of cues; one that stays for longer makes one line."""
    lines: list[Line] = []
    until = 0
    for cue in cues:
        text = " ".join(markup.plain(cue.text).split())
        stays = lines and lines[-1].text == text
        if stays and cue.start - until <= _TOUCHING_MILLISECONDS:
            until = max(cue.end, until)
            lines[-1] = Line(lines[-1].start, until / 1000, text)
        elif text:
            until = cue.end
            lines.append(Line(cue.start / 1000, until / 1000, text))
    return lines
