"""Captions of a title: added, edited, shifted, reviewed, removed.

Each change makes a new track and so a new version of the film, which can be gone back
to. Whoever changes captions says which version they saw: what somebody else did in the
meantime is not overwritten.
"""

from dataclasses import dataclass, replace

from appliance.captions import lint, reading, times
from appliance.captions.cues import MOST_CUES, Captions, Remark
from appliance.captions.description import Description, Origin
from appliance.captions.lint import Finding
from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.db import Database, write
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.media import assets, caption_switch, caption_tracks, versions
from appliance.media.assets import Asset
from appliance.media.caption_switch import (
    REASON,
    New,
    Seen,
    change,
    note,
    require_seen,
    switch,
)
from appliance.media.caption_tracks import Held
from appliance.media.tracks import Track
from appliance.objects import Stores
from appliance.permissions import Actor, check_title

_MOST_OF_A_FILM = 100


@dataclass(frozen=True, slots=True)
class Opened:
    """Captions with their text; ``duration`` is that of the film, in seconds."""

    held: Held
    captions: Captions
    duration: float


@dataclass(frozen=True, slots=True)
class Added:
    """New captions, and what of their file could not be used."""

    held: Held
    remarks: tuple[Remark, ...]


def listing(db: Database, actor: Actor, slug: str) -> list[Held]:
    """Return the captions that a title's film has now, by language."""
    _, film = _film(db, actor, slug)
    found = (
        [caption_tracks.held(each) for each in caption_switch.of_film(db, film)]
        if film
        else []
    )
    return sorted(found, key=lambda each: (each.language, each.role, each.id))


def opened(
    db: Database, stores: Stores, actor: Actor, slug: str, captions: str
) -> Opened:
    """Return captions with their text. Errors: ``NotFound``, ``Forbidden``."""
    film, track = _one(db, actor, slug, captions)
    return Opened(
        caption_tracks.held(track),
        caption_tracks.cues(stores, track),
        film.duration or 0.0,
    )


def checked(found: Opened) -> list[Finding]:
    """Return what makes captions hard to read."""
    return lint.lint(found.captions, found.duration, found.held.language)


def add(
    db: Database,
    stores: Stores,
    actor: Actor,
    slug: str,
    data: bytes,
    described: Description,
    *,
    source_name: str = "",
    encoding: str = "",
) -> Added:
    """Add a file of captions to the film of a title.

    Errors: ``InvalidInput`` for what the file is; ``Conflict`` without a film.
    """
    read = reading.read(data, described.language, encoding)
    _, film = _film(db, actor, slug)
    film = _require_film(film, slug)
    _require_room(db, film)
    facts = {"origin": Origin.UPLOAD, "source_name": _name_of(source_name)}
    facts |= caption_switch.by(db, actor)
    new = New(described, read.captions, facts)
    return Added(switch(db, stores, actor, film, new, (), "add"), read.remarks)


def replace_text(
    db: Database,
    stores: Stores,
    actor: Actor,
    slug: str,
    captions: str,
    data: bytes,
    *,
    version: str = "",
    source_name: str = "",
    encoding: str = "",
) -> Added:
    """Put another file in place of captions; what is told of them stays."""
    film, track = _one(db, actor, slug, captions)
    read = reading.read(data, track.language, encoding)
    told = {"origin": Origin.UPLOAD, "source_name": _name_of(source_name)}
    told |= {"reviewed_by": "", "reviewed_at": ""}
    seen = Seen(film, track, version)
    held = change(
        db, stores, actor, seen, "replace", lambda _: read.captions, facts=told
    )
    return Added(held, read.remarks)


def edit(
    db: Database,
    stores: Stores,
    actor: Actor,
    slug: str,
    captions: str,
    edited: Captions,
    *,
    version: str,
) -> Held:
    """Keep what somebody wrote in the editor, who saw ``version``.

    Errors: ``InvalidInput`` without a cue, ``Conflict`` when they changed since.
    """
    if not edited.cues:
        raise InvalidInput(
            "captions.no-cues", "Captions have a cue at least: or remove them whole."
        )
    if len(edited.cues) > MOST_CUES:
        raise InvalidInput(
            "captions.too-many", f"Captions have {MOST_CUES:,} cues at most."
        )
    film, track = _one(db, actor, slug, captions)
    seen = Seen(film, track, version)
    return change(db, stores, actor, seen, "edit", lambda _: edited)


def shift(
    db: Database,
    stores: Stores,
    actor: Actor,
    slug: str,
    captions: str,
    milliseconds: int,
    factor: float = 1.0,
    *,
    version: str = "",
) -> Held:
    """Stretch all times by ``factor`` and move them. Errors: ``InvalidInput``."""
    film, track = _one(db, actor, slug, captions)

    def moved(before: Captions) -> Captions:
        return times.moved(before, milliseconds, factor)

    seen = Seen(film, track, version)
    return change(db, stores, actor, seen, "shift", moved)


def describe(
    db: Database,
    stores: Stores,
    actor: Actor,
    slug: str,
    captions: str,
    described: Description,
    *,
    version: str = "",
) -> Held:
    """Change what is told of captions: their language, name and role."""
    film, track = _one(db, actor, slug, captions)
    seen = Seen(film, track, version)
    return change(db, stores, actor, seen, "describe", _unchanged, described=described)


def review(
    db: Database,
    stores: Stores,
    actor: Actor,
    slug: str,
    captions: str,
    *,
    version: str = "",
) -> Held:
    """Say that captions made by machine are right now: no doubt is left in them.

    Errors: ``Conflict`` when no machine made them, or somebody reviewed them already.
    """
    film, track = _one(db, actor, slug, captions)
    if not caption_tracks.held(track).auto:
        raise Conflict(
            "captions.reviewed",
            "Only captions made by machine are reviewed, and only once.",
        )

    def certain(before: Captions) -> Captions:
        cues = (replace(cue, unsure=False) for cue in before.cues)
        return replace(before, cues=tuple(cues))

    told = {"reviewed_by": actor.username, "reviewed_at": db.now()}
    seen = Seen(film, track, version)
    return change(db, stores, actor, seen, "review", certain, facts=told)


def remove(
    db: Database, actor: Actor, slug: str, captions: str, *, version: str = ""
) -> Held:
    """Take captions away; an older version of the film still has them for a while."""
    film, track = _one(db, actor, slug, captions)
    with write(db):
        require_seen(db, Seen(film, track, version))
        versions.change(db, actor, film.id, remove=[track.public_id], reason=REASON)
        return note(db, actor, film, track.public_id, "remove")


def _film(db: Database, actor: Actor, slug: str) -> tuple[Title, Asset | None]:
    title = titles.by_slug(db, actor, slug)
    check_title(actor, title.created_by)
    return title, assets.playable(db, title.id)


def _require_film(film: Asset | None, slug: str) -> Asset:
    if film is None:
        raise Conflict(
            "captions.no-film",
            f"“{slug}” has no film yet: captions can be added when it has one.",
        )
    return film


def _require_room(db: Database, film: Asset) -> None:
    if len(caption_switch.of_film(db, film)) >= _MOST_OF_A_FILM:
        raise Conflict(
            "captions.too-many-tracks",
            f"A film has at most {_MOST_OF_A_FILM} captions: remove some first.",
        )


def _one(db: Database, actor: Actor, slug: str, captions: str) -> tuple[Asset, Track]:
    _, film = _film(db, actor, slug)
    film = _require_film(film, slug)
    for track in caption_switch.of_film(db, film):
        if caption_tracks.held(track).id == captions:
            return film, track
    raise NotFound(
        "captions.missing", f"The film of “{slug}” has no captions {captions[:40]}."
    )


def _name_of(file: str) -> str:
    """Return the name of a file without the folders some browsers send with it."""
    return file.replace("\\", "/").rsplit("/", 1)[-1][:200]


def _unchanged(captions: Captions) -> Captions:
    return captions
