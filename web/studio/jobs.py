"""Jobs in the Studio: what is being worked on, how far it is, and why it failed."""

import dataclasses
import time

from flask import flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.catalog import titles
from appliance.errors import InvalidInput
from appliance.media import job_control, jobs, pieces, reports, units
from appliance.media.jobs import JobState
from appliance.media.reports import JobReport
from appliance.permissions import Action
from jobs import queue, staffing
from jobs.encoders import degrading
from jobs.machines import nodes
from jobs.staffing import Lack
from web import context, guard
from web.studio import forms

_MOST = 200


@guard.needs(Action.STUDIO_SEE)
def index() -> str:
    db, state = context.db(), forms.one_of(JobState, "state")
    found = reports.listing(db, context.actor(), state=state, limit=_MOST)
    sees = context.actor().may(Action.NODE_MANAGE)
    return render_template(
        "studio/jobs.html",
        reports=found,
        machines=nodes.listing(context.storage(), time.time()) if sees else [],
        lines=units.lines(db),
        state=state,
        degraded=_degraded(),
        lacks=_hindrances(),
    )


@guard.needs(Action.STUDIO_SEE)
def show(job: str) -> str:
    report = _visible(job)
    return render_template(
        "studio/job.html",
        report=report,
        degraded=_degraded(),
        lacks=_hindrances(job),
        pieces=pieces.of_job(context.db(), job),
        limits=(job_control.LEAST_PRIORITY, job_control.MOST_PRIORITY),
    )


@guard.needs(Action.STUDIO_SEE)
def as_json(job: str) -> Response:
    return jsonify(dataclasses.asdict(_visible(job)))


@guard.needs(Action.JOB_CONTROL)
def retry(job: str) -> Response:
    jobs.retry(context.db(), context.actor(), job)
    queue.wake(context.settings(), job)
    flash("The job starts again, from the last finished piece.", "ok")
    return redirect(url_for("studio.job", job=job))


@guard.needs(Action.JOB_CONTROL)
def confirm_cancelling(job: str) -> str:
    return render_template("studio/cancel.html", report=_visible(job))


@guard.needs(Action.JOB_CONTROL)
def cancel(job: str) -> Response:
    jobs.cancel(context.db(), context.actor(), job)
    queue.wake(context.settings(), job)
    flash("The job is cancelled. The source is kept.", "ok")
    return redirect(url_for("studio.job", job=job))


def _hindrances(job: str = "") -> list[Lack]:
    return staffing.hindrances(context.db(), context.storage(), context.settings(), job)


def _degraded() -> list[str]:
    """Say which encoders failed, where films take longer for it."""
    now = context.db().clock.now().timestamp()
    return degrading.sentences(context.storage(), now)


@guard.needs(Action.JOB_CONTROL)
def pause(job: str) -> Response:
    job_control.pause(context.db(), context.actor(), job)
    queue.wake(context.settings(), job)
    flash("The job is paused: what runs ends, and nothing more is begun.", "ok")
    return redirect(url_for("studio.job", job=job))


@guard.needs(Action.JOB_CONTROL)
def resume(job: str) -> Response:
    job_control.resume(context.db(), context.actor(), job)
    queue.wake(context.settings(), job)
    flash("The job goes on.", "ok")
    return redirect(url_for("studio.job", job=job))


@guard.needs(Action.JOB_CONTROL)
def prioritise(job: str) -> Response:
    wanted = request.form.get("priority", type=int)
    if wanted is None:
        raise InvalidInput("job.priority", "A priority is a whole number.")
    job_control.prioritise(context.db(), context.actor(), job, wanted)
    flash("The priority is changed.", "ok")
    return redirect(url_for("studio.job", job=job))


def _visible(job: str) -> JobReport:
    """Return the report of a job whose title the actor may see, else ``NotFound``."""
    report = reports.report(context.db(), job)
    titles.by_slug(context.db(), context.actor(), report.title_slug)
    return report
