"""Titles in the Studio: the list, the page of one, and what moves it."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.catalog import artwork, genres, states, titles
from appliance.catalog.titles import Title, TitleState
from appliance.db import Database
from appliance.errors import InvalidInput
from appliance.media import assets, reports, tracks
from appliance.permissions import Action, Actor, check_title
from web import context, guard
from web.studio import forms, protection

_PER_PAGE = 25
_MOST_FOUND = 500
Answer = str | Response | tuple[str, int]


@guard.needs(Action.STUDIO_SEE)
def index() -> Answer:
    db, actor = context.db(), context.actor()
    state = forms.one_of(TitleState, "state")
    words, page = request.args.get("q", "").strip()[:100], forms.page()
    found, total = _found(db, actor, state, words, page)
    return render_template(
        "studio/titles.html",
        rows=[(title, reports.latest_of_title(db, title.id)) for title in found],
        total=total,
        state=state,
        words=words,
        page=page,
        pages=max(1, -(-total // _PER_PAGE)),
        figures=_figures(db, actor),
    )


@guard.needs(Action.STUDIO_SEE)
def show(slug: str) -> Answer:
    return _page(_editable(slug))


@guard.needs(Action.STUDIO_SEE)
def save(slug: str) -> Answer:
    """Keep the form of a title; the upload page saves it as it is filled in."""
    try:
        title = titles.edit(context.db(), context.actor(), slug, **forms.title_fields())
    except InvalidInput as error:
        if forms.wants_json():
            raise
        return _page(_editable(slug), error), 400
    if forms.wants_json():
        return jsonify(name=title.name)
    flash("Saved.", "ok")
    return redirect(url_for("studio.title", slug=slug))


@guard.needs(Action.TITLE_PUBLISH)
def confirm(slug: str, act: str) -> Answer:
    return render_template(
        "studio/confirm.html", title=_editable(slug), move=MOVES[act], act=act
    )


@guard.needs(Action.TITLE_PUBLISH)
def move(slug: str, act: str) -> Response:
    title = MOVES[act].verb(context.db(), context.actor(), slug)
    flash(MOVES[act].done.format(name=title.name), "ok")
    return redirect(url_for("studio.title", slug=slug))


@guard.needs(Action.TITLE_REMOVE)
def confirm_removal(slug: str) -> Answer:
    title = _editable(slug)
    kept = assets.of_title(context.db(), title.id)
    return render_template("studio/remove.html", title=title, assets=kept)


@guard.needs(Action.TITLE_REMOVE)
def remove(slug: str) -> Response:
    title = _editable(slug)
    titles.remove(context.db(), context.storage(), context.actor(), slug)
    flash(f"“{title.name}” and its files are removed.", "ok")
    return redirect(url_for("studio.titles"))


@dataclass(frozen=True, slots=True)
class Move:
    """A way from one state to another, with the words of its button and page."""

    verb: Callable[[Database, Actor, str], Title]
    label: str
    question: str
    consequence: str
    done: str


MOVES: Mapping[str, Move] = {
    "publish": Move(
        states.publish,
        "Publish",
        "Publish “{name}”?",
        "Everybody who may watch sees it in the portal at once.",
        "“{name}” is published.",
    ),
    "unpublish": Move(
        states.unpublish,
        "Unpublish",
        "Take “{name}” out of the portal?",
        "Nobody can start it any more; who watches it now is stopped within a"
        " minute. Film, description and progress stay.",
        "“{name}” is no longer in the portal.",
    ),
    "archive": Move(
        states.archive,
        "Archive",
        "Archive “{name}”?",
        "It leaves the portal and the working lists. Its files stay; it can be"
        " restored at any time.",
        "“{name}” is archived.",
    ),
    "restore": Move(
        states.restore,
        "Restore",
        "Restore “{name}” from the archive?",
        "It comes back as it was, but unpublished.",
        "“{name}” is restored.",
    ),
}

# Which moves a page offers in which state.
OFFERED: Mapping[TitleState, tuple[str, ...]] = {
    TitleState.DRAFT: ("archive",),
    TitleState.PROCESSING: (),
    TitleState.READY: ("publish", "archive"),
    TitleState.PUBLISHED: ("unpublish", "archive"),
    TitleState.ARCHIVED: ("restore",),
}


def _editable(slug: str) -> Title:
    title = titles.by_slug(context.db(), context.actor(), slug)
    check_title(context.actor(), title.created_by)
    return title


def _page(title: Title, error: InvalidInput | None = None) -> str:
    db = context.db()
    playable = assets.playable(db, title.id)
    served = tracks.of_asset(db, playable.id) if playable else []
    return render_template(
        "studio/title.html",
        title=title,
        values=forms.typed() if error else forms.as_typed(title),
        error=error,
        moves=[(act, MOVES[act]) for act in OFFERED[title.state]],
        report=reports.latest_of_title(db, title.id),
        candidates=artwork.candidates(db, title.id),
        genres=genres.listing(db),
        asset=playable,
        tracks=served,
        protection=protection.of_title(title, served),
        acts=protection.ACTS,
    )


def _found(
    db: Database, actor: Actor, state: TitleState | None, words: str, page: int
) -> tuple[list[Title], int]:
    """Return the titles of a page of the list, and how many there are in all."""
    first = (page - 1) * _PER_PAGE
    if not words:
        some = titles.listing(db, actor, state=state, limit=_PER_PAGE, offset=first)
        return some, titles.count(db, actor, state=state)
    hits = titles.search(db, actor, words, limit=_MOST_FOUND)
    kept = [title for title in hits if state is None or title.state is state]
    return kept[first : first + _PER_PAGE], len(kept)


def _figures(db: Database, actor: Actor) -> dict[str, int]:
    free = context.storage().free_bytes()
    total = shutil.disk_usage(context.storage().root).total
    return {
        "published": titles.count(db, actor, state=TitleState.PUBLISHED),
        "processing": titles.count(db, actor, state=TitleState.PROCESSING),
        "ready": titles.count(db, actor, state=TitleState.READY),
        "free": free,
        "free_percent": 100 * free // total,
    }
