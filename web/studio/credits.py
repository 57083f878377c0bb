"""Cast and crew of a title: a table whose rows move, also without a script."""

from dataclasses import dataclass

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from appliance.catalog import credits, people, titles
from appliance.catalog.credits import Job
from appliance.catalog.titles import Title
from appliance.errors import Conflict, InvalidInput
from appliance.permissions import Action
from web import context, crew, guard
from web.studio import describing, forms

_SUGGESTED = 12
_MOST_ROWS = 200
_EMPTY_ROWS = 3
Answer = str | Response | tuple[str, int]


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table, as it is typed."""

    name: str = ""
    job: str = Job.ACTOR.value
    character: str = ""


@guard.needs(Action.STUDIO_SEE)
def page(slug: str) -> Answer:
    title = describing.editable(slug)
    return _page(title, _stored(title))


@guard.needs(Action.STUDIO_SEE)
def save(slug: str) -> Answer:
    """Keep the table, or show it again with a row added, moved or taken out."""
    title = describing.editable(slug)
    lines, act = _typed(), request.form.get("act", "save")
    if act != "save":
        return _page(title, _turned(lines, act), revision=forms.revision())
    named = [
        {"name": each.name, "job": each.job, "character": each.character}
        for each in lines
    ]
    try:
        titles.edit(
            *(context.db(), context.actor(), slug),
            revision=forms.revision(),
            credits=named,
        )
    except (InvalidInput, Conflict) as error:
        return _page(title, lines, error), error.status
    flash(gettext("Cast and crew are saved."), "ok")
    return redirect(url_for("studio.credits", slug=slug))


@guard.needs(Action.STUDIO_SEE)
def suggest() -> Response:
    """Name people whose names have these words, for whoever types one."""
    words = request.args.get("q", "")[:100]
    found = people.listing(context.db(), words, limit=_SUGGESTED) if words else []
    shared = {each.name.casefold() for each in found}
    twice = {
        name for name in shared if sum(x.name.casefold() == name for x in found) > 1
    }
    return jsonify(
        [
            {
                "slug": each.slug,
                "name": people.told_apart(
                    each.name, each.slug, each.name.casefold() in twice
                ),
            }
            for each in found
        ]
    )


def _stored(title: Title) -> list[Line]:
    given = credits.as_given(context.db(), title.id)
    return [Line(each.name, each.job.value, each.character) for each in given]


def _typed() -> list[Line]:
    form = request.form
    rows = zip(
        form.getlist("name"),
        form.getlist("job"),
        form.getlist("character"),
        strict=False,
    )
    lines = [Line(*row) for row in rows][: _MOST_ROWS + _EMPTY_ROWS]
    return [each for each in lines if each.name.strip() or each.character.strip()]


def _turned(lines: list[Line], act: str) -> list[Line]:
    """Return the rows after what the button says: ``up-2``, ``down-2``, ``drop-2``."""
    verb, _, number = act.partition("-")
    place = int(number) if number.isascii() and number.isdigit() else -1
    if not 0 <= place < len(lines):
        return lines
    turned = list(lines)
    if verb == "drop":
        del turned[place]
    elif verb in ("up", "down"):
        line = turned.pop(place)
        turned.insert(max(0, place + (1 if verb == "down" else -1)), line)
    return turned


def _page(
    title: Title,
    lines: list[Line],
    error: InvalidInput | Conflict | None = None,
    revision: int | None = None,
) -> str:
    overtaken = isinstance(error, Conflict)
    stored = _stored(title) if overtaken else []
    return render_template(
        "studio/credits.html",
        title=title,
        **describing.of_whole(title),
        lines=[*lines, *[Line()] * _EMPTY_ROWS],
        filled=len(lines),
        jobs=[(job.value, crew.word(job)) for job in Job],
        error=error,
        stored=stored,
        revision=title.revision if revision is None or overtaken else revision,
    )
