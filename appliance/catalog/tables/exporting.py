"""The catalogue as a table that can be imported again, here or elsewhere."""

from collections.abc import Iterator, Sequence

from appliance.catalog import custom_fields, sieve, titles
from appliance.catalog.sieve import Sieve
from appliance.catalog.tables import columns, sheets
from appliance.db import Database
from appliance.permissions import Action, Actor, check

_MOST = 1_000_000


def export(
    db: Database,
    actor: Actor,
    by: Sieve | None = None,
    *,
    separator: str = ",",
    excel: bool = False,
) -> Iterator[str]:
    """Yield the lines of a table of titles, the oldest first. Errors: ``Forbidden``.

    What was exported, imported again, changes nothing.
    """
    check(actor, Action.TITLE_IMPORT)
    found = sieve.ids(db, actor, by or Sieve(), _MOST)
    named = _columns(db)
    rows = _rows(db, found, named)
    return sheets.write(rows, separator=separator, excel=excel)


def template(db: Database, *, separator: str = ",", excel: bool = False) -> str:
    """Return an empty table with one example, to be filled in."""
    own = custom_fields.offered(db)
    named = [each.name for each in columns.PLAIN if each.name != "slug"]
    example = [each.example for each in columns.PLAIN if each.name != "slug"]
    head = [*named, "name[de]", "synopsis[de]", *(f"custom:{e.key}" for e in own)]
    row = [*example, "Der erste Film", "Ein Imker findet einen Brief."]
    filled = [*row, *("" for _ in own)]
    return "".join(sheets.write([head, filled], separator=separator, excel=excel))


def _columns(db: Database) -> list[str]:
    languages = db.rows("select distinct language from title_translations order by 1")
    return [
        *(each.name for each in columns.PLAIN),
        *columns.FOR_READING,
        *(
            f"{what}[{row['language'].lower()}]"
            for row in languages
            for what in ("name", "synopsis")
        ),
        *(f"custom:{each.key}" for each in custom_fields.offered(db)),
    ]


def _rows(
    db: Database, found: Sequence[int], named: Sequence[str]
) -> Iterator[list[str]]:
    yield list(named)
    for title_id in found:
        title = titles.by_id(db, title_id)
        cells = columns.written(db, title, sieve.stage_of(db, title_id), named)
        yield [cells[name] for name in named]
