"""Searching: titles, people, genres, and what is said in films.

What somebody types are words, never a query language, and the last may be half typed.
Titles whose name begins with it come first, then those whose name has every word, then
those that have them anywhere; where that finds little, words are taken for misspelt.

No ranking looks at everything that matches: “the” matches half a library.
"""

from dataclasses import dataclass

from appliance.catalog import titles
from appliance.db import Database
from appliance.discovery import audience, cards, folding, spelling
from appliance.discovery.cards import Card
from appliance.permissions import Action, Actor, check, visible
from appliance.playback import permission
from appliance.settings import Settings

_MOST_WORDS, _LONGEST = 10, 100
_LEAST_CANDIDATES, _CANDIDATES_EACH = 60, 4
_FEW = 3
_PEOPLE, _PLACES = 6, 4
_LINES, _LINES_OF_TITLE, _LINES_READ = 6, 2, 60
_SHORTEST_SPOKEN = 3


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has a part in a title that the viewer may see."""

    slug: str
    name: str
    portrait: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """A genre, tag or collection; ``kind`` says which."""

    kind: str
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Line:
    """What is said in a title, ``seconds`` from its beginning."""

    slug: str
    title: str
    seconds: int
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Found:
    """What was found for ``words``; ``guess`` is what may have been meant instead."""

    words: str
    titles: tuple[Card, ...] = ()
    more: bool = False
    people: tuple[Person, ...] = ()
    places: tuple[Place, ...] = ()
    lines: tuple[Line, ...] = ()
    guess: str = ""

    @property
    def count(self) -> int:
        return len(self.titles) + len(self.people) + len(self.places) + len(self.lines)


def search(
    db: Database,
    settings: Settings,
    actor: Actor,
    typed: str,
    limit: int = 24,
    language: str = "",
) -> Found:
    """Return what the actor may see of what was looked for.

    What is said in a title is quoted to those only who may watch it now; commands,
    which watch nothing, are told all. Errors: ``Unauthenticated``, ``Forbidden``.
    """
    check(actor, Action.PORTAL_SEE)
    said = " ".join(typed.split())[:_LONGEST]
    words = folding.words(folding.fold(said))[:_MOST_WORDS]
    if not words:
        return Found(said)
    search = _Search(db, settings, audience.viewer(actor), words)
    ids = search.titles(limit + 1)
    people = search.people()
    guess = ""
    if len(ids) < _FEW and not people:
        corrected = spelling.corrected(db, words)
        if corrected.words != words:
            close = search.close(corrected.match, limit + 1)
            guess = " ".join(corrected.words) if close and not ids else ""
            ids = list(dict.fromkeys([*ids, *close]))
            people = search.people(corrected.match)
    drawn = cards.of_ids(db, search.viewer, ids[:limit], language)
    return Found(
        said,
        titles=tuple(drawn.values()),
        more=len(ids) > limit,
        people=people,
        places=search.places(),
        lines=search.lines(),
        guess=guess,
    )


class _Search:
    """One search by one viewer: what each table is asked."""

    def __init__(
        self, db: Database, settings: Settings, viewer: Actor, words: list[str]
    ) -> None:
        self.db, self.settings = db, settings
        self.viewer, self.words = viewer, words
        self.predicate, self.params = visible(viewer, db.now())

    @property
    def match(self) -> str:
        """What FTS5 looks for: every word, the last from its beginning."""
        return " ".join(map(spelling.quoted, self.words)) + "*"

    def titles(self, limit: int) -> list[int]:
        found = dict.fromkeys(self._ask(_BEGINS, limit=limit, **_span(self.words)))
        if len("".join(self.words)) < 2:
            return list(found)
        if len(found) < limit and self._meet():
            named = spelling.spelt_out(self.db, self.words)
            found |= dict.fromkeys(self._named(named, limit))
            if len(found) < limit:
                found |= dict.fromkeys(self._ask(_ANY, match=self.match, limit=limit))
        if self.db.value("select 1 from search_due limit 1"):
            found |= dict.fromkeys(self._ask(_FRESH, match=self.match, limit=limit))
        return list(found)[:limit]

    def close(self, match: str, limit: int) -> list[int]:
        """Return titles that have words like those that were typed."""
        found = dict.fromkeys(self._named(match, limit))
        return list(found | dict.fromkeys(self._ask(_ANY, match=match, limit=limit)))

    def people(self, match: str = "") -> tuple[Person, ...]:
        if len("".join(self.words)) < 2:
            return ()
        rows = self.db.conn.execute(
            _PEOPLE_FOUND.format(visible=self.predicate),
            self.params | {"match": match or self.match, "limit": _PEOPLE},
        )
        return tuple(Person(*row) for row in rows)

    def places(self) -> tuple[Place, ...]:
        """Return genres, tags and collections whose name begins like this."""
        begins = "-".join(self.words)
        span = {"least": begins, "most": f"{begins}~", "limit": _PLACES}
        rows = self.db.conn.execute(
            _PLACES_FOUND.format(visible=self.predicate), self.params | span
        )
        return tuple(Place(*row) for row in rows)

    def lines(self) -> tuple[Line, ...]:
        """Return where these words are said, a few places in a few titles."""
        if max(map(len, self.words)) < _SHORTEST_SPOKEN:
            return ()
        match = self.match
        if len(self.words[-1]) < _SHORTEST_SPOKEN:
            match = match.removesuffix("*")
        rows = self.db.conn.execute(
            _LINES_FOUND.format(visible=self.predicate),
            self.params | {"match": match, "limit": _LINES_READ},
        )
        found: dict[str, list[Line]] = {}
        refused, left = set[str](), _LINES
        for row in rows:
            line = Line(*row)
            if line.slug in refused or len(found.get(line.slug, ())) == _LINES_OF_TITLE:
                continue
            if line.slug not in found and not self._may_watch(line.slug):
                refused.add(line.slug)
                continue
            found.setdefault(line.slug, []).append(line)
            left -= 1
            # Each row costs a look at its title: none is read in vain.
            if not left:
                break
        return tuple(line for lines in found.values() for line in reversed(lines))

    def _meet(self) -> bool:
        """Say whether anything has all the words that are typed to their end.

        That is quickly known. To find what begins like the last, all that does must be
        gathered first, which of a common word is a third of the library.
        """
        whole = " ".join(map(spelling.quoted, self.words[:-1]))
        return not whole or bool(
            self.db.value(
                "select 1 from search_fts where search_fts match ? limit 1", (whole,)
            )
        )

    def _may_watch(self, slug: str) -> bool:
        if self.viewer.account_id is None:
            return True
        title = titles.by_slug(self.db, self.viewer, slug)
        return permission.decide(self.db, self.settings, self.viewer, title).allowed

    def _named(self, match: str, limit: int) -> list[int]:
        return self._ask(_NAMED, match=match, limit=limit)

    def _ask(self, sql: str, **params: object) -> list[int]:
        limit = int(str(params["limit"]))
        candidates = max(_LEAST_CANDIDATES, _CANDIDATES_EACH * limit)
        wanted = {**self.params, "candidates": candidates, **params}
        rows = self.db.conn.execute(sql.format(visible=self.predicate), wanted)
        return [row[0] for row in rows]


def _span(words: list[str]) -> dict[str, object]:
    begins = " ".join(words)
    return {"least": begins, "most": f"{begins}\U0010ffff"}


_LISTED = "titles.kind not in ('trailer', 'extra') and titles.state = 'published'"
# What is due to be indexed anew may not have these words any more.
_INDEXED = """not exists (
    select 1 from search_due where kind = 'title' and id = titles.id
)"""
_BEGINS = f"""
select titles.id from search_names
cross join titles on titles.id = search_names.title_id
where search_names.name >= :least and search_names.name < :most
    and {_LISTED} and {_INDEXED} and {{visible}}
order by search_names.name
limit :limit
"""
_NAMED = f"""
select id from (
    select titles.id, length(titles.name) as length from search_names_fts
    cross join titles on titles.id = search_names_fts.rowid
    where search_names_fts match :match and {_LISTED} and {_INDEXED} and {{visible}}
    order by search_names_fts.rowid desc
    limit :candidates
)
order by length, id desc
limit :limit
"""
_ANY = f"""
select titles.id from search_fts
cross join titles on titles.id = search_fts.rowid
where search_fts match :match and {_LISTED} and {_INDEXED} and {{visible}}
order by search_fts.rowid desc
limit :limit
"""
_FRESH = f"""
select titles.id from titles_fts
cross join titles on titles.id = titles_fts.rowid
where titles_fts match :match
    and titles_fts.rowid in (select id from search_due where kind = 'title')
    and {_LISTED} and {{visible}}
order by titles_fts.rowid desc
limit :limit
"""
_PEOPLE_FOUND = """
select people.slug, people.name, people.portrait from search_people_fts
cross join people on people.id = search_people_fts.rowid
where search_people_fts match :match
    and exists (
        select 1 from credits
        cross join titles on titles.id = credits.title_id
        where credits.person_id = people.id and titles.state = 'published'
            and {visible}
    )
order by search_people_fts.rowid desc
limit :limit
"""
_PLACES_FOUND = """
select 'genre', genres.slug, genres.name from genres
where slug >= :least and slug < :most and exists (
    select 1 from title_genres
    cross join titles on titles.id = title_genres.title_id
    where genre_id = genres.id and shown_at is not null and {visible}
)
union all
select 'tag', tags.slug, tags.name from tags
where slug >= :least and slug < :most and exists (
    select 1 from title_tags
    cross join titles on titles.id = title_tags.title_id
    where tag_id = tags.id and titles.state = 'published' and {visible}
)
union all
select 'collection', collections.slug, collections.name from collections
where slug >= :least and slug < :most and exists (
    select 1 from collection_titles
    cross join titles on titles.id = collection_titles.title_id
    where collection_id = collections.id and titles.state = 'published' and {visible}
)
limit :limit
"""
_LINES_FOUND = f"""
select titles.slug, titles.name, cast(spoken.starts as integer), spoken.text,
    spoken.language
from spoken_fts
cross join spoken on spoken.id = spoken_fts.rowid
cross join titles on titles.id = spoken.title_id
where spoken_fts match :match and {_LISTED} and {{visible}}
order by spoken_fts.rowid desc
limit :limit
"""
