"""Check an installed film again: after a doubt, or because it was made before reports.

It is what is served that is looked at, opened with its keys in memory. A film that is
broken gets a report that says so; the job fails only when it could not look.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from appliance.catalog import titles
from appliance.db import Database, write
from appliance.errors import Conflict
from appliance.media import assets, jobs, quality, tracks, transitions, units
from appliance.media.assets import Asset
from appliance.media.jobs import Job, JobKind
from appliance.media.tracks import Place, Track, TrackKind
from appliance.permissions import Actor, check_title
from appliance.settings import Settings
from jobs import queue
from jobs.making import reencrypt
from jobs.making.encryption import sealed_keys
from jobs.making.kinds import Due, Kind
from jobs.planning import plan_checks, plan_reencryption, policy, sounds
from jobs.planning.plan import NewUnit
from jobs.planning.source import Source, from_facts

VERIFY = "verify"
_WEIGHT = 1 / 20


def start(db: Database, settings: Settings, actor: Actor, slug: str) -> Job:
    """Let the film of a title be checked again; return the job.

    Errors: ``NotFound``, ``Forbidden``; ``Conflict`` when there is no film, when it
    lies in the object storage, or while another job changes it.
    """
    title = titles.by_slug(db, actor, slug)
    check_title(actor, title.created_by)
    with write(db):
        asset = assets.playable(db, title.id)
        if asset is None:
            raise Conflict("quality.no-film", f"“{title.name}” has no film yet.")
        _require_here(tracks.of_asset(db, asset.id), slug)
        jobs.refuse_second(db, asset.id)
        under_way = jobs.making(db, asset.id, {JobKind.QUALITY})
        if under_way is not None:
            return under_way
        request = {"version": asset.version}
        job = jobs.create(db, actor, asset.id, kind=JobKind.QUALITY, request=request)
    queue.wake(settings, job.public_id)
    return job


def planned(due: Due) -> list[NewUnit] | None:
    """Return the one unit there is."""
    if due.done:
        return []
    served = tracks.of_asset(due.db, due.asset.id)
    _require_here(served, titles.by_id(due.db, due.asset.title_id).slug)
    spec = _spec(due.db, due.settings, due.job, due.asset, served)
    weight = 1 + (due.asset.duration or 0.0) * _WEIGHT
    return [NewUnit(VERIFY, VERIFY, (), round(weight, 3), spec, 0)]


def install(due: Due) -> None:
    """Keep the report, unless the film was replaced meanwhile."""
    found = units.result(due.db, due.job.id, VERIFY) or {}
    with write(due.db):
        version = assets.by_id(due.db, due.asset.id).version
        if version == due.job.request["version"]:
            quality.record(due.db, due.asset.id, version, found)
        transitions.slim(due.db, due.job.id)
        jobs.finish(due.db, due.job)


def _spec(
    db: Database, settings: Settings, job: Job, asset: Asset, served: Sequence[Track]
) -> dict[str, Any]:
    pictures = [each for each in served if each.kind is TrackKind.VIDEO]
    if not pictures:
        raise Conflict("quality.no-film", "This film has no picture.")
    used = {each.kid for each in served if each.kid}
    keys = reencrypt.opening_keys(db, settings, asset, used)
    source = from_facts(asset.facts) if asset.facts is not None else None
    before = quality.latest(db, asset)
    checks = plan_checks.of_source(
        asset.source_path,
        source,
        _streams(source, served),
        settings,
        normalised=policy.for_asset(db, settings, asset).normalise,
    )
    return checks | {
        "grid": plan_reencryption.grid(pictures[0]).as_spec(),
        "tracks": [_entry(each) for each in served],
        "sealed": sealed_keys(keys, settings.keys, job.public_id) if keys else None,
        "gains": _gains(before.report if before else {}),
    }


def _streams(source: Source | None, served: Sequence[Track]) -> dict[str, int]:
    """Return which stream of the source each sound was made of: names say it."""
    if source is None:
        return {}
    made = {
        each.unit: each.stream.number
        for each in sounds.of_source(source.sounds, surround=True)
    }
    return {
        each.public_id: made[each.name]
        for each in served
        if each.kind is TrackKind.AUDIO and each.name in made
    }


def _gains(report: Mapping[str, Any]) -> dict[str, float]:
    """Return by how much sounds were made louder when they were made, by name."""
    return {
        each["name"]: each["gain"]
        for each in report.get("tracks", [])
        if each.get("gain")
    }


def _entry(track: Track) -> dict[str, Any]:
    """Return what packaging reported of a track, with the place it has now."""
    return {name: value for name, value in _fields(track) if value is not None}


def _fields(track: Track) -> Iterator[tuple[str, Any]]:
    yield "id", track.public_id
    yield "kind", track.kind.value
    for name in (
        *("name", "path", "codec", "language", "label", "role", "width", "height"),
        *("frame_rate", "channels", "bandwidth", "average_bandwidth", "bytes"),
        *("facts", "kid"),
    ):
        yield name, getattr(track, name)


def _require_here(served: Sequence[Track], slug: str) -> None:
    """Refuse while tracks lie in the object storage: workers read the disk."""
    if any(each.place is not Place.LOCAL for each in served):
        raise Conflict(
            "quality.elsewhere",
            "This film lies in the object storage: bring it here first with"
            f" `matinee storage move {slug} --to local`.",
        )


KIND = Kind(planned, install)
