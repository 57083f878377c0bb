"""What may stand in the fields of a title; each refusal says what would do."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from appliance.catalog.credits import Job, Named
from appliance.catalog.kinds import Kind
from appliance.catalog.translations import Translation
from appliance.cenc import SHORT, KeySystem, Scheme
from appliance.errors import InvalidInput

_FIRST_YEAR, _LAST_YEAR = 1870, 2200
_MOST_GENRES = 12
_MOST_TAGS = 40
_MOST_CREDITS = 200
_MOST_LANGUAGES = 60
_HIGHEST_NUMBER = 9_999
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
    return _long("synopsis", value)


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
    return _names("genres", value, _MOST_GENRES, "genre")


def _tags(value: object) -> tuple[str, ...]:
    return _names("tags", value, _MOST_TAGS, "tag")


def _names(field: str, value: object, most: int, what: str) -> tuple[str, ...]:
    """Return names as somebody gave them, each once however it is written."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise _refusal(field, f"{what.title()}s are a list of names.")
    names = [_line(field, each, 40, f"A {what}") for each in value]
    once: dict[str, str] = {}
    for name in filter(None, names):
        once.setdefault(name.casefold(), name)
    if len(once) > most:
        raise _refusal(field, f"A title has {most} {what}s at most.")
    return tuple(once.values())


def _kind(value: object) -> Kind:
    if value not in tuple(Kind):
        raise _refusal("kind", f"The kind is one of: {', '.join(Kind)}.")
    return Kind(str(value))


def _parent(value: object) -> str:
    return _line("parent", value or "", 100, "What it belongs to")


def _season_number(value: object) -> int | None:
    return _number("season_number", value, "The season")


def _episode_number(value: object) -> int | None:
    return _number("episode_number", value, "The number of the episode")


def _number(field: str, value: object, what: str) -> int | None:
    if value is None or value == "":
        return None
    text = str(value).strip()
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()):
        raise _refusal(field, f"{what} is a whole number from 0 on.")
    # Python refuses to read numbers of thousands of digits.
    if len(text) > 9 or int(text) > _HIGHEST_NUMBER:
        raise _refusal(field, f"{what} is {_HIGHEST_NUMBER:,} at most.")
    return int(text)


def _original_name(value: object) -> str:
    return _line("original_name", value, 200, "The original name")


def _external_id(value: object) -> str | None:
    if value is None:
        return None
    return _line("external_id", value, 100, "The external id") or None


def _credits(value: object) -> tuple[Named, ...]:
    """Take mappings of name, job and character; the same one twice counts once."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise _refusal("credits", "Credits are a list of names with their jobs.")
    named = [_credit(each) for each in value]
    once = tuple(dict.fromkeys(each for each in named if each is not None))
    if len(once) > _MOST_CREDITS:
        raise _refusal("credits", f"A title has {_MOST_CREDITS} credits at most.")
    return once


def _credit(value: object) -> Named | None:
    if isinstance(value, Named):
        value = {"name": value.name, "job": value.job, "character": value.character}
    if not isinstance(value, Mapping) or set(value) - {"name", "job", "character"}:
        raise _refusal("credits", "A credit has a name, a job and a character.")
    name = _line("credits", value.get("name", ""), 120, "A name in the credits")
    if not name:
        return None
    job = value.get("job") or Job.ACTOR
    if job not in tuple(Job):
        raise _refusal("credits", f"The job of a credit is one of: {', '.join(Job)}.")
    character = _line("credits", value.get("character", ""), 120, "A character")
    return Named(name, Job(str(job)), character)


def _translations(value: object) -> dict[str, Translation]:
    """Take a mapping from languages to name and synopsis; an empty one removes it."""
    if not isinstance(value, Mapping):
        raise _refusal("translations", "Translations are given by their language.")
    if len(value) > _MOST_LANGUAGES:
        raise _refusal(
            "translations", f"A title speaks {_MOST_LANGUAGES} languages at most."
        )
    return {_translated_into(each): _translation(told) for each, told in value.items()}


def _translated_into(value: object) -> str:
    tag = _line("translations", value, 35, "A language").replace("_", "-")
    if not _LANGUAGE.fullmatch(tag):
        raise _refusal(
            "translations", "A language is a code such as “en”, “de” or “pt-BR”."
        )
    return tag


def _translation(value: object) -> Translation:
    if isinstance(value, Translation):
        value = {"name": value.name, "synopsis": value.synopsis}
    if not isinstance(value, Mapping) or set(value) - {"name", "synopsis"}:
        raise _refusal("translations", "A translation has a name and a synopsis.")
    name = _line("translations", value.get("name", ""), 200, "A translated name")
    return Translation(name, _long("translations", value.get("synopsis", "")))


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


def _library_id(value: object) -> int | None:
    if value is not None and type(value) is not int:
        raise _refusal("library_id", "A library is named by its key.")
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
    "library_id": _library_id,
    "kind": _kind,
    "parent": _parent,
    "season_number": _season_number,
    "episode_number": _episode_number,
    "original_name": _original_name,
    "external_id": _external_id,
    "tags": _tags,
    "credits": _credits,
    "translations": _translations,
}


def _line(field: str, value: object, longest: int, what: str) -> str:
    """Return a text as one line: white space becomes one blank, controls go."""
    text = " ".join(_text(field, value).split())
    line = "".join(each for each in text if unicodedata.category(each) != "Cc")
    if len(line) > longest:
        raise _refusal(field, f"{what} may have {longest} characters at most.")
    return line


def _long(field: str, value: object) -> str:
    """Return a text of several lines."""
    # Forms send CRLF.
    text = _text(field, value).replace("\r\n", "\n")
    kept = "".join(
        each for each in text if each == "\n" or unicodedata.category(each) != "Cc"
    ).strip()
    if len(kept) > 5000:
        raise _refusal(field, "The synopsis may have 5,000 characters at most.")
    return kept


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
