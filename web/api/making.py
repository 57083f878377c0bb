"""The work on films: jobs, what a film lacks, and what it was before."""

import dataclasses
from collections.abc import Callable
from typing import Any

from appliance.catalog import titles
from appliance.db import Database
from appliance.errors import Conflict
from appliance.media import assets, job_control, jobs, pieces, reports, versions
from appliance.media.assets import Asset
from appliance.media.jobs import Job
from appliance.permissions import Actor, check_title
from jobs import queue, staffing
from jobs.making import supplement
from jobs.making.supplement import Request
from web import context
from web.api import making_schemas
from web.api.endpoint import CONTROL, STUDIO, Endpoint


def list_jobs(query: dict[str, Any]) -> dict[str, Any]:
    """List the jobs of the titles that the caller sees, the newest first."""
    db, actor = context.db(), context.actor()
    found = reports.listing(db, actor, state=query.get("state"), limit=query["limit"])
    return {"jobs": [dataclasses.asdict(each) for each in found]}


def show_job(job: str) -> dict[str, Any]:
    """Show how far a job is."""
    report = reports.report(context.db(), job)
    titles.by_slug(context.db(), context.actor(), report.title_slug)
    return dataclasses.asdict(report)


def list_units(job: str) -> dict[str, Any]:
    """List the work units of a job, and which machine did each."""
    show_job(job)
    db = context.db()
    return {
        "units": [dataclasses.asdict(each) for each in pieces.of_job(db, job)],
        "lacks": [
            dataclasses.asdict(each)
            for each in staffing.hindrances(
                *(db, context.storage(), context.settings(), job)
            )
        ],
    }


def pause_job(job: str) -> dict[str, Any]:
    """Let a job hand out no more work."""
    return _controlled(job_control.pause, job)


def resume_job(job: str) -> dict[str, Any]:
    """Let a paused job go on."""
    return _controlled(job_control.resume, job)


def retry_job(job: str) -> dict[str, Any]:
    """Try a job again that failed or was cancelled."""
    return _controlled(jobs.retry, job)


def cancel_job(job: str) -> dict[str, Any]:
    """Stop a job; its source is kept."""
    return _controlled(jobs.cancel, job)


def prioritise_job(body: dict[str, Any], job: str) -> dict[str, Any]:
    """Let a job go before those of lower priority."""
    show_job(job)
    job_control.prioritise(context.db(), context.actor(), job, body["priority"])
    return show_job(job)


def show_lacking(slug: str) -> dict[str, Any]:
    """Say what the film of a title lacks of what its library wants."""
    found = supplement.missing(context.db(), context.settings(), _film(slug), Request())
    return {"adds": supplement.names(found), "job": None}


def add_lacking(body: dict[str, Any], slug: str) -> dict[str, Any]:
    """Make what the film of a title lacks; without a wish what its library wants."""
    request = Request.read(body)
    db, settings = context.db(), context.settings()
    found = supplement.missing(db, settings, _film(slug), request)
    job = supplement.start(
        db, context.storage(), settings, context.actor(), slug, request
    )
    return {"adds": supplement.names(found), "job": job}


def list_versions(slug: str) -> dict[str, Any]:
    """List what the film of a title was, the newest first."""
    found = versions.listing(context.db(), _film(slug))
    return {"versions": [dataclasses.asdict(each) for each in found]}


def restore_version(slug: str, number: int) -> dict[str, Any]:
    """Serve an older version of the film of a title again."""
    restored = versions.restore(
        context.db(), context.settings(), context.actor(), _film(slug), number
    )
    return dataclasses.asdict(restored)


def _controlled(
    verb: Callable[[Database, Actor, str], Job], job: str
) -> dict[str, Any]:
    show_job(job)
    verb(context.db(), context.actor(), job)
    queue.wake(context.settings(), job)
    return show_job(job)


def _film(slug: str) -> Asset:
    title = titles.by_slug(context.db(), context.actor(), slug)
    check_title(context.actor(), title.created_by)
    film = assets.playable(context.db(), title.id)
    if film is None:
        raise Conflict(
            "title.no-film", f"“{title.name}” has no film that can be played yet."
        )
    return film


ENDPOINTS = (
    Endpoint(
        "GET",
        "/jobs",
        list_jobs,
        STUDIO,
        takes=making_schemas.JobsQuery,
        gives=making_schemas.Jobs,
        place="query",
    ),
    Endpoint("GET", "/jobs/<job>", show_job, STUDIO, gives=making_schemas.Job),
    Endpoint(
        "GET", "/jobs/<job>/units", list_units, STUDIO, gives=making_schemas.Pieces
    ),
    Endpoint("POST", "/jobs/<job>/pause", pause_job, CONTROL, gives=making_schemas.Job),
    Endpoint(
        "POST", "/jobs/<job>/resume", resume_job, CONTROL, gives=making_schemas.Job
    ),
    Endpoint("POST", "/jobs/<job>/retry", retry_job, CONTROL, gives=making_schemas.Job),
    Endpoint(
        "POST", "/jobs/<job>/cancel", cancel_job, CONTROL, gives=making_schemas.Job
    ),
    Endpoint(
        "PUT",
        "/jobs/<job>/priority",
        prioritise_job,
        CONTROL,
        takes=making_schemas.Priority,
        gives=making_schemas.Job,
    ),
    Endpoint(
        "GET",
        "/titles/<slug>/supplement",
        show_lacking,
        STUDIO,
        gives=making_schemas.Lacking,
    ),
    Endpoint(
        "POST",
        "/titles/<slug>/supplement",
        add_lacking,
        STUDIO,
        takes=making_schemas.Supplement,
        gives=making_schemas.Lacking,
        status=202,
    ),
    Endpoint(
        "GET",
        "/titles/<slug>/versions",
        list_versions,
        STUDIO,
        gives=making_schemas.Versions,
    ),
    Endpoint(
        "POST",
        "/titles/<slug>/versions/<int:number>",
        restore_version,
        STUDIO,
        gives=making_schemas.Version,
    ),
)
