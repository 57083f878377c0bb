"""Jobs in the Studio: what is being worked on, how far it is, and why it failed."""

import dataclasses

from flask import flash, jsonify, redirect, render_template, url_for
from werkzeug.wrappers import Response

from appliance.catalog import titles
from appliance.media import jobs, reports
from appliance.media.jobs import JobState
from appliance.media.reports import JobReport
from appliance.permissions import Action
from jobs import queue
from web import context, guard
from web.studio import forms

_MOST = 200


@guard.needs(Action.STUDIO_SEE)
def index() -> str:
    db, state = context.db(), forms.one_of(JobState, "state")
    found = reports.listing(db, context.actor(), state=state, limit=_MOST)
    return render_template("studio/jobs.html", reports=found, state=state)


@guard.needs(Action.STUDIO_SEE)
def show(job: str) -> str:
    return render_template("studio/job.html", report=_visible(job))


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


def _visible(job: str) -> JobReport:
    """Return the report of a job whose title the actor may see, else ``NotFound``."""
    report = reports.report(context.db(), job)
    titles.by_slug(context.db(), context.actor(), report.title_slug)
    return report
