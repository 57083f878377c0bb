"""The audit log in the Studio: who did what, newest first."""

from flask import render_template, request

from appliance import events
from appliance.events import Event
from appliance.permissions import Action
from web import context, guard
from web.studio import forms

_PER_PAGE = 100


@guard.needs(Action.AUDIT_READ)
def index() -> str:
    event, who = forms.one_of(Event, "event"), request.args.get("who", "").strip()
    found = events.before(
        context.db(), _before(), name=event, actor=who, limit=_PER_PAGE + 1
    )
    more = found[_PER_PAGE - 1].id if len(found) > _PER_PAGE else None
    return render_template(
        "studio/audit.html",
        recorded=found[:_PER_PAGE],
        more=more,
        event=event,
        who=who,
        meanings=events.MEANINGS,
    )


def _before() -> int | None:
    text = request.args.get("before", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None
