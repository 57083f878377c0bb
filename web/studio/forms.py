"""What forms and addresses of the Studio carry, read into values of the core."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from flask import request

from appliance import clock
from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.errors import InvalidInput

_Kind = TypeVar("_Kind", bound=StrEnum)


def title_fields() -> dict[str, Any]:
    """Return what the title form says; genres are names between commas.

    Where the form asks whether the film is protected, no tick means no.
    """
    protection = (
        {"protected": "protected" in request.form}
        if "asks-protection" in request.form
        else {}
    )
    return {
        "name": request.form.get("name", ""),
        "synopsis": request.form.get("synopsis", ""),
        "year": request.form.get("year", "").strip() or None,
        "rating": request.form.get("rating", ""),
        "language": request.form.get("language", "").strip(),
        "genres": tuple(request.form.get("genres", "").split(",")),
        **protection,
    }


def revision() -> int | None:
    """Return which revision a form was made from; None where it does not say."""
    text = request.form.get("revision", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else None


def protection_fields() -> dict[str, Any]:
    """Return what the protection form says; ``policy`` is a name, or empty."""
    return {
        "protected": "protected" in request.form,
        "key_systems": tuple(request.form.getlist("key_systems")),
        "scheme": request.form.get("scheme", ""),
        "policy": request.form.get("policy", ""),
    }


def typed() -> Mapping[str, str]:
    """Return the title form as it was typed, to be shown again beside a refusal."""
    return request.form


def as_typed(title: Title) -> Mapping[str, object]:
    """Return what the form of a title shows."""
    return {
        "name": title.name,
        "synopsis": title.synopsis,
        "year": title.year,
        "rating": title.rating,
        "language": title.language,
        "genres": ", ".join(title.genres),
        "library_id": title.library_id,
    }


def one_of(kind: type[_Kind], name: str) -> _Kind | None:
    """Return the filter of that name in the address; None when it says nothing."""
    try:
        return kind(request.args.get(name, ""))
    except ValueError:
        return None


def page() -> int:
    """Return which page of a list is asked for, from 1."""
    try:
        return min(max(1, int(request.args.get("page", "1"))), 100_000)
    except ValueError:
        return 1


def days_until(db: Database, moment: str) -> int:
    """Return how many whole days there are until a moment of the database."""
    return (clock.from_text(moment) - db.clock.now()).days


def wants_json() -> bool:
    """Say whether a script asks, which needs no page to go to next."""
    return request.accept_mimetypes.best == "application/json"


@contextmanager
def uploaded(name: str) -> Iterator[Path]:
    """Keep an uploaded file for a block. Errors: ``InvalidInput`` without one."""
    file = request.files.get(name)
    if file is None or not file.filename:
        raise InvalidInput("artwork.none", "Choose a picture first.")
    with closing(file), tempfile.NamedTemporaryFile(prefix="matinee-") as kept:
        file.save(kept)
        kept.flush()
        yield Path(kept.name)
