"""Making only what a film lacks: a rendition, a codec, a sound, captions.

What is wished, by the policy or by somebody, is compared with the tracks that are
served. The rest is encoded from the source, packaged alone, cut and encrypted as what
is there, and served beside it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from appliance.catalog import titles
from appliance.db import Database, write
from appliance.errors import Conflict, InvalidInput
from appliance.events import Event, record
from appliance.media import assets, jobs, tracks, units
from appliance.media.assets import Asset
from appliance.media.jobs import JobKind
from appliance.media.tracks import Track, TrackKind
from appliance.permissions import Actor, check_title
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import queue
from jobs.making import ingest, install, protection
from jobs.making.kinds import Due
from jobs.planning import plan, plan_reencryption, policy
from jobs.planning.ladder import AV1, H264, HEVC, LadderPolicy, Rendition, chosen
from jobs.planning.plan import ANALYSE, Means, NewUnit, Wanted

CODECS = (H264, HEVC, AV1)
_SPOKEN: Mapping[str, str] = {
    "avc1": H264,
    "avc3": H264,
    "hvc1": HEVC,
    "hev1": HEVC,
    "av01": AV1,
}


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants; without any wish all that the policy says.

    ``captions`` are those of the source, which are made again only when asked for:
    somebody may have removed them. With ``illustrate`` storyboard and poster are made
    of the new renditions, which are larger than what there was.
    """

    codecs: tuple[str, ...] = ()
    heights: tuple[int, ...] = ()
    audio: bool = False
    captions: bool = False
    illustrate: bool = False

    @classmethod
    def read(cls, request: Mapping[str, Any]) -> "Request":
        """Read what a job was asked for."""
        return cls(
            codecs=tuple(request.get("codecs", ())),
            heights=tuple(request.get("heights", ())),
            audio=bool(request.get("audio")),
            captions=bool(request.get("captions")),
            illustrate=bool(request.get("illustrate")),
        )

    @property
    def pictures(self) -> bool:
        return bool(self.codecs or self.heights)

    @property
    def everything(self) -> bool:
        return not (self.pictures or self.audio or self.captions)


def start(
    db: Database,
    storage: Storage,
    settings: Settings,
    actor: Actor,
    slug: str,
    request: Request,
) -> str:
    """Let what the film of a title lacks be made; return the job.

    Errors: ``NotFound``; ``Forbidden``; ``InvalidInput``; ``Conflict`` when there is no
    film, when it lacks nothing, when its source was removed or another job changes it;
    ``StorageFull``.
    """
    title = titles.by_slug(db, actor, slug)
    check_title(actor, title.created_by)
    with write(db):
        asset = assets.playable(db, title.id)
        if asset is None:
            raise Conflict(
                "supplement.no-film", f"“{title.name}” has no film yet: upload one."
            )
        assets.require_source(asset)
        lacking = names(missing(db, settings, asset, request))
        if not lacking:
            raise Conflict(
                "supplement.complete", f"“{title.name}” has all of that already."
            )
        # What is added is at most as large as the source, and as much again while it
        # is made.
        storage.require_room(2 * asset.source_bytes)
        job = jobs.create(
            db, actor, asset.id, kind=JobKind.SUPPLEMENT, request=asdict(request)
        )
        record(
            db,
            actor,
            Event.ASSET_SUPPLEMENT,
            f"asset/{asset.public_id}",
            job=job.public_id,
            adds=lacking,
        )
    queue.wake(settings, job.public_id)
    return job.public_id


def missing(db: Database, settings: Settings, asset: Asset, request: Request) -> Wanted:
    """Return what a film lacks of what is wished, by what is known of it now.

    Errors: ``Conflict`` when nothing is known of its source; ``InvalidInput`` for a
    wish that its source can't give.
    """
    return _missing(
        tracks.of_asset(db, asset.id),
        _facts(asset),
        _wishes(policy.for_asset(db, settings, asset), request),
        asset.analysis,
        request,
    )


def names(wanted: Wanted) -> list[str]:
    """Return what people call the parts."""
    return [
        *(each.name for each in wanted.renditions),
        *(each.label for each in [*wanted.sounds, *wanted.captions]),
    ]


def planned(due: Due) -> list[NewUnit] | None:
    """Return the units that come next; None while keys are asked for.

    Errors: ``Conflict`` when the source was removed.
    """
    if "package" in due.done:
        return []
    asset, request = due.asset, Request.read(due.job.request)
    assets.require_source(asset)
    facts = _facts(asset)
    wishes = _wishes(policy.for_asset(due.db, due.settings, asset), request)
    served = tracks.of_asset(due.db, asset.id)
    _refuse_outdated(due, served)
    analysis = _merged(asset.analysis, units.result(due.db, due.job.id, ANALYSE))
    wanted = _missing(served, facts, wishes, analysis, request)
    if not names(wanted):
        return []
    if wishes.per_title and not due.done and _unknown(wanted, analysis):
        spec = policy.analyse_spec(asset, facts, wishes)
        return plan.second(spec, facts, due.done)
    keys = _keys(due, wanted, served)
    if keys is None:
        return None
    if analysis is not None:
        assets.analysed(due.db, asset.id, analysis)
    jobs.note(due.db, due.job, beside=_media(served))
    means = Means(due.settings, wishes, ingest.families(due), keys.encryption)
    return plan.units(asset, facts, wanted, means, due.done)


def finish(due: Due) -> None:
    """Serve what was made beside the rest; samples may have shown it needless.

    Errors: ``Conflict`` when that is another film now, or has other keys.
    """
    if "package" in due.done:
        _refuse_outdated(due, tracks.of_asset(due.db, due.asset.id))
        install.install(due)
    else:
        jobs.finish(due.db, due.job)


def _refuse_outdated(due: Due, served: Sequence[Track]) -> None:
    """Refuse to go on beside other pictures and sounds than was planned.

    A job that failed may be tried again after the film was replaced.
    """
    beside = due.job.request.get("beside")
    if beside is not None and beside != _media(served):
        raise Conflict(
            "supplement.outdated",
            "The film was changed since this was begun: ask for it once more.",
        )


def _media(served: Sequence[Track]) -> list[str]:
    kinds = (TrackKind.VIDEO, TrackKind.AUDIO)
    return sorted(track.public_id for track in served if track.kind in kinds)


def _facts(asset: Asset) -> dict[str, Any]:
    if asset.facts is None:
        raise Conflict(
            "supplement.unknown",
            "Nothing is known of the source of this film: replace the film.",
        )
    return asset.facts


def _wishes(found: LadderPolicy, request: Request) -> LadderPolicy:
    """Return the policy as somebody wants it this time."""
    unknown = set(request.codecs) - set(CODECS)
    if unknown:
        raise InvalidInput(
            "supplement.codec",
            f"There is no codec {', '.join(sorted(unknown))}: there are"
            f" {', '.join(CODECS)}.",
            {"field": "codecs"},
        )
    return replace(
        found,
        codecs=request.codecs or found.codecs,
        max_height=max((found.max_height, *request.heights)),
    )


def _missing(
    served: Sequence[Track],
    facts: Mapping[str, Any],
    wishes: LadderPolicy,
    analysis: Mapping[str, Any] | None,
    request: Request,
) -> Wanted:
    everything = plan.wanted(facts, wishes)
    renditions: list[Rendition] = []
    if request.pictures or request.everything:
        renditions = _renditions(everything, analysis, request)
    pictures = [track for track in served if track.kind is TrackKind.VIDEO]
    sounds = {track.name for track in served if track.kind is TrackKind.AUDIO}
    texts = {track.name for track in served if track.kind is TrackKind.TEXT}
    there = {(_codec(track), track.height) for track in pictures}
    return Wanted(
        renditions=[
            each for each in renditions if (each.codec, each.height) not in there
        ],
        sounds=[
            each
            for each in everything.sounds
            if (request.audio or request.everything) and each.unit not in sounds
        ],
        captions=[
            each
            for each in everything.captions
            if request.captions and each.unit not in texts
        ],
        storyboard=request.illustrate and bool(renditions),
        grid=plan_reencryption.grid(pictures[0]) if pictures else None,
    )


def _renditions(
    everything: Wanted, analysis: Mapping[str, Any] | None, request: Request
) -> list[Rendition]:
    """Return the renditions that are wished, whether they are there or not.

    What analysing the film found needless is made when somebody names its height.
    """
    if not request.heights:
        return chosen(everything.renditions, analysis)
    possible = {_nominal(each): each for each in everything.renditions}
    wrong = [each for each in request.heights if each not in possible]
    if wrong:
        raise InvalidInput(
            "supplement.height",
            f"This source gives no rendition of {wrong[0]} lines: it gives"
            f" {', '.join(map(str, possible))}.",
            {"field": "heights"},
        )
    return list(_as_analysed(everything, analysis, request))


def _as_analysed(
    everything: Wanted, analysis: Mapping[str, Any] | None, request: Request
) -> Iterator[Rendition]:
    for each in everything.renditions:
        if _nominal(each) in request.heights:
            yield next(iter(chosen([each], analysis)), each)


def _nominal(rendition: Rendition) -> int:
    """Return the height in its name: what people ask for."""
    return int(rendition.name.split("p")[0])


def _unknown(wanted: Wanted, analysis: Mapping[str, Any] | None) -> bool:
    """Say whether samples of the film could teach something of what is wanted."""
    said = {each["name"] for each in (analysis or {}).get("renditions", ())}
    return any(each.name not in said for each in wanted.renditions)


def _merged(
    before: Mapping[str, Any] | None, found: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """Return what is known of samples, with what was found of other renditions."""
    if before is None or found is None:
        known = found or before
        return None if known is None else dict(known)
    new = {each["name"] for each in found.get("renditions", ())}
    kept = [each for each in before.get("renditions", ()) if each["name"] not in new]
    return {**before, **found, "renditions": [*kept, *found.get("renditions", ())]}


def _keys(due: Due, wanted: Wanted, served: Sequence[Track]) -> protection.Spec | None:
    """Return what units are told about encryption: it is as that of what is served."""
    schemes = {track.scheme for track in served if track.scheme}
    needed = protection.labels(wanted.heights, sound=bool(wanted.sounds))
    title = titles.by_id(due.db, due.asset.title_id)
    wish = (
        protection.wish_of(title, due.settings, next(iter(schemes)))
        if schemes
        else None
    )
    return protection.spec_of(
        due.db, due.settings, due.job, due.asset, needed, due.errand, wish
    )


def _codec(track: Track) -> str:
    return _SPOKEN.get(track.codec.split(".")[0], H264)
