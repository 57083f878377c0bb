"""The list of titles in the Studio: sifted, ordered, ticked for changes of many."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from flask import render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from appliance.catalog import libraries, sieve
from appliance.catalog.sieve import Listed, Sieve
from appliance.catalog.topics import genres
from appliance.db import Database
from appliance.media import reports
from appliance.media.reports import JobReport
from appliance.permissions import Action, Actor
from web import context, guard
from web.studio import forms

_PER_PAGE = 25
_NAMES = ("stage", "kind", "genre", "tag", "library", "creator", "language")
_MORE = ("lacks", "shows")

STAGES: Mapping[str, object] = {
    "": _l("All"),
    "draft": _l("Drafts"),
    "processing": _l("Processing"),
    "ready": _l("Ready"),
    "review": _l("In review"),
    "scheduled": _l("Scheduled"),
    "published": _l("Published"),
    "expired": _l("Expired"),
    "archived": _l("Archived"),
}
KINDS: Mapping[str, object] = {
    "": _l("Every kind"),
    "film": _l("Films"),
    "documentary": _l("Documentaries"),
    "training": _l("Trainings"),
    "series": _l("Series"),
    "course": _l("Courses"),
    "episode": _l("Episodes"),
    "trailer": _l("Trailers"),
    "extra": _l("Extras"),
}
KIND_WORDS: Mapping[str, object] = {
    "film": _l("Film"),
    "documentary": _l("Documentary"),
    "training": _l("Training"),
    "series": _l("Series"),
    "course": _l("Course"),
    "episode": _l("Episode"),
    "trailer": _l("Trailer"),
    "extra": _l("Extra"),
}
LACKS: Mapping[str, object] = {
    "": _l("Nothing in particular"),
    "artwork": _l("No artwork"),
    "captions": _l("No captions"),
    "synopsis": _l("No synopsis"),
    "film": _l("No film"),
    "rating": _l("No rating"),
    "genres": _l("No genre"),
    "year": _l("No year"),
}
SHOWS: Mapping[str, object] = {
    "": _l("Everything"),
    "leaving": _l("Leaves within 30 days"),
    "twins": _l("Same film as another"),
    "top": _l("Without parts of others"),
}
MOVES: Mapping[str, object] = {
    "review": _l("Ask for a review"),
    "publish": _l("Publish"),
    "unpublish": _l("Take out of the portal"),
    "archive": _l("Archive"),
    "restore": _l("Take out of the archive"),
    "trash": _l("Put into the trash"),
}
ORDERS: Mapping[str, object] = {
    "newest": _l("Newest first"),
    "changed": _l("Changed last"),
    "name": _l("By name"),
    "year": _l("By year"),
    "leaves": _l("What leaves first"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list, with the newest job of the title."""

    listed: Listed
    report: JobReport | None


def sifted(values: Mapping[str, str]) -> Sieve:
    """Return what an address, or a form that carries one, sifts by."""
    named = {name: values.get(name, "") for name in (*_NAMES, *_MORE)}
    named["stage"] = named["stage"] or values.get("state", "")
    return Sieve.read(named | {"words": values.get("q", "")}, strict=False)


def listed(values: Mapping[str, str]) -> Sieve:
    """Return what the list shows then.

    Parts stand with what they belong to until somebody looks for something.
    """
    by = sifted(values)
    return by if by.said() else Sieve(shows="top")


def carried(by: Sieve, order: str = "") -> dict[str, str]:
    """Return what an address of the list carries of a sieve."""
    said = by.said()
    if "words" in said:
        said["q"] = said.pop("words")
    return said | ({"order": order} if order not in ("", "newest") else {})


@guard.needs(Action.STUDIO_SEE)
def index() -> str:
    db, actor = context.db(), context.actor()
    by, page = sifted(request.args), forms.page()
    shown = listed(request.args)
    order = request.args.get("order", "newest")
    order = order if order in ORDERS else "newest"
    found = sieve.listing(
        *(db, actor, shown),
        order=order,
        limit=_PER_PAGE,
        offset=(page - 1) * _PER_PAGE,
    )
    total = sieve.count(db, actor, shown)
    return render_template(
        "studio/titles.html",
        rows=[Row(each, reports.latest_of_title(db, each.title.id)) for each in found],
        total=total,
        by=by,
        order=order,
        carried=carried(by, order),
        stages=STAGES,
        kinds=KINDS,
        lacks=LACKS,
        shows=SHOWS,
        orders=ORDERS,
        moves=MOVES,
        genres=genres.listing(db),
        libraries=libraries.listing(db),
        page=page,
        pages=max(1, -(-total // _PER_PAGE)),
        figures=_figures(db, actor),
        more=bool(set(by.said()) - {"words", "stage"}),
        leaving=_leaving,
        kind_words=KIND_WORDS,
        four_eyes=context.settings().studio.four_eyes,
    )


def _leaving(listed: Listed) -> str:
    """Say how soon a title leaves; empty when that is far away, or never."""
    if listed.leaves is None or listed.stage != "published":
        return ""
    left = forms.days_until(context.db(), listed.leaves)
    if left > sieve.LEAVING_DAYS:
        return ""
    if left <= 0:
        return str(_("Leaves today"))
    return str(ngettext("Leaves in %(num)s day", "Leaves in %(num)s days", left))


def _figures(db: Database, actor: Actor) -> dict[str, int]:
    free = context.storage().free_bytes()
    total = shutil.disk_usage(context.storage().root).total
    return {
        **{
            stage: sieve.count(db, actor, Sieve(stage=stage))
            for stage in ("published", "processing", "review")
        },
        "leaving": sieve.count(db, actor, Sieve(shows="leaving")),
        "free": free,
        "free_percent": 100 * free // total,
    }
