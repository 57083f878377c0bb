"""Puts a verified package in its place: the last thing a job does.

Everything may be repeated: whoever was killed in the middle is followed by somebody
who begins again, finds folders moved and pictures made, and goes on. The rows change
in one transaction; before it nothing is visible, after it nothing is missing.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.captions.description import FILE
from appliance.catalog import artwork, states, titles
from appliance.catalog.artwork import ArtworkKind, ArtworkOrigin
from appliance.catalog.titles import TitleState
from appliance.db import Database, write
from appliance.errors import Conflict, TryAgain
from appliance.events import Event, record
from appliance.media import (
    assets,
    caption_tracks,
    jobs,
    publishing,
    quality,
    reviews,
    tracks,
    transitions,
    units,
    versions,
)
from appliance.media.assets import Asset
from appliance.media.jobs import Job, JobKind
from appliance.media.quality import Verdict
from appliance.media.tracks import Track, TrackKind
from appliance.permissions import SYSTEM
from appliance.playback import sessions
from appliance.playback.sessions import StopReason
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import attempts
from jobs.making import extras, films, ingest, protection, speech
from jobs.making.kinds import Due
from jobs.making.repackaging import package_again
from jobs.planning.plan import ANALYSE, INSPECT
from jobs.tools.whisper import Model

_MEDIA = frozenset({TrackKind.VIDEO, TrackKind.AUDIO})
# Kinds of jobs that leave most of a film as it is, and what is known of it.
_ADDING = frozenset({JobKind.SUPPLEMENT, JobKind.REENCRYPT})
Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A frame that may become the poster; the higher the score the better."""

    image: Path
    seconds: float
    score: float


def install(due: Due) -> None:
    """Move the tracks of a finished job into place and make its title playable.

    What they replace stays for a while, unless it was protected otherwise. Where
    somebody changed their mind about the protection, it is packaged again first.
    Errors: ``TryAgain`` when that was just now.
    """
    db, job = due.db, due.job
    if not _as_wished(due):
        package_again(due)
        return
    asset = assets.by_id(db, job.asset_id)
    package = units.result(db, job.id, "package") or {}
    verified = units.result(db, job.id, "verify") or {}
    _refuse_worse(due, asset, verified)
    entries = list(_installed(due))
    _illustrate(due, asset.title_id)
    extras.keep(due)
    listening = speech.usable(due.settings)
    with write(db):
        if not _as_wished(due):
            raise TryAgain(
                "install.otherwise", "The title is to be protected otherwise now."
            )
        before = tracks.of_asset(db, asset.id)
        number = versions.change(
            *(db, SYSTEM, asset.id),
            add=entries,
            remove={track.public_id for track in _replaced(job, before, entries)},
            reason=job.kind.value,
            job=job.public_id,
            duration=package["duration"],
            source=_source(due, asset),
        )
        _event(db, asset, entries)
        extras.tell(due)
        quality.record(
            *(db, asset.id, number, verified),
            adds=job.kind in _ADDING,
            publishes=job.publish_when_done,
        )
        states.processed(db, SYSTEM, asset.title_id, package["duration"])
        reviews.withhold(db, due.settings, asset.id)
        _let_watch(db, job, asset, before)
        if job.publish_when_done:
            _publish(db, due.settings, asset.title_id)
        transitions.slim(db, job.id)
        jobs.finish(db, job)
        _follow(due, listening)
    clear_up(db, due.storage, job, job.public_id)


def clear_up(
    db: Database, storage: Storage, job: Job | None, job_public_id: str
) -> None:
    """Remove what a job that ended leaves behind: older tracks, then its scratch.

    In this order, so that whoever was killed in between is seen by the scratch.
    """
    if job is not None and storage.path(attempts.WORK / job_public_id).exists():
        _remove_unlisted(db, storage, job)
    attempts.throw_away(storage, job_public_id)


def _remove_unlisted(db: Database, storage: Storage, job: Job) -> None:
    """Remove tracks of an asset that no row names, unless a job is bringing them."""
    if jobs.open_of_asset(db, job.asset_id) is not None:
        return
    asset = assets.by_id(db, job.asset_id)
    mine = {track["id"] for _, made in _reports(db, job) for track in made}
    listed = {track.public_id for track in tracks.kept(db, asset.id)}
    place = f"packages/{asset.public_id}/tracks"
    for folder in storage.path(place).glob("*"):
        # Somebody may just be adding captions: their file comes before their row.
        others = (folder / FILE).exists() and folder.name not in mine
        if folder.name not in listed and not others:
            storage.remove(f"{place}/{folder.name}")


def _as_wished(due: Due) -> bool:
    """Say whether what was packaged is what the title wants now.

    What only adds is protected as that is to which it is added.
    """
    if due.job.kind is JobKind.SUPPLEMENT:
        return True
    package = units.result(due.db, due.job.id, "package") or {}
    kids = {track["kid"] for track in package["tracks"] if track.get("kid")}
    # A job that is tried again may have keys that another one has retired since.
    if not kids <= protection.live(due.db, due.asset):
        return False
    return protection.as_wished(due.db, due.settings, due.job, due.asset)


def _refuse_worse(due: Due, asset: Asset, verified: Entry) -> None:
    """Keep what viewers watch, where what is to replace it did not pass its checks.

    Errors: ``Conflict`` (``quality.failed``).
    """
    title = titles.by_id(due.db, asset.title_id)
    published = title.state is TitleState.PUBLISHED and asset.version > 0
    if not (published and due.settings.quality.block):
        return
    if verified.get("verdict") == Verdict.FAILED:
        wrong = [
            each["sentence"] for each in verified["checks"] if each["level"] == "fail"
        ]
        raise Conflict(
            "quality.failed",
            f"What was made of “{title.name}” did not pass its quality checks, so what"
            f" was there before stays: {' '.join(wrong[:3])}",
        )


def _replaced(
    job: Job, before: Iterable[Track], entries: Iterable[Entry]
) -> Iterator[Track]:
    """Yield those of the tracks before that the new ones take the place of."""
    new = {(entry["kind"], entry["name"]) for entry in entries}
    for track in before:
        if job.kind is JobKind.SUPPLEMENT:
            if (track.kind, track.name) in new:
                yield track
        # Whoever encrypts anew leaves subtitles and the storyboard as they are, and
        # what somebody wrote is not lost with the film that it was written for.
        elif job.kind is JobKind.REENCRYPT:
            if track.kind in _MEDIA:
                yield track
        elif not caption_tracks.by_hand(track):
            yield track


def _source(due: Due, asset: Asset) -> dict[str, Any] | None:
    """Return the columns of the source that the asset comes from now, if another."""
    if due.job.kind is not JobKind.REPLACE:
        return None
    film = ingest.source_of(due.job, asset)
    facts = units.result(due.db, due.job.id, INSPECT) or {}
    analysis = units.result(due.db, due.job.id, ANALYSE)
    return {
        "source_path": film.source_path,
        "source_name": film.source_name,
        "source_bytes": film.source_bytes,
        "source_sha256": film.source_sha256 or facts.get("sha256"),
        "source_removed_at": None,
        "facts": json.dumps(facts),
        "analysis": None if analysis is None else json.dumps(analysis),
    }


def _let_watch(db: Database, job: Job, asset: Asset, before: list[Track]) -> None:
    """Let who watches the tracks of before go on, unless their keys are to go.

    What is encrypted anew, or otherwise, must not be had in the old way any longer: it
    is neither kept nor served to its end.
    """
    now = tracks.of_asset(db, asset.id)
    if job.kind is JobKind.REENCRYPT or _schemes(before) - _schemes(now):
        kept = tracks.kept(db, asset.id)
        versions.let_go(db, [track for track in kept if track.retired_at])
        sessions.end_of_asset(db, SYSTEM, asset.id, StopReason.REPLACED)
    protection.retire_unused(db, asset)


def _schemes(found: Iterable[Track]) -> set[str]:
    return {track.scheme or "" for track in found if track.kind in _MEDIA}


def _follow(due: Due, listening: Model | None) -> None:
    """After a first rendition let another job make the others; captions too."""
    if due.job.kind in (JobKind.INGEST, JobKind.REPLACE):
        speech.after_install(due.db, due.asset, listening)
    if due.job.request.get("quick"):
        jobs.create(
            due.db,
            SYSTEM,
            due.asset.id,
            kind=JobKind.SUPPLEMENT,
            request={"illustrate": True},
            priority=due.job.priority,
        )


def _event(db: Database, asset: Asset, entries: list[Entry]) -> None:
    record(
        db,
        SYSTEM,
        Event.ASSET_INSTALL,
        f"asset/{asset.public_id}",
        tracks=len(entries),
        bytes=sum(entry["bytes"] for entry in entries),
        encrypted=any(entry.get("kid") for entry in entries),
    )


def _installed(due: Due) -> Iterator[Entry]:
    """Move every track folder and yield its entry with the path it has now."""
    job, storage = due.job, due.storage
    for unit, found in _reports(due.db, job):
        schemes = [track.get("scheme") for track in found]
        as_films = films.just_in_time(due.settings, schemes)
        for track in found:
            path = f"packages/{due.asset.public_id}/tracks/{track['id']}"
            if as_films and track["kind"] in _MEDIA:
                yield films.install(storage, job.public_id, track, path)
                continue
            made = attempts.done_place(job.public_id, unit) / track["folder"]
            storage.commit(made, path)
            yield {**track, "path": path}


def _reports(db: Database, job: Job) -> Iterator[tuple[str, list[Entry]]]:
    package = units.result(db, job.id, "package") or {}
    yield "package", package.get("tracks", [])
    storyboard = units.result(db, job.id, "thumbnails")
    if storyboard is not None:
        yield "thumbnails", [storyboard]


def _illustrate(due: Due, title_id: int) -> None:
    """Give a title without pictures the best frame, and the others to choose from."""
    db, storage, job = due.db, due.storage, due.job
    title = titles.by_id(db, title_id)
    best = sorted(_candidates(db, storage, job), key=lambda each: -each.score)
    larger = bool(job.request.get("illustrate"))
    if best and (larger or job.kind is JobKind.REPLACE):
        artwork.drop_candidates(db, storage, SYSTEM, title_id)
    if larger:
        _show_larger(db, storage, title_id, best)
    known = {each.seconds for each in artwork.candidates(db, title_id)}
    for each in best:
        if each.seconds not in known:
            _add(db, storage, title_id, ArtworkKind.CANDIDATE, each)
    if best and title.poster is None:
        _add(db, storage, title_id, ArtworkKind.POSTER, best[0])
    if best and title.backdrop is None:
        _add(db, storage, title_id, ArtworkKind.BACKDROP, best[0])


def _show_larger(
    db: Database, storage: Storage, title_id: int, frames: list[_Candidate]
) -> None:
    """Show the same moments of the film as before, in the better picture there is."""
    for kind in (ArtworkKind.POSTER, ArtworkKind.BACKDROP):
        shown = artwork.shown(db, title_id, kind)
        for each in frames:
            if shown is not None and shown.seconds == each.seconds:
                _add(db, storage, title_id, kind, each)


def _candidates(db: Database, storage: Storage, job: Job) -> Iterator[_Candidate]:
    report = units.result(db, job.id, "thumbnails") or {}
    made = attempts.done_place(job.public_id, "thumbnails")
    for each in report.get("candidates", []):
        image = storage.existing(made / each["file"])
        yield _Candidate(image, each["seconds"], each["score"])


def _add(
    db: Database, storage: Storage, title_id: int, kind: ArtworkKind, frame: _Candidate
) -> None:
    artwork.add(
        db,
        storage,
        SYSTEM,
        title_id,
        kind,
        frame.image,
        origin=ArtworkOrigin.FRAME,
        seconds=frame.seconds,
    )


def _publish(db: Database, settings: Settings, title_id: int) -> None:
    """Publish as was asked; not what is archived, or did not pass its checks."""
    with suppress(Conflict):
        publishing.publish(db, settings, SYSTEM, titles.by_id(db, title_id).slug)
