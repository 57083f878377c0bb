"""What somebody wishes of many titles, and what came of it, in words."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from appliance.catalog import fields, libraries
from appliance.db import Database
from appliance.errors import InvalidInput

MOVES: Mapping[str, str] = {
    "review": "Ask for a review",
    "publish": "Publish",
    "unpublish": "Take out of the portal",
    "archive": "Archive",
    "restore": "Take out of the archive",
    "trash": "Put into the trash",
}
NONE = "-"
"""What stands for nothing where an empty field means that all stays as it is."""

LABELS: Mapping[str, str] = {
    "genres": "Genres",
    "tags": "Tags",
    "rating": "Rating",
    "language": "Language",
    "library_id": "Library",
    "state": "State",
    "review": "Review",
    "removed": "Trash",
}
_LISTS = ("add_genres", "drop_genres", "add_tags", "drop_tags")


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one title, before and after, as people read it."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Wish:
    """What many titles are to become; what is empty stays as it is.

    ``rating``, ``language`` and ``library`` (a slug or name) are taken away with
    :data:`NONE`. ``move`` is one of :data:`MOVES`.
    """

    add_genres: tuple[str, ...] = ()
    drop_genres: tuple[str, ...] = ()
    add_tags: tuple[str, ...] = ()
    drop_tags: tuple[str, ...] = ()
    rating: str = ""
    language: str = ""
    library: str = ""
    move: str = ""

    @classmethod
    def read(cls, values: Mapping[str, object]) -> Self:
        """Take what a form, a body or a command says; lists may have commas.

        Errors: ``InvalidInput`` with the name of the field in its details.
        """
        said: dict[str, Any] = {name: _names(name, values.get(name)) for name in _LISTS}
        for name in ("rating", "language", "library", "move"):
            said[name] = _text(name, values.get(name))
        wish = cls(**said)
        if wish.move and wish.move not in MOVES:
            raise _refusal("move", f"The move is one of: {', '.join(MOVES)}.")
        if wish == cls():
            raise _refusal("", "Say what is to change.")
        return wish

    def typed(self) -> dict[str, str]:
        """Return it as a form carries it."""
        return {
            name: ", ".join(value) if isinstance(value, tuple) else value
            for name, value in dataclasses.asdict(self).items()
        }

    def said(self) -> str:
        """Say it in one line, for the list of what was done."""
        parts = [
            f"{_SAID[name]} {value}"
            for name, value in self.typed().items()
            if value and name != "move"
        ]
        return "; ".join(parts + ([MOVES[self.move]] if self.move else []))


_SAID: Mapping[str, str] = {
    "add_genres": "Add genres:",
    "drop_genres": "Take away genres:",
    "add_tags": "Add tags:",
    "drop_tags": "Take away tags:",
    "rating": "Rating:",
    "language": "Language:",
    "library": "Library:",
}


def differences(
    db: Database, before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[Change, ...]:
    """Return what is not as it was, in words."""
    return tuple(
        Change(
            LABELS[name], _said(db, name, before[name]), _said(db, name, after[name])
        )
        for name in LABELS
        if before[name] != after[name]
    )


def _said(db: Database, name: str, value: Any) -> str:
    if name == "library_id":
        return next((e.name for e in libraries.listing(db) if e.id == value), "")
    if name == "removed":
        return "in it" if value else ""
    return ", ".join(value) if isinstance(value, list) else str(value or "")


def _names(field: str, value: object) -> tuple[str, ...]:
    given = value.split(",") if isinstance(value, str) else value or ()
    kind = field.partition("_")[2]
    try:
        names: tuple[str, ...] = fields.clean({kind: given})[kind]
    except InvalidInput as error:
        raise _refusal(field, error.message) from error
    return names


def _text(field: str, value: object) -> str:
    if not isinstance(value, str | None):
        raise _refusal(field, f"The {field} is a text.")
    text = (value or "").strip()
    if text and text != NONE and field in ("rating", "language"):
        try:
            text = fields.clean({field: text})[field]
        except InvalidInput as error:
            raise _refusal(field, error.message) from error
    return text[:200]


def _refusal(field: str, sentence: str) -> InvalidInput:
    return InvalidInput("bulk.wish", sentence, {"field": field})
