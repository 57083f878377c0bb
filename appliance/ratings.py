"""Ratings: the age that a rating's text stands for, whichever board gave it.

Where two boards use the same letters for different ages the higher one counts, unless
the text names the board: a profile with a limit is rather shown too little.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

_OLDEST = 21
_NUMBER = re.compile(r"(?:ab\s*|-\s*)?(\d{1,2})\s*(?:\+|a|jahren?|ans)?")
_BOARD = re.compile(
    r"(fsk|usk|pegi|bbfc|mpaa?|csa)\b[\s:_-]*(?=\S)|(fsk|usk|pegi)(?=\d)"
)

_LETTERS: Mapping[str, int] = {
    # British Board of Film Classification; PG is about eight there
    "u": 0,
    "uc": 0,
    "r18": 18,
    # Motion Picture Association
    "g": 0,
    "pg": 10,
    "pg-13": 13,
    "r": 17,
    "nc-17": 18,
    # TV Parental Guidelines
    "tv-y": 0,
    "tv-y7": 7,
    "tv-y7-fv": 7,
    "tv-g": 0,
    "tv-pg": 10,
    "tv-14": 14,
    "tv-ma": 17,
    # Centre national du cinéma and the CSA
    "tp": 0,
    "tous publics": 0,
    "tout public": 0,
}
_LETTERS_OF: Mapping[str, Mapping[str, int]] = {"bbfc": {"pg": 8}}


@lru_cache(maxsize=1024)
def age(rating: str) -> int | None:
    """Return from which age on a film with this rating is for; None: nobody can say.

    Understands bare numbers (``12``, ``16+``), FSK, USK, PEGI, BBFC, MPA, the TV
    guidelines and those of France (``-10``, ``TP``).
    """
    text = " ".join(rating.casefold().split())
    board = _BOARD.match(text)
    name = (board.group(1) or board.group(2)) if board else ""
    rest = text[board.end() :] if board else text
    letters = {**_LETTERS, **_LETTERS_OF.get(name, {})}
    if rest in letters:
        return letters[rest]
    number = _NUMBER.fullmatch(rest)
    years = int(number.group(1)) if number else _OLDEST + 1
    return years if years <= _OLDEST else None
