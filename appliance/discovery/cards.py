"""Titles as rows and grids show them.

Rows choose titles by their keys alone, cheaply; what stands on the cards is then read
once for all of them.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from appliance.catalog import translations
from appliance.db import Database
from appliance.permissions import Actor

_NEW_DAYS = 14
_LEAVING_DAYS = 30


@dataclass(frozen=True, slots=True)
class Card:
    """A title as rows and grids show it; ``art`` and ``poster`` are artwork ids.

    ``progress`` is a fraction, and with ``minutes_left`` None before it began.
    ``label`` is what the edge writes under the name, ``href`` where the card leads,
    ``leaves`` when the title goes within a month (UTC text), ``preview`` the
    address of its silent clip. Of an episode, ``name`` is that of its series.
    """

    slug: str
    name: str
    synopsis: str
    year: int | None
    rating: str
    genres: tuple[str, ...]
    minutes: int | None
    art: str | None
    poster: str | None
    progress: float | None
    minutes_left: int | None
    new: bool
    kind: str = "film"
    label: str = ""
    href: str = ""
    leaves: str | None = None
    preview: str = ""
    required: bool = False
    season: int | None = None
    episode: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A heading with cards; ``more_url`` leads to the rest, if there is more."""

    key: str
    heading: str
    cards: tuple[Card, ...]
    more_url: str | None


@dataclass(frozen=True, slots=True)
class Begun:
    """How far somebody is in a title, in seconds."""

    position: float
    duration: float


def of_ids(
    db: Database,
    viewer: Actor,
    ids: Iterable[int],
    language: str = "",
    begun: Mapping[int, Begun] | None = None,
) -> dict[int, Card]:
    """Return the cards of titles by their keys, in the order of ``ids``.

    Whoever asks must have chosen titles that the viewer may see. ``begun`` has those
    that somebody is in the middle of.
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return {}
    params = {
        "ids": json.dumps(wanted),
        "now": db.now(),
        "account": viewer.account_id,
        "group": viewer.as_group,
        "country": viewer.country,
    }
    rows = {row["id"]: row for row in db.rows(_CARDS, params)}
    wholes = {row["whole_id"] for row in rows.values() if row["whole_id"]}
    told = translations.told(db, [*rows, *wholes], language) if language else {}
    moments = db.now(days=-_NEW_DAYS), db.now(days=_LEAVING_DAYS)
    return {
        each: _card(rows[each], told, moments, (begun or {}).get(each))
        for each in wanted
        if each in rows
    }


_CARDS = """
select titles.id, titles.slug, titles.name, titles.synopsis, titles.year,
    titles.rating, titles.runtime_seconds, titles.backdrop, titles.poster,
    titles.published_at, titles.kind, titles.season_number, titles.episode_number,
    titles.parent_id as whole_id, whole.name as whole_name,
    whole.backdrop as whole_backdrop, whole.poster as whole_poster,
    (
        select group_concat(name, char(31)) from (
            select genres.name from title_genres
            join genres on genres.id = title_genres.genre_id
            where title_genres.title_id = titles.id
            order by title_genres.rowid
        )
    ) as genres,
    (
        select assets.preview from assets
        where assets.title_id = titles.id and assets.role = 'main'
            and assets.state = 'ready'
        order by assets.id desc limit 1
    ) as preview,
    case when titles.windowed then (
        select max(coalesce(w.ends_at, '~')) from availability_windows w
        where w.title_id = coalesce(
            (
                select own.title_id from availability_windows own
                where own.title_id = titles.id limit 1
            ),
            titles.parent_id
        )
        and coalesce(w.starts_at, '') <= :now
        and (w.ends_at is null or w.ends_at > :now)
        and (
            w.group_id is null or w.group_id = :group or w.group_id in (
                select group_id from group_members where account_id = :account
            )
        )
        and (
            w.territories = '[]' or exists (
                select 1 from json_each(w.territories) where value = :country
            )
        )
    ) end as leaves
from titles
left join titles whole on whole.id = titles.parent_id
where titles.id in (select value from json_each(:ids))
"""


def _card(
    row: Mapping[str, Any],
    told: Mapping[int, translations.Translation],
    moments: tuple[str, str],
    begun: Begun | None,
) -> Card:
    newest, soon = moments
    nothing = translations.Translation()
    own, whole = told.get(row["id"], nothing), told.get(row["whole_id"], nothing)
    name = own.name or row["name"]
    if row["whole_id"] and row["kind"] == "episode":
        name = whole.name or row["whole_name"] or name
    seconds, published = row["runtime_seconds"], row["published_at"]
    leaves = row["leaves"]
    return Card(
        slug=row["slug"],
        name=name,
        synopsis=own.synopsis or row["synopsis"],
        year=row["year"],
        rating=row["rating"],
        genres=tuple(row["genres"].split("\x1f")) if row["genres"] else (),
        minutes=round(seconds / 60) if seconds else None,
        art=row["backdrop"] or row["whole_backdrop"],
        poster=row["poster"] or row["whole_poster"],
        progress=begun.position / begun.duration if begun else None,
        minutes_left=(round((begun.duration - begun.position) / 60) if begun else None),
        new=published is not None and published >= newest,
        kind=row["kind"],
        leaves=leaves if leaves and leaves <= soon else None,
        preview=f"/preview/{row['slug']}/{row['preview']}.mp4"
        if row["preview"]
        else "",
        season=row["season_number"],
        episode=row["episode_number"],
    )
