"""Text as it is searched: no capitals, no accents, letters that look alike are alike.

SQLite takes accents off as well, but not from letters that Unicode keeps whole (ø, ł),
and it reads a sentence of Chinese or Japanese as one word.
"""

import re
import unicodedata

_WHOLE = str.maketrans(
    {
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ł": "l",
        "þ": "th",
        "ħ": "h",
        "ı": "i",
        "_": " ",
        "\0": " ",
    }
)
_WITHOUT_BLANKS = re.compile(r"[぀-ヿ㐀-䶿一-鿿豈-﫿가-힯]")
_WORD = re.compile(r"\w+")
_LONGEST_WORD = 40


def fold(text: str) -> str:
    """Return a text as it is indexed and as it is looked for."""
    storable = text.encode(errors="ignore").decode()
    apart = unicodedata.normalize("NFKD", storable.casefold())
    plain = "".join(each for each in apart if not unicodedata.combining(each))
    whole = unicodedata.normalize("NFKC", plain).translate(_WHOLE)
    return " ".join(_WITHOUT_BLANKS.sub(r" \g<0> ", whole).split())


def words(text: str) -> list[str]:
    """Return the words of a folded text."""
    return [each[:_LONGEST_WORD] for each in _WORD.findall(text)]


def grams(word: str) -> set[str]:
    """Return the threes of letters in a word; its beginning counts as letters too."""
    padded = f"  {word}"
    return {padded[place : place + 3] for place in range(len(padded) - 2)}
