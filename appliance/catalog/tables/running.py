"""A table put into the catalogue, as its plan says; what fails is told by its row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from appliance.catalog import custom_fields, titles
from appliance.catalog.tables.planning import Does, Plan, Row, find
from appliance.db import Database, write
from appliance.errors import MatineeError, StorageFull, TryAgain
from appliance.permissions import Actor

# Others write between two of these.
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a row: created, changed, same or refused, and why."""

    line: int
    does: Does
    key: str
    name: str
    slug: str
    problem: str


def run(db: Database, actor: Actor, plan: Plan) -> list[Result]:
    """Import the rows that can be; return one result for each, in their order.

    What others are a part of comes first, wherever it stands.
    """
    first = [row for row in plan.rows if not row.parent]
    rest = [row for row in plan.rows if row.parent]
    done: dict[int, Result] = {}
    for some in _portions([*first, *rest]):
        with write(db):
            for row in some:
                done[row.line] = _one(db, actor, row)
    return [done[row.line] for row in plan.rows]


def _one(db: Database, actor: Actor, row: Row) -> Result:
    if row.does is Does.REFUSE:
        told = "; ".join(f"{at}: {said}" if at else said for at, said in row.errors)
        return _result(row, row.title, told)
    if row.does is Does.SAME:
        return _result(row, row.title)
    db.conn.execute("savepoint one")
    try:
        slug = _put(db, actor, row)
    except (TryAgain, StorageFull):
        raise
    except MatineeError as error:
        db.conn.execute("rollback to one")
        return _result(replace(row, does=Does.REFUSE), row.title, error.message)
    finally:
        db.conn.execute("release one")
    return _result(row, slug)


def _put(db: Database, actor: Actor, row: Row) -> str:
    given = dict(row.fields)
    if row.parent is not None:
        whole = find(db, actor, row.parent) if row.parent else None
        given["parent"] = whole.slug if whole else row.parent
    if row.does is Does.CREATE:
        name = given.pop("name")
        slug = titles.create(db, actor, name, **given).slug
    else:
        slug = row.title
        if given:
            titles.edit(db, actor, slug, **given)
    if row.custom:
        custom_fields.fill(db, actor, slug, row.custom)
    return slug


def _result(row: Row, slug: str, problem: str = "") -> Result:
    return Result(row.line, row.does, row.key, row.name, slug, problem)


def _portions(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    return (rows[at : at + _AT_ONCE] for at in range(0, len(rows), _AT_ONCE))
