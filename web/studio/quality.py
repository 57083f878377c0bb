"""Quality reports in the Studio: what was found of a film, and who lets it pass."""

from io import BytesIO

from flask import flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.errors import Forbidden, InvalidInput
from appliance.media import assets, jobs, quality, quality_pdf, reviews
from appliance.media import quality_document as words
from appliance.media.jobs import JobKind
from appliance.media.quality import Review, Verdict
from appliance.media.quality_chart import chart
from appliance.permissions import Action, check_title
from jobs.making import recheck
from web import context, guard
from web.studio import forms

_MOST = 200
_DONE = {
    Review.APPROVED: "“{name}” is approved.",
    Review.REJECTED: "“{name}” is rejected.",
}


@guard.needs(Action.STUDIO_SEE)
def index() -> str:
    """List the reports of what is served."""
    verdict, review = forms.one_of(Verdict, "verdict"), forms.one_of(Review, "review")
    found = quality.listing(
        context.db(), context.actor(), verdict=verdict, review=review, limit=_MOST
    )
    return render_template(
        "studio/quality_reports.html",
        reports=found,
        verdict=verdict,
        review=review,
        verdicts=words.VERDICTS,
    )


@guard.needs(Action.STUDIO_SEE)
def page(slug: str) -> str:
    return _page(_editable(slug))


@guard.needs(Action.REVIEW_DECIDE)
def review(slug: str) -> str | Response | tuple[str, int]:
    """Approve or reject the version that the form was made for."""
    title = _editable(slug)
    _, asset, _ = quality.of_title(context.db(), context.actor(), slug)
    decided = request.form.get("decision", "")
    decision = Review(decided) if decided in _DONE else Review.NONE
    try:
        reviews.review(
            context.db(),
            context.settings(),
            context.actor(),
            asset,
            _version(),
            decision,
            request.form.get("comment", ""),
        )
    except (InvalidInput, Forbidden) as error:
        return _page(title, error.message), error.status
    flash(_DONE[decision].format(name=title.name), "ok")
    return redirect(url_for("studio.quality", slug=slug))


@guard.needs(Action.STUDIO_SEE)
def check(slug: str) -> Response:
    """Let the film be checked again."""
    job = recheck.start(context.db(), context.settings(), context.actor(), slug)
    flash("The film is being checked again.", "ok")
    return redirect(url_for("studio.job", job=job.public_id))


@guard.needs(Action.STUDIO_SEE)
def pdf(slug: str) -> Response:
    _editable(slug)
    title, asset, found = quality.of_title(context.db(), context.actor(), slug)
    return send_file(
        BytesIO(quality_pdf.render(title, asset, found)),
        mimetype="application/pdf",
        as_attachment=True,
        download_name=f"{title.slug}-quality-{found.version}.pdf",
    )


def _editable(slug: str) -> Title:
    title = titles.by_slug(context.db(), context.actor(), slug)
    if not context.actor().may(Action.REVIEW_DECIDE):
        check_title(context.actor(), title.created_by)
    return title


def _version() -> int:
    text = request.form.get("version", "")
    if not text.isdecimal():
        raise InvalidInput("quality.version", "The form lacks its version: reload it.")
    return int(text)


def _page(title: Title, problem: str = "") -> str:
    db, settings, actor = context.db(), context.settings(), context.actor()
    asset = assets.playable(db, title.id)
    found = quality.latest(db, asset) if asset else None
    return render_template(
        "studio/quality.html",
        title=title,
        asset=asset,
        report=found,
        earlier=[
            each
            for each in (quality.of_asset(db, asset.id) if asset else [])
            if found is None or each.version != found.version
        ],
        chart=chart(found.report) if found else None,
        words=words,
        problem_found=problem,
        comment=request.form.get("comment", ""),
        hindered=reviews.hindered(db, settings, actor, asset) if asset else "",
        waits=settings.quality.review,
        checking=jobs.making(db, asset.id, {JobKind.QUALITY}) if asset else None,
    )
