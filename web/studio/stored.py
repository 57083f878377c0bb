"""Storage in the Studio: what films take up, and when the disk is full."""

from flask import render_template

from appliance.media import usage
from appliance.permissions import Action
from web import context, guard
from web.studio import forms

_PER_PAGE = 50


@guard.needs(Action.STORAGE_MANAGE)
def index() -> str:
    db, actor = context.db(), context.actor()
    page = forms.page()
    found = usage.titles(db, actor, limit=_PER_PAGE + 1, offset=(page - 1) * _PER_PAGE)
    free, whole = context.storage().free_bytes(), context.storage().total_bytes()
    return render_template(
        "studio/stored.html",
        titles=found[:_PER_PAGE],
        most=max((each.bytes for each in found), default=1) or 1,
        renditions=usage.renditions(db, actor),
        forecast=usage.forecast(db, free),
        free=free,
        whole=whole,
        page=page,
        more=len(found) > _PER_PAGE,
    )
