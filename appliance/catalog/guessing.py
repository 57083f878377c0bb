"""What a file name says of its film: which episode of which series, or what else.

Nothing is done by this: somebody looks at the guesses, mends them, and says so.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from guessit import guessit
from guessit.api import GuessitException

from appliance.catalog.kinds import CONTAINERS, Kind
from appliance.db import Database
from appliance.errors import InvalidInput
from appliance.permissions import Actor, visible

MOST = 500
_LONGEST_FILENAME = 255
_LONGEST = 120
# What guessit takes for the name of an episode, and is a step of the work on it.
_NO_NAME = re.compile(
    r"(master|final|export|proxy|online|conform|mix(down)?|v?\d+|take \d+|copy"
    r"|prores|dnxhd|\d{3,4}p)( \d+)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Guess:
    """What a film seems to be; ``series`` names the series, ``slug`` one that exists.

    ``name`` may be empty for an episode: it is then called by its number.
    """

    filename: str
    kind: Kind
    name: str
    series: str = ""
    slug: str = ""
    season: int | None = None
    episode: int | None = None
    year: int | None = None
    language: str = ""


def guess(
    db: Database, actor: Actor, filenames: Sequence[str], *, into: str = ""
) -> list[Guess]:
    """Return a guess for each file name, in their order.

    ``into`` is the name of a series that all are for.
    Errors: ``InvalidInput`` for more than :data:`MOST`.
    """
    if len(filenames) > MOST:
        raise InvalidInput("upload.too-many", f"Choose {MOST} files at a time at most.")
    known = _series(db, actor)
    return [_guess(filename, known, into) for filename in filenames]


def shared(guesses: Sequence[Guess]) -> bool:
    """Say whether any of them is more than a film by itself."""
    return any(each.kind is not Kind.FILM for each in guesses)


def _guess(filename: str, known: Mapping[str, tuple[str, str]], into: str) -> Guess:
    shown = "".join(each for each in filename if each.isprintable())
    found = _found(shown[-_LONGEST_FILENAME:])
    title, name = _text(found.get("title")), _text(found.get("episode_title"))
    year, language = found.get("year"), _language(found.get("language"))
    season, number = _first(found.get("season")), _first(found.get("episode"))
    if into or (found.get("type") == "episode" and number is not None):
        series = into or title
        slug, spelt = known.get(series.casefold(), ("", series))
        return Guess(
            filename,
            Kind.EPISODE,
            "" if _NO_NAME.fullmatch(name) else name,
            spelt,
            slug,
            1 if season is None and number is not None else season,
            number,
            year if isinstance(year, int) else None,
            language,
        )
    kind = Kind.TRAILER if "Trailer" in _list(found.get("other")) else Kind.FILM
    slug, spelt = "", ""
    if kind is Kind.TRAILER:
        slug, spelt = known.get(title.casefold(), ("", ""))
    stem = re.sub(r"\.[A-Za-z0-9]{1,8}$", "", shown)
    plain = " ".join(re.sub(r"[._]+", " ", stem).split())
    return Guess(
        filename,
        kind if spelt else Kind.FILM,
        (title or plain or "Untitled")[:_LONGEST],
        spelt,
        slug,
        year=year if isinstance(year, int) else None,
        language=language,
    )


def _found(filename: str) -> Mapping[str, Any]:
    try:
        return dict(guessit(filename))
    except GuessitException:
        return {}


def _series(db: Database, actor: Actor) -> dict[str, tuple[str, str]]:
    """Return slug and name of what others can belong to, by the name in any case."""
    predicate, params = visible(actor, db.now())
    kinds = ", ".join(f"'{each.value}'" for each in sorted(CONTAINERS))
    rows = db.rows(
        f"""
        select slug, name, kind in ({kinds}) as whole from titles
        where parent_id is null and {predicate}
            and (kind in ({kinds}) or id in (
                select id from titles order by id desc limit 5000
            ))
        order by whole, id desc
        """,
        params,
    )
    return {row["name"].casefold(): (row["slug"], row["name"]) for row in rows}


def _text(value: object) -> str:
    return " ".join(str(_first(value) or "").split())[:_LONGEST]


def _language(value: object) -> str:
    code = getattr(_first(value), "alpha2", "")
    return str(code)


def _first(value: object) -> Any:
    return next(iter(_list(value)), None)


def _list(value: object) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
