"""The page of the search; what it finds as somebody types comes through the API."""

from flask import render_template, request
from flask_babel import ngettext

from appliance.discovery import search as discovery
from appliance.permissions import Action
from web import context, guard, telling

_MOST = 48


@guard.needs(Action.PORTAL_SEE)
def search() -> str:
    found = discovery.search(
        context.db(),
        context.settings(),
        context.actor(),
        request.args.get("q", ""),
        _MOST,
        telling.language(),
    )
    return render_template(
        "portal/search.html",
        found=found,
        cards=found.titles,
        count=ngettext("%(num)s title", "%(num)s titles", len(found.titles)),
    )
