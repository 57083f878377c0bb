"""What somebody worked on, as far as whoever asks may see it."""

import json
from dataclasses import dataclass

from appliance.catalog import people
from appliance.catalog.people import Person
from appliance.catalog.title import SELECT, from_row
from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.errors import NotFound
from appliance.permissions import Action, Actor, visible


@dataclass(frozen=True, slots=True)
class Work:
    """A title somebody worked on, with what they did; episodes count for the whole."""

    title: Title
    jobs: tuple[str, ...]
    characters: tuple[str, ...]


def of_person(db: Database, actor: Actor, person: Person) -> tuple[Work, ...]:
    """Return the titles of a person that the actor may see, the newest first."""
    predicate, params = visible(actor, db.now())
    rows = db.rows(
        f"""
        select coalesce(titles.parent_id, titles.id) as whole,
            json_group_array(distinct credits.job) as jobs,
            json_group_array(distinct credits.character) as characters
        from credits
        join titles on titles.id = credits.title_id
        where credits.person_id = :person and {predicate}
        group by whole
        """,
        {"person": person.id, **params},
    )
    found = {row["whole"]: row for row in rows}
    wholes = db.rows(
        f"""
        {SELECT}
        where titles.id in (select value from json_each(:ids)) and {predicate}
        order by titles.year is null, titles.year desc, titles.name collate nocase
        """,
        {"ids": json.dumps(list(found)), **params},
    )
    return tuple(
        Work(
            from_row(row),
            tuple(json.loads(found[row["id"]]["jobs"])),
            tuple(filter(None, json.loads(found[row["id"]]["characters"]))),
        )
        for row in wholes
    )


def page(db: Database, actor: Actor, slug: str) -> tuple[Person, tuple[Work, ...]]:
    """Return a person with what the actor may see of their work.

    Errors: ``NotFound`` where that is nothing, unless the actor edits people.
    """
    person = people.by_slug(db, slug)
    works = of_person(db, actor, person)
    edits = actor.may(Action.PEOPLE_EDIT) and actor.rating_limit is None
    if not works and not edits:
        raise NotFound("person.missing", f"There is no person “{slug}”.")
    return person, works
