"""Portraits of people: for whoever may see a title that they worked on."""

import secrets
from pathlib import Path

from appliance.catalog import people, picture_files
from appliance.catalog.people import Person
from appliance.catalog.pictures import Format, Shape
from appliance.db import Database, write
from appliance.errors import InvalidInput
from appliance.permissions import Action, Actor, check, visible
from appliance.storage import Storage

SHAPE = Shape(1, 1, (160, 320, 640))
# Faces are rather in the upper part of a picture.
FACE = (0.5, 0.35)


def add(
    db: Database,
    storage: Storage,
    actor: Actor,
    slug: str,
    image: Path,
    *,
    focus: tuple[float, float] = FACE,
) -> Person:
    """Show a person by a picture, cut to a square around the ``focus``.

    Errors: ``InvalidInput`` when the file is no picture that can be used,
    ``NotFound``, ``Forbidden``, ``StorageFull``.
    """
    check(actor, Action.PEOPLE_EDIT)
    if not all(0 <= each <= 1 for each in focus):
        raise InvalidInput("artwork.focus", "The focus is two numbers from 0 to 1.")
    person = people.by_slug(db, slug)
    public_id = secrets.token_hex(8)
    folder = _folder(person, public_id)
    try:
        picture_files.keep(storage, folder, image, SHAPE, focus, original=False)
        with write(db):
            people.change(db, actor, people.by_slug(db, slug), portrait=public_id)
    except BaseException:
        storage.remove(folder)
        raise
    if person.portrait is not None:
        storage.remove(_folder(person, person.portrait))
    return people.by_slug(db, slug)


def drop(db: Database, storage: Storage, actor: Actor, slug: str) -> Person:
    """Take the portrait of a person away. Errors: ``NotFound``, ``Forbidden``."""
    check(actor, Action.PEOPLE_EDIT)
    with write(db):
        person = people.by_slug(db, slug)
        if person.portrait is not None:
            people.change(db, actor, person, portrait=None)
    storage.remove(f"portraits/{person.public_id}")
    return people.by_slug(db, slug)


def remove(db: Database, storage: Storage, actor: Actor, slug: str) -> Person:
    """Remove a person with credits and portrait; the titles stay."""
    person = people.remove(db, actor, slug)
    storage.remove(f"portraits/{person.public_id}")
    return person


def file(
    db: Database,
    storage: Storage,
    actor: Actor,
    portrait: str,
    width: int,
    format_: Format | None = None,
) -> Path:
    """Return a file of a portrait, as :func:`appliance.catalog.artwork.file` does.

    Errors: ``NotFound`` for whoever may see none of the person's titles, unless they
    edit people.
    """
    found = db.one("select id, public_id from people where portrait = ?", (portrait,))
    if found is None or not _seen(db, actor, found["id"]):
        raise picture_files.missing()
    folder = f"portraits/{found['public_id']}/{portrait}"
    return picture_files.sized(storage, folder, SHAPE, FACE, width, format_)


def _seen(db: Database, actor: Actor, person_id: int) -> bool:
    if actor.may(Action.PEOPLE_EDIT) and actor.rating_limit is None:
        return True
    predicate, params = visible(actor, db.now())
    found = db.value(
        f"""
        select 1 from credits
        join titles on titles.id = credits.title_id
        where credits.person_id = :person and {predicate} limit 1
        """,
        {"person": person_id, **params},
    )
    return found is not None


def _folder(person: Person, public_id: str) -> str:
    return f"portraits/{person.public_id}/{public_id}"
