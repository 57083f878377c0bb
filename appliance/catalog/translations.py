"""What titles are called and said to be in other languages than their own."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from appliance.db import Database


@dataclass(frozen=True, slots=True)
class Translation:
    """A name and a synopsis; where one is empty, that of the title itself is shown."""

    name: str = ""
    synopsis: str = ""


def of_title(db: Database, title_id: int) -> dict[str, Translation]:
    """Return the translations of a title by their language."""
    rows = db.conn.execute(
        """
        select language, name, synopsis from title_translations
        where title_id = ? order by language
        """,
        (title_id,),
    )
    return {language: Translation(name, text) for language, name, text in rows}


def told(
    db: Database, title_ids: Iterable[int], language: str
) -> dict[int, Translation]:
    """Return what viewers of ``language`` read of these titles, where there is any.

    Whoever reads pt-BR is told in pt where that is all there is.
    """
    exact, short = language.lower(), language.lower().partition("-")[0]
    rows = db.conn.execute(
        """
        select title_id, name, synopsis from title_translations
        where title_id in (select value from json_each(?))
            and lower(language) in (?, ?)
        order by lower(language) = ?
        """,
        (json.dumps(list(title_ids)), exact, short, exact),
    )
    return {title: Translation(name, synopsis) for title, name, synopsis in rows}


def assign(db: Database, title_id: int, changes: Mapping[str, Translation]) -> None:
    """Keep these translations beside the others, inside the transaction that is open.

    An empty one is removed.
    """
    for language, told in changes.items():
        if told == Translation():
            db.conn.execute(
                "delete from title_translations where title_id = ? and language = ?",
                (title_id, language),
            )
            continue
        db.conn.execute(
            """
            insert into title_translations (title_id, language, name, synopsis)
            values (?, ?, ?, ?)
            on conflict (title_id, language) do update set
                name = excluded.name, synopsis = excluded.synopsis
            """,
            (title_id, language, told.name, told.synopsis),
        )
