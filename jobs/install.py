"""Puts a verified package in its place: the last thing a job does.

Everything may be repeated: whoever was killed in the middle is followed by somebody
who begins again, finds folders moved and pictures made, and goes on. The rows change
in one transaction; before it nothing is visible, after it nothing is missing.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.catalog import artwork, states, titles
from appliance.catalog.artwork import ArtworkKind, ArtworkOrigin
from appliance.db import Database, write
from appliance.errors import Conflict, TryAgain
from appliance.events import Event, record
from appliance.media import assets, jobs, tracks, transitions, units
from appliance.media.assets import Asset
from appliance.media.jobs import Job, JobKind
from appliance.media.tracks import TrackKind
from appliance.permissions import SYSTEM
from appliance.playback import sessions
from appliance.playback.sessions import StopReason
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import attempts, films, protection

# Whoever encrypts anew leaves subtitles and the storyboard as they are.
_REPLACED = {
    JobKind.INGEST: frozenset(TrackKind),
    JobKind.REENCRYPT: frozenset({TrackKind.VIDEO, TrackKind.AUDIO}),
}


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A frame that may become the poster; the higher the score the better."""

    image: Path
    seconds: float
    score: float


def install(db: Database, storage: Storage, settings: Settings, job: Job) -> None:
    """Move the tracks of a finished job into place and make its title playable.

    Errors: ``TryAgain`` when the title has just been told to be protected otherwise.
    """
    asset = assets.by_id(db, job.asset_id)
    package = units.result(db, job.id, "package") or {}
    entries = list(_installed(db, storage, settings, job, asset))
    _illustrate(db, storage, job, asset.title_id)
    with write(db):
        if not protection.as_wished(db, settings, job, asset):
            raise TryAgain(
                "install.otherwise", "The title is to be protected otherwise now."
            )
        tracks.replace(db, asset.id, entries, _REPLACED[job.kind])
        assets.installed(db, asset.id, package["duration"])
        _event(db, asset, entries)
        states.processed(db, SYSTEM, asset.title_id, package["duration"])
        protection.retire_others(db, asset, _kids(entries))
        sessions.end_of_asset(db, SYSTEM, asset.id, StopReason.REPLACED)
        if job.publish_when_done:
            _publish(db, asset.title_id)
        transitions.slim(db, job.id)
        jobs.finish(db, job)
    clear_up(db, storage, job, job.public_id)


def clear_up(
    db: Database, storage: Storage, job: Job | None, job_public_id: str
) -> None:
    """Remove what a job that ended leaves behind: older tracks, then its scratch.

    In this order, so that whoever was killed in between is seen by the scratch.
    """
    if job is not None and storage.path(attempts.WORK / job_public_id).exists():
        _remove_unlisted(db, storage, assets.by_id(db, job.asset_id))
    attempts.throw_away(storage, job_public_id)


def _remove_unlisted(db: Database, storage: Storage, asset: Asset) -> None:
    """Remove tracks of an asset that no row names, unless a job is bringing them."""
    if jobs.open_of_asset(db, asset.id) is not None:
        return
    listed = {track.public_id for track in tracks.of_asset(db, asset.id)}
    place = f"packages/{asset.public_id}/tracks"
    for folder in storage.path(place).glob("*"):
        if folder.name not in listed:
            storage.remove(f"{place}/{folder.name}")


def _event(db: Database, asset: Asset, entries: list[dict[str, Any]]) -> None:
    record(
        db,
        SYSTEM,
        Event.ASSET_INSTALL,
        f"asset/{asset.public_id}",
        tracks=len(entries),
        bytes=sum(entry["bytes"] for entry in entries),
        encrypted=bool(_kids(entries)),
    )


def _kids(entries: list[dict[str, Any]]) -> set[str]:
    return {entry["kid"] for entry in entries if entry.get("kid")}


def _installed(
    db: Database, storage: Storage, settings: Settings, job: Job, asset: Asset
) -> Iterator[dict[str, Any]]:
    """Move every track folder and yield its entry with the path it has now."""
    for unit, found in _reports(db, job):
        schemes = [track.get("scheme") for track in found]
        as_films = films.just_in_time(settings, schemes)
        for track in found:
            path = f"packages/{asset.public_id}/tracks/{track['id']}"
            if as_films and track["kind"] in (TrackKind.VIDEO, TrackKind.AUDIO):
                yield films.install(storage, job, track, path)
                continue
            made = attempts.done_place(job.public_id, unit) / track["folder"]
            storage.commit(made, path)
            yield {**track, "path": path}


def _reports(db: Database, job: Job) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    package = units.result(db, job.id, "package") or {}
    yield "package", package["tracks"]
    if job.kind is JobKind.INGEST:
        yield "thumbnails", [units.result(db, job.id, "thumbnails") or {}]


def _illustrate(db: Database, storage: Storage, job: Job, title_id: int) -> None:
    """Give a title without pictures the best frame, and the others to choose from."""
    title = titles.by_id(db, title_id)
    best = sorted(_candidates(db, storage, job), key=lambda each: -each.score)
    known = {each.seconds for each in artwork.candidates(db, title_id)}
    for each in best:
        if each.seconds not in known:
            _add(db, storage, title_id, ArtworkKind.CANDIDATE, each)
    if best and title.poster is None:
        _add(db, storage, title_id, ArtworkKind.POSTER, best[0])
    if best and title.backdrop is None:
        _add(db, storage, title_id, ArtworkKind.BACKDROP, best[0])


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


def _publish(db: Database, title_id: int) -> None:
    """Publish as was asked; an archived title stays where somebody put it since."""
    with suppress(Conflict):
        states.publish(db, SYSTEM, titles.by_id(db, title_id).slug)
