"""What a title is, and how one is read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from appliance.catalog.kinds import Kind
from appliance.cenc import KeySystem, Scheme
from appliance.db import Row


class TitleState(StrEnum):
    """Where a title stands; :mod:`appliance.catalog.states` moves it."""

    DRAFT = "draft"
    PROCESSING = "processing"
    READY = "ready"
    PUBLISHED = "published"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class Title:
    """What is listed. ``poster`` and ``backdrop`` are public ids of artwork.

    ``genres`` stand in the order somebody gave them, the main one first. A protected
    title opens with its ``key_systems`` and is encrypted by its ``scheme``; those of
    the house where they are empty. ``policy_id`` is that of its licences,
    ``library_id`` of the titles that are encoded alike.

    An episode names its series, and an extra what it belongs to, in ``parent_id``.
    ``age`` is what ``rating`` stands for (None: nobody can say), ``revision`` counts
    changes of its description, ``windowed`` says that it has windows of availability.
    """

    id: int
    public_id: str
    slug: str
    kind: Kind
    name: str
    synopsis: str
    year: int | None
    rating: str
    language: str
    runtime_seconds: float | None
    state: TitleState
    protected: bool
    genres: tuple[str, ...]
    created_by: int | None
    created_at: str
    updated_at: str
    published_at: str | None
    poster: str | None
    backdrop: str | None
    key_systems: tuple[KeySystem, ...] = ()
    scheme: Scheme | None = None
    policy_id: int | None = None
    library_id: int | None = None
    parent_id: int | None = None
    season_number: int | None = None
    episode_number: int | None = None
    original_name: str = ""
    logo: str | None = None
    age: int | None = None
    windowed: bool = False
    external_id: str | None = None
    revision: int = 1
    review: str = ""
    review_note: str = ""
    removed_at: str | None = None
    removed_from: str | None = None
    custom: Mapping[str, Any] = field(default_factory=dict)


SELECT = """
select titles.*, (
    select group_concat(name, char(31))
    from (
        select genres.name from title_genres
        join genres on genres.id = title_genres.genre_id
        where title_genres.title_id = titles.id
        order by title_genres.rowid
    )
) as genres
from titles
"""


def from_row(row: Row) -> Title:
    """Return the title that a row of :data:`SELECT` is."""
    names = row["genres"]
    return Title(
        **row
        | {
            "kind": Kind(row["kind"]),
            "state": TitleState(row["state"]),
            "protected": bool(row["protected"]),
            "genres": tuple(names.split("\x1f")) if names else (),
            "key_systems": tuple(map(KeySystem, json.loads(row["key_systems"]))),
            "scheme": Scheme(row["scheme"]) if row["scheme"] else None,
            "windowed": bool(row["windowed"]),
            "custom": json.loads(row["custom"]),
        }
    )
