"""Where a title stands, who moved it when, and its review."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.catalog import duplicates, reviewing, sieve, titles
from appliance.catalog.titles import Title
from appliance.errors import Conflict, Forbidden, InvalidInput
from appliance.events import of_subject
from appliance.permissions import Action, check_title
from web import context, guard

Answer = str | Response | tuple[str, int]
_ACTS = ("ask", "approve", "reject")


@guard.needs(Action.STUDIO_SEE)
def page(slug: str) -> str:
    return _page(_editable(slug))


@guard.needs(Action.STUDIO_SEE)
def review(slug: str) -> Answer:
    """Ask for a review, approve, or send back with a note."""
    db, settings, actor = context.db(), context.settings(), context.actor()
    note, act = request.form.get("note", ""), request.form.get("act", "")
    try:
        if act == "ask":
            reviewing.ask(db, actor, slug, note)
            flash(_("Others are asked to look at it."), "ok")
        elif act == "approve":
            reviewing.approve(db, settings, actor, slug, note)
            flash(_("Approved."), "ok")
        elif act == "reject":
            reviewing.send_back(db, actor, slug, note)
            flash(_("Sent back with your note."), "ok")
        else:
            raise InvalidInput("review.act", _("Approve it or send it back."))
    except (InvalidInput, Conflict, Forbidden) as error:
        return _page(_editable(slug), error), error.status
    return redirect(url_for("studio.title_history", slug=slug))


def _page(
    title: Title, error: InvalidInput | Conflict | Forbidden | None = None
) -> str:
    db, actor = context.db(), context.actor()
    steps = reviewing.of_title(db, title.id)
    asked = next((each for each in steps if each.decision == "asked"), None)
    own = asked is not None and asked.account_id == actor.account_id
    return render_template(
        "studio/history.html",
        title=title,
        stage=sieve.stage_of(db, title.id),
        steps=steps,
        four_eyes=context.settings().studio.four_eyes,
        may_approve=actor.may(Action.TITLE_PUBLISH)
        and not (own and context.settings().studio.four_eyes),
        twins=duplicates.of_title(db, actor, title),
        events=of_subject(db, f"title/{title.public_id}"),
        note=request.form.get("note", "") if error else "",
        error=error,
    )


def _editable(slug: str) -> Title:
    title = titles.by_slug(context.db(), context.actor(), slug)
    check_title(context.actor(), title.created_by)
    return title
