"""Encrypt the film of a title anew: after a leak, or because its protection changed.

The tracks that are served are opened and packaged again, with new keys or with none.
Viewers keep what they watch until the new tracks are in place; then their sessions
end, and the old keys open nothing more.
"""

from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.db import Database, write
from appliance.errors import Conflict, PreconditionFailed
from appliance.media import assets, jobs, tracks
from appliance.media.assets import Asset, AssetState
from appliance.media.jobs import Job, JobKind
from appliance.media.tracks import Place, Track, TrackKind
from appliance.permissions import Action, Actor, check, check_title
from appliance.protection import keys as content_keys
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import queue
from jobs.making import protection
from jobs.making.encryption import sealed_keys
from jobs.making.films import just_in_time
from jobs.making.kinds import Due
from jobs.planning import plan_reencryption
from jobs.planning.plan import NewUnit


def start(
    db: Database, storage: Storage, settings: Settings, actor: Actor, slug: str
) -> str:
    """Let the film of a title be encrypted as the title wants it now; return the job.

    A protected one gets new keys. One that lies otherwise than ``origin.mode`` says now
    comes to lie so. Every cut of the title that can be played gets a job, and the
    newest one's is returned; where one is under way already, that one.
    Errors: ``NotFound``, ``Forbidden``, ``Conflict`` when there is no film, when it is
    clear and stays so, or while another job changes it; ``StorageFull``.
    """
    title = titles.by_slug(db, actor, slug)
    with write(db):
        films = [
            each
            for each in assets.of_title(db, title.id)
            if each.state is AssetState.READY
        ]
        if not films:
            raise Conflict(
                "reencrypt.no-film",
                f"“{title.name}” has no film yet: it is encrypted when one is made.",
            )
        _check(db, settings, actor, title, films)
        _require_here(db, title, films)
        _require_room(db, storage, films)
        started = [_job(db, actor, film).public_id for film in films]
    for job in started:
        queue.wake(settings, job)
    return started[0]


def planned(due: Due) -> list[NewUnit] | None:
    """Return the units of the job; None while keys are asked for, [] for no work.

    Errors: ``ErrandFailed``; ``PreconditionFailed`` when the keys of the tracks that
    are served are lost.
    """
    if due.done:
        return []
    db, settings, job, asset = due.db, due.settings, due.job, due.asset
    media = _media(db, asset)
    used = {track.kid for track in media if track.kid}
    pictures = [each for each in media if each.kind is TrackKind.VIDEO]
    needed = protection.labels(
        [each.height or 0 for each in pictures], sound=len(media) > len(pictures)
    )
    found = protection.spec(db, settings, job, asset, needed, due.errand, used)
    if found is None:
        return None
    if found.encryption is None and not used and _lies_as_wished(settings, media):
        return []
    opens = opening_keys(db, settings, asset, used)
    text = sealed_keys(opens, settings.keys, job.public_id) if opens else None
    return plan_reencryption.units(media, text, found.encryption)


def _check(
    db: Database, settings: Settings, actor: Actor, title: Title, films: list[Asset]
) -> None:
    """Let editors change the protection of a title, and keepers of keys the keys."""
    wanted = protection.wish(title, settings)
    scheme = wanted.scheme if wanted else None
    media = [track for film in films for track in _media(db, film)]
    have = {track.scheme for track in media}
    stays = have == {scheme}
    if not stays or (wanted is None and not _lies_as_wished(settings, media)):
        check_title(actor, title.created_by)
    elif wanted is None:
        raise Conflict(
            "reencrypt.clear",
            f"“{title.name}” is not protected: there are no keys to replace.",
        )
    else:
        check(actor, Action.KEY_MANAGE)


def _require_here(db: Database, title: Title, films: list[Asset]) -> None:
    """Refuse while tracks lie in the object storage: workers read the disk."""
    media = [track for film in films for track in _media(db, film)]
    if any(track.place is not Place.LOCAL for track in media):
        raise Conflict(
            "reencrypt.elsewhere",
            f"“{title.name}” lies in the object storage: bring it here first with"
            f" `matinee storage move {title.slug} --to local`.",
        )


def _require_room(db: Database, storage: Storage, films: list[Asset]) -> None:
    """Refuse when the opened tracks and the new ones do not fit beside the old."""
    size = sum(track.bytes for film in films for track in _media(db, film))
    storage.require_room(2 * size)


def _job(db: Database, actor: Actor, film: Asset) -> Job:
    under_way = jobs.making(db, film.id)
    if under_way is not None and under_way.kind is JobKind.REENCRYPT:
        return under_way
    return jobs.create(db, actor, film.id, kind=JobKind.REENCRYPT)


def _media(db: Database, asset: Asset) -> list[Track]:
    return [
        track
        for track in tracks.of_asset(db, asset.id)
        if track.kind in (TrackKind.VIDEO, TrackKind.AUDIO)
    ]


def _lies_as_wished(settings: Settings, media: list[Track]) -> bool:
    """Say whether tracks lie packaged or as films, as this origin wants them now."""
    as_films = just_in_time(settings, [track.scheme for track in media])
    return all(("film" in track.facts) is as_films for track in media)


def opening_keys(
    db: Database, settings: Settings, asset: Asset, used: set[str]
) -> dict[str, str]:
    """Return the keys of the tracks by their KID, in hexadecimal."""
    found = content_keys.of_kids(db, settings, asset.id, used) if used else ()
    if len(found) < len(used):
        raise PreconditionFailed(
            "reencrypt.keys-lost",
            "The content keys of this film are no longer there, so it can’t be opened:"
            " import them with `matinee key import`, or upload the film again.",
        )
    return {key.kid: key.key.hex() for key in found}
