"""Credits: who did what for a title, in the order somebody gave them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from appliance.catalog import people
from appliance.db import Database


class Job(StrEnum):
    """What somebody did for a title."""

    ACTOR = "actor"
    DIRECTOR = "director"
    CREATOR = "creator"
    WRITER = "writer"
    PRODUCER = "producer"
    COMPOSER = "composer"
    CINEMATOGRAPHER = "cinematographer"
    EDITOR = "editor"
    PRESENTER = "presenter"
    NARRATOR = "narrator"
    SPEAKER = "speaker"
    TRAINER = "trainer"
    GUEST = "guest"


CAST = frozenset({Job.ACTOR, Job.GUEST})
"""Those who are seen; the others are the crew."""


@dataclass(frozen=True, slots=True)
class Credit:
    """One line of the credits; ``portrait`` is the public id of a picture."""

    person_slug: str
    name: str
    job: str
    character: str
    portrait: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A credit as somebody gives it: the name of a person, or the slug of one."""

    name: str
    job: Job
    character: str = ""


def of_title(db: Database, title_id: int) -> tuple[Credit, ...]:
    """Return the credits of a title in their order."""
    rows = db.rows(
        """
        select people.slug as person_slug, people.name, credits.job,
            credits.character, people.portrait
        from credits
        join people on people.id = credits.person_id
        where credits.title_id = ?
        order by credits.position, people.name
        """,
        (title_id,),
    )
    return tuple(Credit(**row) for row in rows)


def as_given(db: Database, title_id: int) -> tuple[Named, ...]:
    """Return the credits of a title as :func:`assign` takes them.

    Who shares a name with others is named with the slug.
    """
    rows = db.conn.execute(
        """
        select people.name, people.slug, credits.job, credits.character, exists (
            select 1 from people other
            where other.name = people.name collate nocase and other.id != people.id
        )
        from credits
        join people on people.id = credits.person_id
        where credits.title_id = ?
        order by credits.position, people.name
        """,
        (title_id,),
    )
    return tuple(
        Named(people.told_apart(name, slug, bool(shared)), Job(job), character)
        for name, slug, job, character, shared in rows
    )


def assign(db: Database, title_id: int, named: Iterable[Named]) -> None:
    """Give a title exactly these credits, inside the transaction that is open.

    Somebody of whom nobody has heard becomes a person of that name.
    """
    rows = [
        (title_id, people.named(db, each.name), each.job.value, each.character, place)
        for place, each in enumerate(named)
    ]
    db.conn.execute("delete from credits where title_id = ?", (title_id,))
    db.conn.executemany(
        """
        insert or ignore into credits
            (title_id, person_id, job, character, position)
        values (?, ?, ?, ?, ?)
        """,
        rows,
    )
