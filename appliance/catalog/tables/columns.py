"""The columns of a table of titles: what stands in each, and how it is written.

Lists stand in one cell with `` | `` between. A column that is not there leaves what it
would say as it is; an empty cell empties it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from appliance.catalog import custom_fields, libraries, storing, titles
from appliance.catalog.credits import Job
from appliance.catalog.custom_fields import Field
from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.errors import InvalidInput

KEYS = ("external_id", "slug")
"""What says which title a row is about; the first that is given counts."""

_TRANSLATED = re.compile(r"(name|synopsis)\[([a-z]{2,3}(?:-[a-z0-9]{2,8})*)\]")
_CUSTOM = "custom:"


@dataclass(frozen=True, slots=True)
class Column:
    """A column with the sentence that explains it, and what stands in an example."""

    name: str
    doc: str
    example: str = ""


PLAIN: tuple[Column, ...] = (
    Column(
        "external_id",
        "Your own key: a row with it is the same title next time.",
        "film-0001",
    ),
    Column("slug", "The key in addresses; for titles that have no key of yours."),
    Column(
        "kind",
        "film, documentary, training, series, course, episode, trailer or extra.",
        "film",
    ),
    Column("parent", "The external_id or slug of the series it is a part of."),
    Column("season", "The number of the season; 0 for specials."),
    Column("episode", "The number of the episode."),
    Column("name", "The name people see.", "The First Film"),
    Column("original_name", "What it was called first."),
    Column("synopsis", "What it is about.", "A keeper of bees finds a letter."),
    Column("year", "The year it came out.", "2026"),
    Column("rating", "The age rating, as it is shown.", "12"),
    Column("language", "The spoken language, as en, de or pt-BR.", "en"),
    Column("genres", "Names with | between.", "Drama | Mystery"),
    Column("tags", "Words with | between.", "summer | island"),
    Column(
        "credits",
        "job: name = character, with | between.",
        "director: Ida Ray | actor: Tom Hall = The keeper",
    ),
    Column("library", "The library that says how it is encoded."),
    Column("protected", "yes or no: whether its film is encrypted.", "no"),
)
"""Columns that every installation has, as the template shows them."""

FOR_READING = ("stage",)
"""Columns that an export has and an import passes over."""

_FIELDS: Mapping[str, str] = {"season": "season_number", "episode": "episode_number"}
_AS_TEXT = frozenset(
    {"kind", "name", "original_name", "synopsis", "year", "rating", "language"}
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a row says: fields of a title, its own fields, and what is wrong where."""

    fields: dict[str, Any]
    custom: dict[str, Any]
    errors: dict[str, str]


def check(columns: Iterable[str], own: Iterable[Field]) -> None:
    """Refuse a table whose columns say nothing to us. Errors: ``InvalidInput``."""
    given = [each for each in columns if each]
    known = [each.name for each in PLAIN] + [f"{_CUSTOM}{each.key}" for each in own]
    unknown = [
        each
        for each in given
        if each not in (*known, *FOR_READING) and not _TRANSLATED.fullmatch(each)
    ]
    if unknown:
        named = ", ".join(f"“{each[:40]}”" for each in unknown[:5])
        raise _refusal(
            f"There is no column {named}. There are: {', '.join(known)}, and"
            " name[de], synopsis[de] for other languages."
        )
    twice = {each for each in given if given.count(each) > 1}
    if twice:
        raise _refusal(f"A column stands there twice: {', '.join(sorted(twice))}.")
    if not set(KEYS) & set(given):
        raise _refusal(
            "The table needs a column external_id (or slug), so that a second import"
            " finds the same titles."
        )


def read(db: Database, row: Mapping[str, str], own: Mapping[str, Field]) -> Meaning:
    """Return what the cells of a row say, each checked by itself."""
    meaning = Meaning({}, {}, {})
    for name, text in row.items():
        try:
            _take(db, meaning, name, text, own)
        except InvalidInput as error:
            meaning.errors[name] = error.message
    return meaning


def _take(
    db: Database,
    meaning: Meaning,
    name: str,
    text: str,
    own: Mapping[str, Field],
) -> None:
    translated = _TRANSLATED.fullmatch(name)
    if name in FOR_READING or name in ("parent", "slug"):
        return
    if translated:
        what, language = translated.group(1), _spelt(translated.group(2))
        told = meaning.fields.setdefault("translations", {}).setdefault(language, {})
        told[what] = text
    elif name.startswith(_CUSTOM):
        key = name.removeprefix(_CUSTOM)
        cleaned = custom_fields.clean(db, {key: text}, {key: own[key]})
        meaning.custom.update(cleaned)
    elif name in _READERS:
        meaning.fields.update(_READERS[name](db, text))
    elif name != "kind" or text:
        meaning.fields[_FIELDS.get(name, name)] = text


def written(
    db: Database, title: Title, stage: str, columns: Iterable[str]
) -> dict[str, str]:
    """Return the cells of a title, as :func:`read` takes them."""
    cells = {
        "external_id": title.external_id or "",
        "slug": title.slug,
        "stage": stage,
        "season": _number(title.season_number),
        "episode": _number(title.episode_number),
        "genres": joined(title.genres),
        "protected": "yes" if title.protected else "no",
        **{each: _number(getattr(title, each)) for each in _AS_TEXT},
    }
    for name in columns:
        if name not in cells:
            cells[name] = _written(db, title, name)
    return cells


def parent_key(db: Database, title: Title) -> str:
    """Return what names the title that this one is a part of."""
    if title.parent_id is None:
        return ""
    whole = titles.by_id(db, title.parent_id)
    return whole.external_id or whole.slug


def joined(names: Iterable[str]) -> str:
    """Write a list into one cell."""
    return " | ".join(each.replace("\\", "\\\\").replace("|", "\\|") for each in names)


def parted(text: str) -> tuple[str, ...]:
    """Read a list out of one cell."""
    parts = re.findall(r"(?:\\.|[^|\\]|\\$)+", text, re.DOTALL)
    return tuple(
        re.sub(r"\\(.)", r"\1", each.strip()) for each in parts if each.strip()
    )


def _written(db: Database, title: Title, name: str) -> str:
    translated = _TRANSLATED.fullmatch(name)
    if translated:
        what, language = translated.groups()
        stored = storing.as_stored(db, title.id, "translations")
        told = next((stored[each] for each in stored if each.lower() == language), None)
        return str(getattr(told, what)) if told else ""
    if name.startswith(_CUSTOM):
        return custom_fields.typed(title.custom.get(name.removeprefix(_CUSTOM)))
    return _WRITERS[name](db, title)


def _library(db: Database, text: str) -> dict[str, Any]:
    if not text.strip():
        return {"library_id": None}
    found = next(
        (
            each.id
            for each in libraries.listing(db)
            if text.strip().casefold() in (each.slug, each.name.casefold())
        ),
        None,
    )
    if found is None:
        raise _refusal(f"There is no library “{text[:60]}”.")
    return {"library_id": found}


def _protected(_db: Database, text: str) -> dict[str, Any]:
    word = text.strip().lower()
    if not word:
        return {}
    if word not in ("yes", "no", "true", "false", "1", "0"):
        raise _refusal("Write yes or no.")
    return {"protected": word in ("yes", "true", "1")}


def _credits(_db: Database, text: str) -> dict[str, Any]:
    return {"credits": [_credit(each) for each in parted(text)]}


def _credit(text: str) -> dict[str, str]:
    job, colon, rest = text.partition(":")
    if not colon or job.strip().lower() not in tuple(Job):
        raise _refusal(
            f"“{text[:40]}” is no credit: write “director: Ida Ray”, or"
            f" “actor: Tom Hall = The keeper”. The jobs are: {', '.join(Job)}."
        )
    name, _, character = rest.partition("=")
    return {
        "name": name.strip(),
        "job": job.strip().lower(),
        "character": character.strip(),
    }


_READERS: Mapping[str, Callable[[Database, str], dict[str, Any]]] = {
    "genres": lambda _db, text: {"genres": parted(text)},
    "tags": lambda _db, text: {"tags": parted(text)},
    "credits": _credits,
    "library": _library,
    "protected": _protected,
}


def _credits_text(db: Database, title: Title) -> str:
    named = storing.as_stored(db, title.id, "credits")
    return joined(
        f"{each.job}: {each.name}" + (f" = {each.character}" if each.character else "")
        for each in named
    )


def _library_text(db: Database, title: Title) -> str:
    return libraries.slugs_by_id(db).get(title.library_id or 0, "")


_WRITERS: Mapping[str, Callable[[Database, Title], str]] = {
    "parent": parent_key,
    "tags": lambda db, title: joined(storing.as_stored(db, title.id, "tags")),
    "credits": _credits_text,
    "library": _library_text,
}


def _spelt(language: str) -> str:
    """Write a language as people do: pt-BR, zh-Hant."""
    first, *rest = language.split("-")
    return "-".join(
        [
            first,
            *({2: each.upper(), 4: each.title()}.get(len(each), each) for each in rest),
        ]
    )


def _number(value: object) -> str:
    return "" if value is None else str(value)


def _refusal(sentence: str) -> InvalidInput:
    return InvalidInput("table.column", sentence, {"field": "table"})
