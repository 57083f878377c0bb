"""The form of a title: made, shown, kept; and what to do when two people write it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask_babel import LazyString, gettext, lazy_gettext
from werkzeug.wrappers import Response

from appliance.catalog import custom_fields, libraries, titles
from appliance.catalog.kinds import CONTAINERS, EXTRAS, PARTS, Kind
from appliance.catalog.titles import Title
from appliance.catalog.topics import genres, tags
from appliance.db import Database, write
from appliance.errors import Conflict, InvalidInput
from appliance.permissions import Action, Actor, check_title
from web import context, guard
from web.studio import encoding, forms

Answer = str | Response | tuple[str, int]

KINDS: Mapping[Kind, LazyString] = {
    Kind.FILM: lazy_gettext("Film"),
    Kind.DOCUMENTARY: lazy_gettext("Documentary"),
    Kind.TRAINING: lazy_gettext("Training video"),
    Kind.SERIES: lazy_gettext("Series"),
    Kind.COURSE: lazy_gettext("Course"),
    Kind.EPISODE: lazy_gettext("Episode or lesson"),
    Kind.TRAILER: lazy_gettext("Trailer"),
    Kind.EXTRA: lazy_gettext("Extra"),
}
_MOST_OFFERED = 500
_OWN = "custom-"
_PLACE = ("parent", "season_number", "episode_number")


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """What somebody else stored while this form was open; ``fields`` as typed."""

    by: str
    at: str
    fields: Mapping[str, object]


@guard.needs(Action.TITLE_CREATE)
def new() -> Answer:
    """Show an empty form; the address may say what it is to be a part of."""
    wanted = {name: request.args.get(name, "") for name in ("kind", *_PLACE)}
    return _new(EMPTY | {name: value for name, value in wanted.items() if value})


@guard.needs(Action.TITLE_CREATE)
def create() -> Answer:
    db, actor = context.db(), context.actor()
    fields = typed_fields(db)
    try:
        protect = context.settings().protection.protect_new
        made = titles.create(db, actor, **{"protected": protect} | fields)
    except InvalidInput as error:
        return _new(request.form, error), 400
    flash(gettext("“%(name)s” is made.", name=made.name), "ok")
    return redirect(url_for("studio.title", slug=made.slug))


def save(slug: str) -> Title:
    """Keep the form of a title, or refuse as the core does."""
    db, actor = context.db(), context.actor()
    own = _own_fields()
    with write(db):
        title = titles.edit(
            db, actor, slug, revision=forms.revision(), **typed_fields(db)
        )
        return custom_fields.fill(db, actor, slug, own) if own else title


def _own_fields() -> dict[str, str]:
    """Return what the form says of this installation's own fields, by their keys."""
    return {
        name.removeprefix(_OWN): value
        for name, value in request.form.items()
        if name.startswith(_OWN)
    }


def saved(title: Title) -> Response:
    """Answer that a title is kept: to a script, or with the page it was on."""
    if forms.wants_json():
        return jsonify(name=title.name, revision=title.revision)
    flash(gettext("Saved."), "ok")
    return redirect(url_for("studio.title", slug=title.slug))


def typed_fields(db: Database) -> dict[str, Any]:
    """Return what the form says; what the kind cannot have is left out of it."""
    fields = forms.title_fields() | encoding.typed(db)
    form = request.form
    for name in ("original_name", "external_id"):
        if name in form:
            fields[name] = form[name]
    if "tags" in form:
        fields["tags"] = tuple(form["tags"].split(","))
    if "kind" not in form:
        return fields
    kind = form["kind"]
    fields["kind"] = kind
    fields["parent"] = form.get("parent", "").strip() if kind in PARTS else ""
    fields["season_number"] = _number("season_number") if kind in PARTS else None
    fields["episode_number"] = (
        _number("episode_number") if kind in PARTS - EXTRAS else None
    )
    return fields


def as_typed(title: Title) -> dict[str, object]:
    """Return what the form of a title shows."""
    whole = titles.parent(context.db(), title)
    return {
        **forms.as_typed(title),
        "kind": title.kind,
        "parent": whole.slug if whole else "",
        "season_number": title.season_number,
        "episode_number": title.episode_number,
        "original_name": title.original_name,
        "external_id": title.external_id,
        "tags": ", ".join(each.name for each in tags.of_title(context.db(), title.id)),
        "library": _library(title),
        "revision": title.revision,
        **{f"{_OWN}{key}": value for key, value in title.custom.items()},
    }


def shown(title: Title, error: InvalidInput | Conflict | None) -> dict[str, object]:
    """Return what the template of the form needs: as stored, or as it was typed."""
    values: dict[str, object] = as_typed(title)
    meanwhile = None
    if error is not None:
        stored, values = values, dict(request.form)
        if isinstance(error, Conflict):
            values["revision"] = title.revision
            meanwhile = Meanwhile(
                str(error.details["by"]), str(error.details["at"]), stored
            )
    return {"values": values, "error": error, "meanwhile": meanwhile} | offered()


def offered() -> dict[str, object]:
    """Return what the form offers to choose from."""
    db = context.db()
    return {
        "kinds": [(kind.value, words) for kind, words in KINDS.items()],
        "wholes": _wholes(db, context.actor()),
        "genres": genres.listing(db),
        "tags": tags.listing(db, limit=_MOST_OFFERED),
        "libraries": libraries.listing(db),
        "own_fields": custom_fields.offered(db),
    }


def of_whole(title: Title) -> dict[str, object]:
    """Return what a title belongs to, and whether that is gone or hidden."""
    whole = titles.parent(context.db(), title)
    return {"whole": whole, "holds_episodes": title.kind in CONTAINERS}


EMPTY: dict[str, object] = {
    "name": "",
    "kind": Kind.FILM.value,
    "library_id": None,
}


def _new(values: Mapping[str, object], error: InvalidInput | None = None) -> str:
    return render_template(
        "studio/new_title.html", values=values, error=error, meanwhile=None, **offered()
    )


def _number(name: str) -> str | None:
    return request.form.get(name, "").strip() or None


def _library(title: Title) -> str:
    named = libraries.of_title(context.db(), title.id)
    return named.slug if named else ""


def _wholes(db: Database, actor: Actor) -> list[Title]:
    """Return the series and courses that the actor may give episodes to."""
    found = [
        each
        for kind in sorted(CONTAINERS)
        for each in titles.listing(db, actor, kind=kind, limit=_MOST_OFFERED)
    ]
    return [each for each in found if _editable(actor, each)]


def _editable(actor: Actor, title: Title) -> bool:
    own = actor.account_id is not None and actor.account_id == title.created_by
    return actor.may(Action.TITLE_EDIT_OWN if own else Action.TITLE_EDIT)


def editable(slug: str) -> Title:
    """Return a title that the actor may change. Errors: ``NotFound``, ``Forbidden``."""
    title = titles.by_slug(context.db(), context.actor(), slug)
    check_title(context.actor(), title.created_by)
    return title
