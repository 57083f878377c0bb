"""Captions by machine: a job that listens to a film and serves what was said.

It hears the sound that is served, so it needs no source. Nobody waits for it: a film is
published without, and captions come when they are there, marked as made by a machine.
"""

import logging
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from appliance.captions import languages
from appliance.captions.description import Origin
from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.db import Database, write
from appliance.errors import Conflict, InvalidInput, PreconditionFailed
from appliance.media import (
    assets,
    caption_switch,
    caption_tracks,
    jobs,
    tracks,
    transitions,
    units,
)
from appliance.media.assets import Asset
from appliance.media.jobs import Job, JobKind
from appliance.media.tracks import Place, Track, TrackKind
from appliance.permissions import SYSTEM, Actor, check_title
from appliance.settings import Settings
from jobs import attempts, queue
from jobs.making import reencrypt
from jobs.making.encryption import sealed_keys
from jobs.making.kinds import Due, Kind
from jobs.planning import plan_reencryption
from jobs.planning.plan import NewUnit
from jobs.queue import QueueName
from jobs.steps import audio
from jobs.steps.speech import not_known
from jobs.tools import whisper
from jobs.tools.whisper import Model

SOUND, SPEECH = "sound", "speech"
_OPENING_WEIGHT, _SPEECH_WEIGHT = 1 / 300, 0.1
_FIRST = ("main", "dub", "alternate")

logger = logging.getLogger(__name__)


def start(
    db: Database, settings: Settings, actor: Actor, slug: str, language: str = ""
) -> Job:
    """Let a machine write down what is said in a title's film; return the job.

    An empty ``language`` is that of the sound, or is found out.
    Errors: ``PreconditionFailed`` without a model; ``Conflict`` without a film or
    sound, while it lies elsewhere, or while somebody’s changes of earlier captions by
    machine have not been reviewed; ``InvalidInput`` for a language it does not know.
    """
    model = whisper.model(settings.speech)
    title = titles.by_slug(db, actor, slug)
    check_title(actor, title.created_by)
    film = assets.playable(db, title.id)
    if film is None:
        raise Conflict(
            "captions.no-film",
            f"“{title.name}” has no film yet: captions can be made when it has one.",
        )
    wanted = languages.tag(language) if language else ""
    sound = _require_sound(db, film, wanted)
    spoken = wanted or _spoken(sound, title)
    if spoken and not model.knows(spoken):
        raise InvalidInput("speech.language", not_known(spoken).message)
    with write(db):
        under_way = _under_way(db, film)
        if under_way is not None:
            return under_way
        _refuse_unreviewed(db, film, spoken)
        request = {"sound": sound.public_id, "language": spoken}
        job = jobs.create(db, actor, film.id, kind=JobKind.CAPTIONS, request=request)
    queue.wake(settings, job.public_id)
    return job


def usable(settings: Settings) -> Model | None:
    """Return the model for films that were just made; None where none is wished.

    It takes a moment the first time: the model is read to compare its hash.
    """
    if not settings.speech.automatic:
        return None
    try:
        return whisper.model(settings.speech)
    except PreconditionFailed as error:
        logger.warning("no captions are made: %s", error.message)
        return None


def after_install(db: Database, film: Asset, model: Model | None) -> None:
    """Caption a film that was just made, where it has none in its language."""
    served = tracks.of_asset(db, film.id)
    sound = _sound(served, "")
    if model is None or sound is None or _under_way(db, film):
        return
    spoken = _spoken(sound, titles.by_id(db, film.title_id))
    captioned = any(
        not spoken or languages.same(each.language, spoken)
        for each in served
        if each.kind is TrackKind.TEXT
    )
    if captioned or (spoken and not model.knows(spoken)):
        return
    request = {"sound": sound.public_id, "language": spoken}
    jobs.create(db, SYSTEM, film.id, kind=JobKind.CAPTIONS, request=request)


def planned(due: Due) -> list[NewUnit] | None:
    """Return the units: one that opens the sound, and one that listens."""
    if due.done:
        return []
    served = tracks.of_asset(due.db, due.asset.id)
    sound = next(
        (each for each in served if each.public_id == due.job.request["sound"]),
        _sound(served, due.job.request["language"]),
    )
    picture = next((each for each in served if each.kind is TrackKind.VIDEO), None)
    if sound is None or picture is None:
        raise PreconditionFailed("speech.silent", "This film has no sound any more.")
    _require_here(sound)
    duration = due.asset.duration or 0.0
    used = {sound.kid} if sound.kid else set()
    keys = reencrypt.opening_keys(due.db, due.settings, due.asset, used)
    opening = {
        "grid": plan_reencryption.grid(picture).as_spec(),
        "sealed": sealed_keys(keys, due.settings.keys, due.job.public_id)
        if keys
        else None,
        "tracks": [plan_reencryption.opened(sound, audio.FILE)],
    }
    listening = {
        "id": secrets.token_hex(8),
        "unit": SOUND,
        "language": due.job.request["language"],
        "duration": duration,
        "speech": asdict(due.settings.speech),
    }
    return [
        NewUnit(SOUND, "decrypt", (), duration * _OPENING_WEIGHT, opening, 0),
        NewUnit(
            *(SPEECH, SPEECH, (SOUND,), 1 + duration * _SPEECH_WEIGHT, listening, 1),
            queue=QueueName.SPEECH,
        ),
    ]


def install(due: Due) -> None:
    """Serve what was heard; where nothing was said there is nothing to serve."""
    report = units.result(due.db, due.job.id, SPEECH) or {}
    entry = _installed(due, report.get("track"))
    with write(due.db):
        if entry is not None:
            caption_switch.put_machine_made(
                due.db, SYSTEM, due.asset, entry, due.job.public_id
            )
        transitions.slim(due.db, due.job.id)
        jobs.finish(due.db, due.job)


KIND = Kind(planned, install)


def _installed(due: Due, track: dict[str, Any] | None) -> dict[str, Any] | None:
    if track is None:
        return None
    made = attempts.done_place(due.job.public_id, SPEECH) / track["folder"]
    path = caption_tracks.path(due.asset, track["id"])
    due.storage.commit(made, path)
    return {**track, "path": path}


def _under_way(db: Database, film: Asset) -> Job | None:
    return jobs.making(db, film.id, {JobKind.CAPTIONS})


def _require_sound(db: Database, film: Asset, language: str) -> Track:
    sound = _sound(tracks.of_asset(db, film.id), language)
    if sound is None:
        raise Conflict("speech.silent", "This film has no sound to listen to.")
    _require_here(sound)
    return sound


def _require_here(sound: Track) -> None:
    if sound.place is not Place.LOCAL:
        raise Conflict(
            "speech.elsewhere",
            "The sound lies in the object storage: bring the film here first with"
            " `matinee storage move`.",
        )


def _sound(served: Sequence[Track], language: str) -> Track | None:
    """Return the sound to listen to: of a language, else what plays first."""
    heard = [
        each for each in served if each.kind is TrackKind.AUDIO and each.role in _FIRST
    ]
    fitting = [each for each in heard if languages.same(each.language, language)]
    # Of a sound that is kept in 5.1 as well the voices are clearer in the stereo.
    ranked = sorted(
        fitting or heard, key=lambda each: (_FIRST.index(each.role), each.channels or 2)
    )
    return ranked[0] if ranked else None


def _spoken(sound: Track, title: Title) -> str:
    known = sound.language not in ("", languages.UNKNOWN, "mul", "zxx", "mis")
    return sound.language if known else title.language


def _refuse_unreviewed(db: Database, film: Asset, language: str) -> None:
    """Refuse while somebody works on captions by machine: they’d have them twice."""
    for track in caption_switch.of_film(db, film):
        held = caption_tracks.held(track)
        same = not language or languages.same(held.language, language)
        if held.origin is Origin.AUTO and held.auto and held.changed_by and same:
            raise Conflict(
                "captions.unreviewed",
                f"{held.changed_by} has changed the captions “{held.label}”, which"
                " nobody has reviewed yet: review or remove them first.",
            )
