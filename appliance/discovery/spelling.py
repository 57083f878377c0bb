"""Misspelt words: which of those that titles and people are called was meant."""

from dataclasses import dataclass

from rapidfuzz.distance import OSA

from appliance.db import Database
from appliance.discovery import folding

_SHORTEST = 3
_SHORT = 5
_CANDIDATES = 60
_MOST = 3
# More endings than these cost more than looking for all that begins so.
_ENDINGS = 12


@dataclass(frozen=True, slots=True)
class Corrected:
    """What was probably meant, and what FTS5 looks for instead: either spelling."""

    words: list[str]
    match: str


def corrected(db: Database, words: list[str]) -> Corrected:
    """Return the words with those that are called nothing like this put right."""
    best, parts = list[str](), list[str]()
    for place, word in enumerate(words):
        last = place == len(words) - 1
        close = [] if _known(db, word, last) else _close(db, word)
        best.append(close[0] if close else word)
        own = _ended(db, word) if last else quoted(word)
        either = " OR ".join([own, *map(quoted, close)])
        parts.append(f"({either})")
    return Corrected(best, " AND ".join(parts))


def spelt_out(db: Database, words: list[str]) -> str:
    """Write words for FTS5, the last from its beginning, to be looked for in names.

    FTS5 gathers all that begins so before it looks whether it has the other words;
    words it is given whole, it does not.
    """
    return " AND ".join([*map(quoted, words[:-1]), f"({_ended(db, words[-1])})"])


def quoted(word: str) -> str:
    """Write a word so that FTS5 takes it for nothing but a word."""
    return '"' + word.replace('"', '""') + '"'


def _ended(db: Database, word: str) -> str:
    """Write all that names are known to have that begins like this, if that is few."""
    if len(word) >= _SHORTEST and not word.isdigit():
        rows = db.conn.execute(
            "select word from search_words where word >= ? and word < ? limit ?",
            (word, f"{word}\U0010ffff", _ENDINGS + 1),
        )
        found = [each for (each,) in rows]
        if 0 < len(found) <= _ENDINGS:
            return " OR ".join(map(quoted, found))
    return quoted(word) + "*"


def _known(db: Database, word: str, may_go_on: bool) -> bool:
    most = f"{word}\U0010ffff" if may_go_on else word
    return bool(
        db.value(
            "select 1 from search_words where word >= ? and word <= ? limit 1",
            (word, most),
        )
    )


def _close(db: Database, word: str) -> list[str]:
    """Return the nearest words: one slip away, in long ones two."""
    if len(word) < _SHORTEST or word.isdigit():
        return []
    slips = 1 if len(word) <= _SHORT else 2
    near = sorted(
        (distance, each)
        for each in _candidates(db, word, slips)
        if (distance := OSA.distance(word, each, score_cutoff=slips)) <= slips
    )
    return [each for distance, each in near if distance == near[0][0]][:_MOST]


def _candidates(db: Database, word: str, slips: int) -> set[str]:
    """Return words that share threes of letters; short ones need only begin alike."""
    span = {"least": len(word) - slips, "most": len(word) + slips}
    grams = sorted(folding.grams(word))
    marks = ", ".join(f":gram{place}" for place in range(len(grams)))
    rows = db.conn.execute(
        _ALIKE.format(marks=marks),
        span
        | {f"gram{place}": gram for place, gram in enumerate(grams)}
        | {"limit": _CANDIDATES},
    )
    found = {row[0] for row in rows}
    if len(word) <= _SHORT:
        rows = db.conn.execute(_BEGIN_ALIKE, span | {"first": word[0]})
        found |= {row[0] for row in rows}
    return found


# The first letter alone says too little to be worth looking at all its words. The plus
# keeps SQLite from walking through every word to have them grouped.
_ALIKE = """
select word from (
    select word_id, count(*) as shared from search_grams
    where gram in ({marks}) and gram not like '  _'
    group by +word_id order by shared desc limit :limit
)
join search_words on search_words.id = word_id
where length(word) between :least and :most
"""
_BEGIN_ALIKE = """
select word from search_words
where word >= :first and word < :first || char(1114111)
    and length(word) between :least and :most
"""
