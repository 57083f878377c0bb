"""Slugs: the part of an address that names a title, in plain ASCII."""

import re
import unicodedata

from appliance.db import Database

_LONGEST = 80
# Letters that Unicode does not take apart into an ASCII letter and a mark.
_FOLDED = str.maketrans(
    {
        "ß": "ss",
        "æ": "ae",
        "Æ": "ae",
        "œ": "oe",
        "Œ": "oe",
        "ø": "o",
        "Ø": "o",
        "đ": "d",
        "Đ": "d",
        "ð": "d",
        "Ð": "d",
        "ł": "l",
        "Ł": "l",
        "þ": "th",
        "Þ": "th",
        "ı": "i",
    }
)


def slug(name: str) -> str:
    """Fold a name to lower-case ASCII words joined by hyphens; it may be empty."""
    apart = unicodedata.normalize("NFKD", name.translate(_FOLDED))
    plain = apart.encode("ascii", "ignore").decode().lower().replace("'", "")
    words = re.findall(r"[a-z0-9]+", plain)
    return "-".join(words)[:_LONGEST].strip("-")


def unique(
    db: Database, name: str, *, table: str = "titles", otherwise: str = "title"
) -> str:
    """Return a slug for ``name`` that no row of ``table`` has, inside write(db).

    A name that has no letter of the alphabet is called ``otherwise``.
    """
    first = slug(name) or otherwise
    taken = {
        row["slug"]
        for row in db.rows(
            f"select slug from {table} where slug = ? or slug glob ?",
            (first, f"{first}-[0-9]*"),
        )
    }
    if first not in taken:
        return first
    number = 2
    while f"{first}-{number}" in taken:
        number += 1
    return f"{first}-{number}"
