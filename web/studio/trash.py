"""The trash of the Studio: what is in it, taken back or removed for good."""

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.catalog import trash
from appliance.permissions import Action
from web import context, guard
from web.studio import forms

_PER_PAGE = 50


@guard.needs(Action.TITLE_REMOVE)
def index() -> str:
    db, settings = context.db(), context.settings()
    page, total = forms.page(), trash.count(db)
    return render_template(
        "studio/trash.html",
        found=trash.listing(
            *(db, context.actor(), settings),
            limit=_PER_PAGE,
            offset=(page - 1) * _PER_PAGE,
        ),
        total=total,
        freed=trash.freed(db),
        days=settings.studio.trash_days,
        left=lambda until: forms.days_until(db, until),
        page=page,
        pages=max(1, -(-total // _PER_PAGE)),
    )


@guard.needs(Action.TITLE_REMOVE)
def restore(slug: str) -> Response:
    title = trash.restore(context.db(), context.actor(), slug)
    flash(_("“%(name)s” is back.", name=title.name), "ok")
    return redirect(url_for("studio.title", slug=slug))


@guard.needs(Action.TITLE_REMOVE)
def confirm_purge(slug: str) -> str:
    title = trash.by_slug(context.db(), slug)
    return render_template(
        "studio/purge.html",
        title=title,
        bytes=trash.weight(context.db(), title.id),
    )


@guard.needs(Action.TITLE_REMOVE)
def purge(slug: str) -> Response:
    title = trash.purge(context.db(), context.storage(), context.actor(), slug)
    flash(_("“%(name)s” and its files are gone.", name=title.name), "ok")
    return redirect(url_for("studio.trash"))
