"""What may stand in the fields of a title; each refusal says what would do."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from appliance.cenc import SHORT, KeySystem, Scheme
from appliance.errors import InvalidInput

_FIRST_YEAR, _LAST_YEAR = 1870, 2200
_MOST_GENRES = 12
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", re.IGNORECASE | re.ASCII)


def clean(fields: Mapping[str, object]) -> dict[str, Any]:
    """Return the fields of a title as the title has them, or refuse with a sentence.

    Errors: ``InvalidInput``, with the name of the field in its details.
    """
    cleaned = {}
    for name, value in fields.items():
        if name not in _CLEANERS:
            raise _refusal(name, f"A title has no field “{name}”.")
        cleaned[name] = _CLEANERS[name](value)
    return cleaned


def _name(value: object) -> str:
    name = _line("name", value, 200, "The name")
    if not name:
        raise _refusal("name", "Give the title a name.")
    return name


def _synopsis(value: object) -> str:
    text = _text("synopsis", value)
    kept = "".join(
        each for each in text if each == "\n" or unicodedata.category(each) != "Cc"
    ).strip()
    if len(kept) > 5000:
        raise _refusal("synopsis", "The synopsis may have 5,000 characters at most.")
    return kept


def _year(value: object) -> int | None:
    if value is None or value == "":
        return None
    try:
        year = int(str(value))
    except ValueError:
        year = 0
    if isinstance(value, bool) or not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise _refusal(
            "year", f"The year is a number from {_FIRST_YEAR} to {_LAST_YEAR}."
        )
    return year


def _rating(value: object) -> str:
    return _line("rating", value, 20, "The rating")


def _language(value: object) -> str:
    tag = _line("language", value, 35, "The language").replace("_", "-")
    if tag and not _LANGUAGE.fullmatch(tag):
        raise _refusal(
            "language", "The language is a code such as “en”, “de” or “pt-BR”."
        )
    return tag


def _genres(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise _refusal("genres", "Genres are a list of names.")
    names = [_line("genres", each, 40, "A genre") for each in value]
    once: dict[str, str] = {}
    for name in filter(None, names):
        once.setdefault(name.casefold(), name)
    if len(once) > _MOST_GENRES:
        raise _refusal("genres", f"A title has {_MOST_GENRES} genres at most.")
    return tuple(once.values())


def _protected(value: object) -> bool:
    if not isinstance(value, bool):
        raise _refusal("protected", "Protected is either true or false.")
    return value


def _key_systems(value: object) -> tuple[KeySystem, ...]:
    """Take short names or those of EME, in any order; none: as the library."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise _refusal("key_systems", "Key systems are a list of names.")
    named = set(value)
    unknown = named - set(SHORT) - set(KeySystem)
    if unknown:
        names = ", ".join(SHORT)
        raise _refusal("key_systems", f"The key systems are: {names}.")
    return tuple(
        system for short, system in SHORT.items() if named & {short, system.value}
    )


def _scheme(value: object) -> Scheme | None:
    if value is None or value == "":
        return None
    if value not in tuple(Scheme):
        raise _refusal("scheme", f"The scheme is one of: {', '.join(Scheme)}.")
    return Scheme(str(value))


def _policy_id(value: object) -> int | None:
    if value is not None and type(value) is not int:
        raise _refusal("policy_id", "A licence policy is named by its key.")
    return value


_CLEANERS: Mapping[str, Callable[[object], Any]] = {
    "name": _name,
    "synopsis": _synopsis,
    "year": _year,
    "rating": _rating,
    "language": _language,
    "genres": _genres,
    "protected": _protected,
    "key_systems": _key_systems,
    "scheme": _scheme,
    "policy_id": _policy_id,
}


def _line(field: str, value: object, longest: int, what: str) -> str:
    """Return a text as one line: white space becomes one blank, controls go."""
    text = " ".join(_text(field, value).split())
    line = "".join(each for each in text if unicodedata.category(each) != "Cc")
    if len(line) > longest:
        raise _refusal(field, f"{what} may have {longest} characters at most.")
    return line


def _text(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise _refusal(field, f"The {field} is a text.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _refusal(field, f"The {field} is not proper Unicode text.") from error
    return unicodedata.normalize("NFC", value)


def _refusal(field: str, sentence: str) -> InvalidInput:
    return InvalidInput(f"title.{field}", sentence, {"field": field})
