"""One title of many: what it is, what is made of it, and how it is put back."""

from collections.abc import Callable, Mapping
from typing import Any

from appliance.catalog import libraries, reviewing, states, titles, trash
from appliance.catalog.bulk_words import NONE, Wish
from appliance.catalog.titles import Title
from appliance.catalog.topics import tags
from appliance.db import Database
from appliance.permissions import Actor
from appliance.settings import Settings

Publish = Callable[[Database, Settings, Actor, str], Title]


def look(db: Database, title: Title) -> dict[str, Any]:
    """Return all of a title that a change of many can touch, as JSON has it."""
    return {
        "genres": list(title.genres),
        "tags": [each.name for each in tags.of_title(db, title.id)],
        "rating": title.rating,
        "language": title.language,
        "library_id": title.library_id,
        "state": title.state.value,
        "review": title.review,
        "removed": title.removed_at is not None,
        "revision": title.revision,
    }


def make(
    db: Database,
    settings: Settings,
    actor: Actor,
    title: Title,
    wish: Wish,
    publish: Publish,
) -> None:
    """Make of one title what is wished. Errors: those of the verbs it calls."""
    changes: dict[str, Any] = {}
    was = look(db, title)
    for kind, more, less in (
        ("genres", wish.add_genres, wish.drop_genres),
        ("tags", wish.add_tags, wish.drop_tags),
    ):
        if more or less:
            changes[kind] = _names(was[kind], more, less)
    for name in ("rating", "language"):
        if value := getattr(wish, name):
            changes[name] = "" if value == NONE else value
    if wish.library:
        changes["library_id"] = (
            None if wish.library == NONE else libraries.by_slug(db, wish.library).id
        )
    if changes:
        titles.edit(db, actor, title.slug, **changes)
    if wish.move:
        _MOVES[wish.move](db, settings, actor, title.slug, publish)


def put_back(
    db: Database,
    settings: Settings,
    actor: Actor,
    title: Title,
    before: Mapping[str, Any],
    publish: Publish,
) -> None:
    """Make of one title what it was. Errors: those of the verbs it calls."""
    if title.removed_at is not None and not before["removed"]:
        title = trash.restore(db, actor, title.slug)
    described = ("genres", "tags", "rating", "language", "library_id")
    titles.edit(db, actor, title.slug, **{name: before[name] for name in described})
    if before["state"] != title.state:
        _return(db, settings, actor, title, before["state"], publish)
    reviewing.put_back(db, title.id, before["review"])


def _return(
    db: Database,
    settings: Settings,
    actor: Actor,
    title: Title,
    state: str,
    publish: Publish,
) -> None:
    """Move a title to the state it had."""
    if title.state == "archived":
        title = states.restore(db, actor, title.slug)
    if state == "published":
        publish(db, settings, actor, title.slug)
    elif title.state == "published":
        states.unpublish(db, actor, title.slug)
    if state == "archived":
        states.archive(db, actor, title.slug)


_Move = Callable[[Database, Settings, Actor, str, Publish], object]
_MOVES: Mapping[str, _Move] = {
    "review": lambda db, _settings, actor, slug, _: reviewing.ask(db, actor, slug),
    "publish": lambda db, settings, actor, slug, go: go(db, settings, actor, slug),
    "unpublish": lambda db, _settings, actor, slug, _: states.unpublish(
        db, actor, slug
    ),
    "archive": lambda db, _settings, actor, slug, _: states.archive(db, actor, slug),
    "restore": lambda db, _settings, actor, slug, _: states.restore(db, actor, slug),
    "trash": lambda db, _settings, actor, slug, _: trash.discard(db, actor, slug),
}


def _names(
    was: list[str], more: tuple[str, ...], less: tuple[str, ...]
) -> tuple[str, ...]:
    gone = {each.casefold() for each in less}
    kept = [each for each in was if each.casefold() not in gone]
    known = {each.casefold() for each in kept}
    return tuple(kept + [each for each in more if each.casefold() not in known])
