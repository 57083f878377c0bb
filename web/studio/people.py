"""People of the cast and crew in the Studio: found, described, shown by a picture."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from appliance.catalog import filmography, people, portraits
from appliance.catalog.people import Person
from appliance.errors import Conflict, InvalidInput
from appliance.permissions import Action
from web import context, guard
from web.studio import forms

_PER_PAGE = 50
Answer = str | Response | tuple[str, int]


@guard.needs(Action.PEOPLE_EDIT)
def index() -> Answer:
    return _index()


@guard.needs(Action.PEOPLE_EDIT)
def add() -> Answer:
    try:
        made = people.add(context.db(), context.actor(), request.form.get("name", ""))
    except InvalidInput as error:
        return _index(error), 400
    flash(gettext("“%(name)s” is there.", name=made.name), "ok")
    return redirect(url_for("studio.person", slug=made.slug))


@guard.needs(Action.PEOPLE_EDIT)
def show(slug: str) -> Answer:
    return _page(people.by_slug(context.db(), slug))


@guard.needs(Action.PEOPLE_EDIT)
def save(slug: str) -> Answer:
    form = request.form
    try:
        people.edit(
            *(context.db(), context.actor(), slug),
            revision=forms.revision(),
            name=form.get("name", ""),
            biography=form.get("biography", ""),
            external_id=form.get("external_id", ""),
        )
    except (InvalidInput, Conflict) as error:
        return _page(people.by_slug(context.db(), slug), error), error.status
    flash(gettext("Saved."), "ok")
    return redirect(url_for("studio.person", slug=slug))


@guard.needs(Action.PEOPLE_EDIT)
def save_portrait(slug: str) -> Answer:
    """Show a person by the picture that was sent, or by none."""
    db, actor, storage = context.db(), context.actor(), context.storage()
    try:
        if request.form.get("act") == "drop":
            portraits.drop(db, storage, actor, slug)
        else:
            with forms.uploaded("picture") as picture:
                portraits.add(db, storage, actor, slug, picture)
    except InvalidInput as error:
        return _page(people.by_slug(db, slug), error), 400
    flash(gettext("Saved."), "ok")
    return redirect(url_for("studio.person", slug=slug))


@guard.needs(Action.PEOPLE_EDIT)
def confirm_removal(slug: str) -> Answer:
    found = people.by_slug(context.db(), slug)
    return render_template("studio/remove_person.html", person=found)


@guard.needs(Action.PEOPLE_EDIT)
def remove(slug: str) -> Response:
    gone = portraits.remove(context.db(), context.storage(), context.actor(), slug)
    flash(gettext("“%(name)s” is removed.", name=gone.name), "ok")
    return redirect(url_for("studio.people"))


def _index(error: InvalidInput | None = None) -> str:
    db = context.db()
    words, page = request.args.get("q", "").strip()[:100], forms.page()
    total = people.count(db, words)
    return render_template(
        "studio/people.html",
        found=people.listing(db, words, limit=_PER_PAGE, offset=(page - 1) * _PER_PAGE),
        total=total,
        words=words,
        page=page,
        pages=max(1, -(-total // _PER_PAGE)),
        error=error,
        typed=request.form.get("name", "") if error else "",
    )


def _page(person: Person, error: InvalidInput | Conflict | None = None) -> str:
    values = {
        each: request.form.get(each, getattr(person, each) or "")
        if error
        else getattr(person, each) or ""
        for each in ("name", "biography", "external_id")
    }
    return render_template(
        "studio/person.html",
        person=person,
        values=values,
        works=filmography.of_person(context.db(), context.actor(), person),
        error=error,
        overtaken=isinstance(error, Conflict),
    )
