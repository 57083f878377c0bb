"""Titles in the Studio: the list, the page of one, and what moves it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.catalog import states, titles, trash
from appliance.catalog.titles import Title, TitleState
from appliance.db import Database
from appliance.errors import Conflict, InvalidInput
from appliance.media import assets, publishing, quality, reports, tracks
from appliance.permissions import Action, Actor, check_title
from web import context, guard
from web.studio import describing, encoding, film, forms, protection

Answer = str | Response | tuple[str, int]


@guard.needs(Action.STUDIO_SEE)
def show(slug: str) -> Answer:
    return _page(_editable(slug))


@guard.needs(Action.STUDIO_SEE)
def save(slug: str) -> Answer:
    """Keep the form of a title; the upload page saves it as it is filled in."""
    try:
        return describing.saved(describing.save(slug))
    except (InvalidInput, Conflict) as error:
        # A conflict of another kind has nothing to compare.
        compared = isinstance(error, InvalidInput) or error.code == "title.changed"
        if forms.wants_json() or not compared:
            raise
        return _page(_editable(slug), error), error.status


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
    return render_template(
        "studio/remove.html",
        title=title,
        days=context.settings().studio.trash_days,
        parts=len(titles.children(context.db(), context.actor(), title)),
    )


@guard.needs(Action.TITLE_REMOVE)
def remove(slug: str) -> Response:
    """Put a title into the trash; from there it goes for good, or comes back."""
    title = trash.discard(context.db(), context.actor(), _editable(slug).slug)
    flash(_("“%(name)s” is in the trash.", name=title.name), "ok")
    return redirect(url_for("studio.titles"))


@dataclass(frozen=True, slots=True)
class Move:
    """A way from one state to another, with the words of its button and page."""

    verb: Callable[[Database, Actor, str], Title]
    label: str
    question: str
    consequence: str
    done: str


def _publish(db: Database, actor: Actor, slug: str) -> Title:
    return publishing.publish(db, context.settings(), actor, slug)


MOVES: Mapping[str, Move] = {
    "publish": Move(
        _publish,
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


def _page(title: Title, error: InvalidInput | Conflict | None = None) -> str:
    db = context.db()
    playable = assets.playable(db, title.id)
    served = tracks.of_asset(db, playable.id) if playable else []
    return render_template(
        "studio/title.html",
        title=title,
        **describing.shown(title, error),
        **describing.of_whole(title),
        moves=[(act, MOVES[act]) for act in OFFERED[title.state]],
        report=reports.latest_of_title(db, title.id),
        asset=playable,
        quality=quality.latest(db, playable) if playable else None,
        film=film.of_asset(playable) if playable else None,
        tracks=served,
        protection=protection.of_title(title, served),
        encoding=encoding.of_title(db, title, playable, served),
        acts=protection.ACTS,
    )
