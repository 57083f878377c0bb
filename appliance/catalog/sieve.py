"""The Studio's list of titles: what it is sifted by, in which order, page by page.

A sieve is plain words, so that an address, a form, the API and a command carry the
same: what somebody sees in the list is what a change of many titles is made to.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from appliance.catalog import titles
from appliance.catalog.kinds import Kind
from appliance.catalog.stages import Stage
from appliance.catalog.titles import Title
from appliance.db import Database, Row
from appliance.errors import InvalidInput
from appliance.permissions import Actor, visible

STAGES = tuple(each.value for each in Stage if each is not Stage.TRASH)
KINDS = tuple(each.value for each in Kind)
LEAVING_DAYS = 30
_MOST_WORDS = 12
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Sieve:
    """What a list is sifted by; empty: by nothing.

    ``genre`` and ``library`` are slugs, ``tag`` a slug or name, ``creator`` a user
    name, ``lacks`` one of :data:`LACKS`. ``shows`` is leaving (leaves within thirty
    days), twins (the same film stands in another title), changed since approved
    (outdated) or top (titles that are not part of another).
    """

    words: str = ""
    stage: str = ""
    kind: str = ""
    genre: str = ""
    tag: str = ""
    library: str = ""
    creator: str = ""
    language: str = ""
    lacks: str = ""
    shows: str = ""

    @classmethod
    def read(cls, values: Mapping[str, object], *, strict: bool = True) -> Self:
        """Take what an address or a form says.

        Errors: ``InvalidInput`` for a value that none of ours is; without ``strict``
        it counts for nothing.
        """
        wanted = {}
        for field in dataclasses.fields(cls):
            value = " ".join(str(values.get(field.name) or "").split())[:_LONGEST]
            known = CHOICES.get(field.name)
            if known is not None and value and value not in known:
                if strict:
                    raise _refusal(field.name, known)
                value = ""
            wanted[field.name] = value
        return cls(**wanted)

    def said(self) -> dict[str, str]:
        """Return what it sifts by, without what says nothing."""
        return {name: value for name, value in _items(self) if value}


@dataclass(frozen=True, slots=True)
class Listed:
    """A title as the list shows it.

    ``leaves`` is when its last window ends, UTC text; ``twins`` are how many other
    titles hold the same film; ``parent`` the name of what it is a part of.
    """

    title: Title
    stage: str
    leaves: str | None
    twins: int
    parent: str | None
    parent_slug: str | None


def listing(
    db: Database,
    actor: Actor,
    sieve: Sieve,
    *,
    order: str = "newest",
    limit: int = 25,
    offset: int = 0,
) -> list[Listed]:
    """Return a page of the titles that the actor may see and the sieve lets pass."""
    where, params = _where(db, actor, sieve)
    rows = db.rows(
        f"""
        select titles.id
        from titles where {where}
        order by {ORDERS.get(order, ORDERS["newest"])}
        limit :limit offset :offset
        """,
        {**params, "limit": limit, "offset": offset},
    )
    return [_listed(db, row["id"]) for row in rows]


def count(db: Database, actor: Actor, sieve: Sieve) -> int:
    """Return how many titles :func:`listing` has in all."""
    where, params = _where(db, actor, sieve)
    return int(db.value(f"select count(*) from titles where {where}", params))


def ids(db: Database, actor: Actor, sieve: Sieve, most: int) -> list[int]:
    """Return the keys of what passes, the oldest first, at most ``most``."""
    where, params = _where(db, actor, sieve)
    rows = db.rows(
        f"select titles.id from titles where {where} order by titles.id limit :most",
        {**params, "most": most},
    )
    return [row["id"] for row in rows]


def stage_of(db: Database, title_id: int) -> str:
    """Return the stage of a title, as the list says it."""
    sql = f"select {STAGE_SQL} from titles where id = :id"
    return str(db.value(sql, {"id": title_id, "now": db.now()}))


# Of an episode without windows of its own those of its series count.
_WINDOWS = """
    availability_windows w where w.title_id = coalesce(
        (select own.title_id from availability_windows own
         where own.title_id = titles.id limit 1),
        titles.parent_id
    )
"""
STAGE_SQL = f"""
case
    when titles.removed_at is not null then 'trash'
    when titles.state = 'ready' and titles.review = 'asked' then 'review'
    when titles.state = 'published' and titles.windowed = 1 then (
        select case
            when max(
                coalesce(w.starts_at, '') <= :now
                and coalesce(w.ends_at > :now, 1)
            ) = 1 then 'published'
            when max(coalesce(w.ends_at > :now, 1)) = 1 then 'scheduled'
            else 'expired'
        end
        from {_WINDOWS}
    )
    else titles.state
end
"""
_LEAVES_SQL = f"""
case when titles.windowed = 1 then (
    select case when max(w.ends_at is null) = 0 then max(w.ends_at) end
    from {_WINDOWS}
) end
"""
_TWINS_SQL = """
(select count(distinct other.title_id)
 from assets mine
 join assets other on other.source_sha256 = mine.source_sha256
 join titles theirs on theirs.id = other.title_id and theirs.removed_at is null
 where mine.title_id = titles.id and other.title_id <> titles.id)
"""

# What a title may lack, as SQL that says that it does.
LACKS: Mapping[str, str] = {
    "artwork": "titles.poster is null and titles.backdrop is null",
    "captions": """titles.kind not in ('series', 'course') and not exists (
        select 1 from assets join tracks on tracks.asset_id = assets.id
        where assets.title_id = titles.id and tracks.kind = 'text'
    )""",
    "synopsis": "titles.synopsis = ''",
    "film": """titles.kind not in ('series', 'course') and not exists (
        select 1 from assets where assets.title_id = titles.id and version > 0
    )""",
    "rating": "titles.rating = ''",
    "genres": """not exists (
        select 1 from title_genres where title_genres.title_id = titles.id
    )""",
    "year": "titles.year is null",
}
SHOWS: Mapping[str, str] = {
    "leaving": f"""titles.windowed = 1 and titles.state = 'published'
        and {_LEAVES_SQL} between :now and :soon""",
    "twins": f"{_TWINS_SQL} > 0",
    "top": "titles.parent_id is null",
}
ORDERS: Mapping[str, str] = {
    "newest": "titles.id desc",
    "changed": "titles.updated_at desc, titles.id desc",
    "name": "titles.name collate nocase, titles.id",
    "year": "titles.year desc, titles.id desc",
    "leaves": f"{_LEAVES_SQL} is null, {_LEAVES_SQL}, titles.id",
}
CHOICES: Mapping[str, tuple[str, ...]] = {
    "stage": STAGES,
    "kind": KINDS,
    "lacks": tuple(LACKS),
    "shows": tuple(SHOWS),
}

# A state that a stage goes with: its index finds the rows.
_STATE_OF = {
    **{each: each for each in ("draft", "processing", "archived", "published")},
    **{"ready": "ready", "review": "ready"},
    **{"scheduled": "published", "expired": "published"},
}
_CLAUSES: Mapping[str, str] = {
    "kind": "titles.kind = :kind",
    "genre": """titles.id in (
        select title_id from title_genres join genres on genres.id = genre_id
        where genres.slug = :genre
    )""",
    "tag": """titles.id in (
        select title_id from title_tags join tags on tags.id = tag_id
        where tags.slug = :tag or tags.name = :tag collate nocase
    )""",
    "library": """titles.library_id in (
        select id from libraries
        where slug = :library or name = :library collate nocase
    )""",
    "creator": """titles.created_by in (
        select id from accounts where username = :creator collate nocase
    )""",
    "language": "titles.language = :language collate nocase",
    "words": """(
        titles.id in (select rowid from titles_fts where titles_fts match :match)
        or titles.external_id = :words or titles.slug = :words
    )""",
}


def _where(db: Database, actor: Actor, sieve: Sieve) -> tuple[str, dict[str, object]]:
    predicate, params = visible(actor, db.now())
    clauses = [f"({predicate})"]
    said = sieve.said()
    params |= {"now": db.now(), "soon": db.now(days=LEAVING_DAYS), **said}
    clauses += [_CLAUSES[name] for name in said if name in _CLAUSES]
    if sieve.words:
        params["match"] = _match(sieve.words)
    if sieve.stage:
        params["state"] = _STATE_OF[sieve.stage]
        clauses += ["titles.state = :state", f"({STAGE_SQL}) = :stage"]
    if sieve.lacks:
        clauses.append(f"({LACKS[sieve.lacks]})")
    if sieve.shows:
        clauses.append(f"({SHOWS[sieve.shows]})")
    return " and ".join(clauses), params


def _match(words: str) -> str:
    """Write what somebody typed as an FTS5 query that holds no syntax of theirs."""
    storable = words.replace("\0", " ").encode(errors="ignore").decode()
    typed = [word for word in storable.split() if any(map(str.isalnum, word))]
    quoted = ['"' + word.replace('"', '""') + '"' for word in typed[:_MOST_WORDS]]
    return " ".join(quoted) + "*" if quoted else '""'


def _listed(db: Database, title_id: int) -> Listed:
    row: Row | None = db.one(
        f"""
        select {STAGE_SQL} as stage, {_LEAVES_SQL} as leaves, {_TWINS_SQL} as twins,
            whole.name as parent, whole.slug as parent_slug
        from titles left join titles whole on whole.id = titles.parent_id
        where titles.id = :id
        """,
        {"id": title_id, "now": db.now()},
    )
    assert row is not None, "it was found just now"
    return Listed(titles.by_id(db, title_id), **row)


def _items(sieve: Sieve) -> list[tuple[str, str]]:
    return [
        (each.name, getattr(sieve, each.name)) for each in dataclasses.fields(Sieve)
    ]


def _refusal(field: str, known: tuple[str, ...]) -> InvalidInput:
    return InvalidInput(
        f"titles.{field}", f"“{field}” is one of: {', '.join(known)}.", {"field": field}
    )
