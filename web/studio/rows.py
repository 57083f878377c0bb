"""The home page in the Studio: its rows, in their order, for whom and when."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from appliance.catalog import collections, titles
from appliance.discovery import arranging, facets, home_rows
from appliance.discovery import audience as audiences
from appliance.discovery.filters import SORTS, Filters
from appliance.discovery.home_rows import MADE, HomeRow, RowKind
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.permissions import Action
from web import context, guard
from web.portal import choices
from web.studio.title_names import slugs_of

Answer = str | Response | tuple[str, int]
_Refusal = InvalidInput | Conflict | NotFound

KINDS = {
    RowKind.HERO: lazy_gettext("In large at the top"),
    RowKind.CONTINUE: lazy_gettext("What each profile began"),
    RowKind.NEXT: lazy_gettext("The next episodes of each profile"),
    RowKind.LIST: lazy_gettext("What each profile put on its list"),
    RowKind.NEW: lazy_gettext("What came last"),
    RowKind.LEAVING: lazy_gettext("What leaves within 30 days"),
    RowKind.GENRES: lazy_gettext("A row for each genre"),
    RowKind.CHOSEN: lazy_gettext("Chosen titles"),
    RowKind.RULE: lazy_gettext("By a rule"),
    RowKind.COLLECTION: lazy_gettext("A collection"),
}
_FIELDS = ("heading", "audience", "group", "starts_at", "ends_at")


@guard.needs(Action.HOME_ARRANGE)
def index() -> Answer:
    return _index()


@guard.needs(Action.HOME_ARRANGE)
def add() -> Answer:
    form = request.form
    heading, kind = form.get("heading", ""), form.get("kind", "")
    more = {"collection": form.get("collection", "")} if kind == "collection" else {}
    try:
        made = arranging.add(context.db(), context.actor(), kind, heading, **more)
    except (InvalidInput, Conflict, NotFound) as error:
        return _index(error), error.status
    flash(gettext("The row is made. Say here what stands in it."), "ok")
    return redirect(url_for("studio.row", row=made.public_id))


@guard.needs(Action.HOME_ARRANGE)
def show(row: str) -> Answer:
    return _page(home_rows.by_public_id(context.db(), row))


@guard.needs(Action.HOME_ARRANGE)
def save(row: str) -> Answer:
    found = home_rows.by_public_id(context.db(), row)
    try:
        arranging.change(
            context.db(),
            context.actor(),
            row,
            revision=request.form.get("revision", None, int),
            **_changes(found),
        )
    except (InvalidInput, Conflict, NotFound) as error:
        return _page(found, error), error.status
    flash(gettext("Saved."), "ok")
    return redirect(url_for("studio.row", row=row), 303)


@guard.needs(Action.HOME_ARRANGE)
def move(row: str) -> Answer:
    """Move a row up or down, or switch it on or off."""
    act = request.form.get("act", "")
    db, actor = context.db(), context.actor()
    if act in ("on", "off"):
        arranging.change(db, actor, row, enabled=act == "on")
    else:
        arranging.move(db, actor, row, -1 if act == "up" else 1)
    return redirect(url_for("studio.rows", _anchor=f"row-{row}"), 303)


@guard.needs(Action.HOME_ARRANGE)
def confirm_removal(row: str) -> Answer:
    found = home_rows.by_public_id(context.db(), row)
    return render_template("studio/remove_row.html", row=found)


@guard.needs(Action.HOME_ARRANGE)
def remove(row: str) -> Answer:
    removed = arranging.remove(context.db(), context.actor(), row)
    flash(gettext("The row “%(row)s” is removed.", row=removed.heading), "ok")
    return redirect(url_for("studio.rows"), 303)


def _changes(found: HomeRow) -> dict[str, Any]:
    """Return what the form of a row says, as far as its kind has it."""
    form = request.form
    changes: dict[str, Any] = {name: form.get(name, "") for name in _FIELDS}
    changes["enabled"] = "enabled" in form
    changes["translations"] = _translations(form)
    if found.kind in (RowKind.CHOSEN, RowKind.HERO):
        changes["titles"] = slugs_of(form.get("titles", ""))
    if found.kind is RowKind.RULE:
        rule = {name: form.get(f"rule-{name}", "") for name in Filters.names()}
        changes["rule"] = {name: value for name, value in rule.items() if value}
    if found.kind is RowKind.COLLECTION:
        changes["collection"] = form.get("collection", "")
    return changes


def _translations(form: MultiDict[str, str]) -> dict[str, str]:
    """Read headings in other languages, a line each: ``de: Zuerst ansehen``."""
    told = {}
    for line in form.get("translations", "").splitlines():
        language, colon, words = line.partition(":")
        if line.strip() and not colon:
            raise InvalidInput(
                "row.translations",
                gettext("Write a language and a heading in each line, as de: Neu."),
                {"field": "translations"},
            )
        if colon:
            told[language.strip()] = words.strip()
    return told


def _index(error: _Refusal | None = None) -> str:
    db = context.db()
    return render_template(
        "studio/rows.html",
        rows=home_rows.listing(db),
        kinds=KINDS,
        made=MADE,
        now=db.now(),
        collections=_collections(),
        groups=_groups(),
        typed=request.form,
        error=error,
        wrong=error.details.get("field", "form") if error else "",
    )


def _page(found: HomeRow, error: _Refusal | None = None) -> str:
    db, actor = context.db(), context.actor()
    there = facets.facets(db, audiences.viewer(actor))
    return render_template(
        "studio/row.html",
        row=found,
        kinds=KINDS,
        made=MADE,
        typed=request.form if error else _as_typed(found),
        choices=choices.of(there),
        sorts=choices.sorts(SORTS),
        collections=_collections(),
        groups=_groups(),
        error=error,
        wrong=error.details.get("field", "form") if error else "",
        revision=_seen(found, error),
    )


def _seen(found: HomeRow, error: _Refusal | None) -> int:
    """Return the revision that the form carries: after a conflict the new one."""
    if isinstance(error, Conflict) and "revision" in error.details:
        return int(error.details["revision"])
    return request.form.get("revision", found.revision, int)


def _as_typed(found: HomeRow) -> dict[str, object]:
    told = (f"{language}: {words}" for language, words in found.translations.items())
    names = []
    for slug in found.titles:
        title = titles.by_slug(context.db(), context.actor(), slug)
        names.append(f"{slug}  {title.name}")
    return {
        "heading": found.heading,
        "translations": "\n".join(told),
        "enabled": "1" if found.enabled else "",
        "audience": found.audience.value,
        "group": found.group or "",
        "starts_at": (found.starts_at or "")[:16],
        "ends_at": (found.ends_at or "")[:16],
        "titles": "\n".join(names),
        "collection": found.collection or "",
        **{f"rule-{name}": value for name, value in found.rule.items()},
    }


def _groups() -> list[tuple[str, str]]:
    rows = context.db().rows("select name from groups order by name collate nocase")
    return [(row["name"], row["name"]) for row in rows]


def _collections() -> list[tuple[str, str]]:
    return [(each.slug, each.name) for each in collections.listing(context.db())]
