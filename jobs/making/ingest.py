"""Making a film of a source: of a new asset's, or of one that replaces another's.

First somebody looks at the source; then, where that is wished, samples of it are
encoded; only then is it known what to make.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from appliance.db import write
from appliance.media import assets, jobs, units
from appliance.media.assets import Asset
from appliance.media.jobs import Job, JobKind
from jobs.machines import nodes
from jobs.making import protection
from jobs.making.kinds import Due
from jobs.planning import plan, policy
from jobs.planning.ladder import LadderPolicy
from jobs.planning.plan import ANALYSE, INSPECT, Means, NewUnit, Wanted


def planned(due: Due) -> list[NewUnit] | None:
    """Return the units that come next; None while keys are asked for."""
    film = source_of(due.job, due.asset)
    if not due.done:
        return plan.first(film)
    if "package" in due.done:
        return []
    facts = units.result(due.db, due.job.id, INSPECT) or {}
    wishes = policy.for_asset(due.db, due.settings, due.asset)
    if ANALYSE not in due.done and _samples_first(due, wishes):
        spec = policy.analyse_spec(film, facts, wishes)
        return plan.second(spec, facts, due.done)
    analysis = units.result(due.db, due.job.id, ANALYSE)
    everything = plan.wanted(facts, wishes, analysis)
    wanted = plan.quick(everything) if _quick(due, wishes) else everything
    keys = keys_for(due, wanted)
    if keys is None:
        return None
    means = Means(due.settings, wishes, families(due), keys.encryption)
    with write(due.db):
        if due.job.kind is JobKind.INGEST:
            _remember(due, facts, analysis)
        if wanted is not everything:
            jobs.note(due.db, due.job, quick=True)
    return plan.units(film, facts, wanted, means, due.done)


def source_of(job: Job, asset: Asset) -> Asset:
    """Return the asset with the source that the job works on."""
    if job.kind is not JobKind.REPLACE:
        return asset
    request = job.request
    return replace(
        asset,
        source_path=request["source_path"],
        source_name=request["source_name"],
        source_bytes=request["source_bytes"],
        source_sha256=request["source_sha256"],
        source_removed_at=None,
        facts=None,
        analysis=None,
    )


def _quick(due: Due, wishes: LadderPolicy) -> bool:
    """Say whether a small rendition comes first, and the others by a second job.

    Only where there is nothing to watch yet.
    """
    first = due.job.kind is JobKind.INGEST and not due.asset.version
    return wishes.quick_first and first


def keys_for(due: Due, wanted: Wanted) -> protection.Spec | None:
    """Return what units are told about encryption; None while keys are asked for."""
    needed = protection.labels(wanted.heights, sound=bool(wanted.sounds))
    return protection.spec(due.db, due.settings, due.job, due.asset, needed, due.errand)


def families(due: Due) -> Mapping[str, str]:
    """Return whose circuits encode a codec, by what the media workers announce."""
    now = due.db.clock.now().timestamp()
    return {
        str(codec): str(family)
        for codec, family in nodes.families(due.storage, now).items()
    }


def _samples_first(due: Due, wishes: LadderPolicy) -> bool:
    return wishes.per_title and not _quick(due, wishes)


def _remember(
    due: Due, facts: dict[str, Any], analysis: Mapping[str, Any] | None
) -> None:
    assets.inspected(due.db, due.asset.id, facts, facts.get("sha256"))
    if analysis is not None:
        assets.analysed(due.db, due.asset.id, analysis)
