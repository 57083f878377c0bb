"""How captions change: a new track is served in place of the one that was seen.

What somebody else did in the meantime is never overwritten: whoever changes captions
says which version they had before them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.captions import languages
from appliance.captions.cues import Captions
from appliance.captions.description import Description
from appliance.db import Database, write
from appliance.errors import Conflict
from appliance.events import Event, record
from appliance.media import caption_tracks, tracks, versions
from appliance.media.assets import Asset
from appliance.media.caption_tracks import Held
from appliance.media.tracks import Track, TrackKind
from appliance.objects import Stores
from appliance.permissions import Actor

REASON = "captions"
_KEPT = ("origin", "source_name", "reviewed_by", "reviewed_at")


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody wants to change, and the version that they had before them."""

    film: Asset
    track: Track
    version: str


@dataclass(frozen=True, slots=True)
class New:
    """Captions that are to be served: their text, and what is told of them."""

    described: Description
    captions: Captions
    facts: Mapping[str, Any]


def change(
    db: Database,
    stores: Stores,
    actor: Actor,
    seen: Seen,
    act: str,
    alter: Callable[[Captions], Captions],
    *,
    facts: Mapping[str, Any] | None = None,
    described: Description | None = None,
) -> Held:
    """Make a track of what ``alter`` gives, and serve it in place of the one seen."""
    require_seen(db, seen)
    before, track = caption_tracks.held(seen.track), seen.track
    captions = alter(caption_tracks.cues(stores, track))
    described = described or Description(before.language, before.name, before.role)
    kept = {key: track.facts[key] for key in _KEPT if key in track.facts}
    told = kept | {"captions": before.id} | by(db, actor) | dict(facts or {})
    new = New(described, captions, told)
    return switch(db, stores, actor, seen.film, new, (seen,), act)


def switch(
    db: Database,
    stores: Stores,
    actor: Actor,
    film: Asset,
    new: New,
    instead_of: Sequence[Seen],
    act: str,
) -> Held:
    """Make a track and serve it; its file goes again when that is refused.

    It is written while nobody else can write rows: whoever looks for folders that no
    row names, to remove them, finds it with its row or not at all.
    """
    path = ""
    try:
        with write(db):
            for seen in instead_of:
                require_seen(db, seen)
            made = caption_tracks.make(
                stores.storage, film, new.described, new.captions, new.facts
            )
            path = made["path"]
            versions.change(
                db,
                actor,
                film.id,
                add=[made],
                remove=[seen.track.public_id for seen in instead_of],
                reason=REASON,
            )
            return note(db, actor, film, made["id"], act)
    except BaseException:
        if path:
            stores.storage.remove(path)
        raise


def note(db: Database, actor: Actor, film: Asset, track: str, act: str) -> Held:
    """Record what became of captions, and return them."""
    held = next(
        caption_tracks.held(each)
        for each in tracks.kept(db, film.id)
        if each.public_id == track
    )
    event = Event.CAPTIONS_REVIEW if act == "review" else Event.CAPTIONS_CHANGE
    record(
        db,
        actor,
        event,
        f"asset/{film.public_id}",
        act=act,
        captions=held.id,
        track=held.version,
        language=held.language,
        cues=held.cues,
    )
    return held


def of_film(db: Database, film: Asset) -> list[Track]:
    """Return the text tracks that are served of a film."""
    served = tracks.of_asset(db, film.id)
    return [track for track in served if track.kind is TrackKind.TEXT]


def require_seen(db: Database, seen: Seen) -> None:
    """Refuse with ``Conflict`` when other captions are served than somebody saw."""
    before = caption_tracks.held(seen.track)
    now = [
        held
        for held in map(caption_tracks.held, of_film(db, seen.film))
        if held.id == before.id
    ]
    if not now:
        raise Conflict("captions.gone", "These captions have been removed meanwhile.")
    if now[0].version == (seen.version or before.version) == before.version:
        return
    who = f": {now[0].changed_by}" if now[0].changed_by else ""
    raise Conflict(
        "captions.changed",
        f"Somebody changed these captions since you opened them{who}. Nothing was"
        " saved; what you wrote is still here.",
        {"version": now[0].version, "changed_by": now[0].changed_by},
    )


def put_machine_made(
    db: Database, actor: Actor, film: Asset, entry: Mapping[str, Any], job: str
) -> int:
    """Serve what a machine heard, in place of what one heard before in that language.

    What somebody has changed or reviewed since stays beside it.
    """
    with write(db):
        older = [
            track.public_id
            for track in of_film(db, film)
            if _untouched(track) and languages.same(track.language, entry["language"])
        ]
        number = versions.change(
            db, actor, film.id, add=[entry], remove=older, reason=REASON, job=job
        )
        note(db, actor, film, entry["id"], "make")
        return number


def by(db: Database, actor: Actor) -> dict[str, str]:
    """Return who changes captions now, and when, as facts of a track."""
    return {"changed_by": actor.username, "changed_at": db.now()}


def _untouched(track: Track) -> bool:
    held = caption_tracks.held(track)
    return held.auto and not held.changed_by
