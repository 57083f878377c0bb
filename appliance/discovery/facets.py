"""What a viewer can filter by: only what would find something they may see."""

from dataclasses import dataclass

from appliance.captions import languages
from appliance.db import Database
from appliance.discovery.filters import KINDS
from appliance.permissions import Actor, visible

_AGES = (0, 6, 12, 16, 18)
_MOST_TAGS = 200

Choice = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Facets:
    """Pairs of what an address holds and what people read."""

    kinds: tuple[str, ...]
    genres: tuple[Choice, ...]
    tags: tuple[Choice, ...]
    languages: tuple[Choice, ...]
    captions: tuple[Choice, ...]
    ages: tuple[int, ...]


def facets(db: Database, viewer: Actor) -> Facets:
    """Return the choices of a viewer; a few short reads for each."""
    predicate, seen = visible(viewer, db.now())
    limit = viewer.rating_limit
    return Facets(
        kinds=tuple(
            kind
            for kind in KINDS
            if db.value(_KIND.format(visible=predicate), {**seen, "kind": kind})
        ),
        genres=_pairs(db, _GENRES.format(visible=predicate), seen),
        tags=_pairs(db, _TAGS.format(visible=predicate), {**seen, "most": _MOST_TAGS}),
        languages=_languages(db, "audio"),
        captions=_languages(db, "text"),
        ages=tuple(age for age in _AGES if limit is None or age <= limit),
    )


def _pairs(db: Database, sql: str, params: dict[str, object]) -> tuple[Choice, ...]:
    return tuple((slug, name) for slug, name in db.conn.execute(sql, params))


def _languages(db: Database, kind: str) -> tuple[Choice, ...]:
    found = [row[0] for row in db.conn.execute(_SPOKEN, {"kind": kind})]
    named = {tag.split("-")[0] for tag in found if tag not in ("", "und")}
    pairs = ((tag, languages.name(tag)) for tag in named)
    return tuple(sorted(pairs, key=lambda pair: pair[1].casefold()))


_KIND = """
select 1 from titles
where kind = :kind and parent_id is null and state = 'published' and {visible}
limit 1
"""
_GENRES = """
select slug, name from genres
where exists (
    select 1 from title_genres
    cross join titles on titles.id = title_genres.title_id
    where title_genres.genre_id = genres.id and title_genres.shown_at is not null
        and titles.parent_id is null and {visible}
)
order by name collate nocase
"""
_TAGS = """
select slug, name from tags
where exists (
    select 1 from title_tags
    cross join titles on titles.id = title_tags.title_id
    where title_tags.tag_id = tags.id and titles.parent_id is null
        and titles.state = 'published' and {visible}
)
order by name collate nocase
limit :most
"""
# From one language to the next by the index, however many tracks there are of each.
_SPOKEN = """
with recursive spoken (language) as (
    select min(language) from tracks where kind = :kind and retired_at is null
    union all
    select (
        select min(language) from tracks
        where kind = :kind and retired_at is null and language > spoken.language
    )
    from spoken where spoken.language is not null
)
select language from spoken where language is not null
"""
