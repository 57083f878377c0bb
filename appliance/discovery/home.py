"""The home page: what was begun, what is new, what there is of each genre.

A few reads by an index, whatever the size of the catalogue: this is the page that
everybody opens first.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from appliance.db import Database
from appliance.permissions import Action, Actor, check
from appliance.settings import Settings

_NEW_DAYS = 14


@dataclass(frozen=True, slots=True)
class Card:
    """A title as rows and grids show it; ``art`` and ``poster`` are artwork ids.

    ``progress`` is a fraction, and with ``minutes_left`` None before it began.
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


@dataclass(frozen=True, slots=True)
class Row:
    """A heading with cards; ``more_url`` leads to the rest, if there is more."""

    key: str
    heading: str
    cards: tuple[Card, ...]
    more_url: str | None


@dataclass(frozen=True, slots=True)
class Home:
    """The page: one film in large, and rows in the order they are shown."""

    hero: Card | None
    rows: tuple[Row, ...]


_CARD = """
    titles.slug, titles.name, titles.synopsis, titles.year, titles.rating, (
        select group_concat(name, char(31)) from (
            select genres.name from title_genres
            join genres on genres.id = title_genres.genre_id
            where title_genres.title_id = titles.id
            order by title_genres.rowid
        )
    ), titles.runtime_seconds, titles.backdrop, titles.poster, titles.published_at
"""
_CONTINUE = f"""
select {_CARD}, progress.position, progress.duration
from progress
join assets on assets.id = progress.asset_id
join titles on titles.id = assets.title_id
where progress.profile_id = :profile
    and progress.finished = 0
    and progress.hidden = 0
    and progress.position >= progress.duration * :least
    and assets.state = 'ready'
    and titles.state = 'published'
order by progress.updated_at desc
limit :limit
"""
_NEW = f"""
select {_CARD}, null, null
from titles
where titles.state = 'published'
order by titles.published_at desc, titles.id desc
limit :limit
"""
_GENRES = """
select id, slug, name from genres
where exists (
    select 1 from title_genres
    where genre_id = genres.id and shown_at is not null
    limit 1 offset 1
)
order by name collate nocase
limit :rows
"""
_OF_GENRE = f"""
select {_CARD}, null, null
from title_genres
join titles on titles.id = title_genres.title_id
where title_genres.genre_id = :genre and title_genres.shown_at is not null
order by title_genres.shown_at desc, title_genres.title_id desc
limit :limit
"""


def home(db: Database, settings: Settings, actor: Actor) -> Home:
    """Return the home page of the actor's profile: only what is published.

    Errors: ``Unauthenticated``, ``Forbidden``.
    """
    mine, ours = begun(db, settings, actor), shelves(db, settings)
    return Home(ours.hero, (mine, *ours.rows) if mine.cards else ours.rows)


def shelves(db: Database, settings: Settings) -> Home:
    """Return what the home page shows to everybody who may see the portal.

    It stays the same as long as :func:`edition` does.
    """
    new = _new(db, settings.portal.home_cards)
    rows = [new, *_genres(db, settings)]
    return Home(
        hero=next((each for each in new.cards if each.art), None)
        or next(iter(new.cards), None),
        rows=tuple(row for row in rows if row.cards),
    )


def edition(db: Database) -> tuple[int, str]:
    """Return what changes with the library, and every hour: what is new grows old."""
    version = db.value("select version from library_version")
    return int(version), db.now()[: len("2026-01-02T12")]


def begun(db: Database, settings: Settings, actor: Actor) -> Row:
    """Return what the actor's profile began and has not finished.

    Errors: ``Unauthenticated``, ``Forbidden``.
    """
    check(actor, Action.PORTAL_SEE)
    return _continue(db, settings, actor)


def _continue(db: Database, settings: Settings, actor: Actor) -> Row:
    cards = _cards(
        db,
        _CONTINUE,
        profile=actor.profile_id,
        least=settings.playback.resume_least_percent / 100,
        limit=settings.portal.home_cards,
    )
    # A title whose film was replaced may have been begun twice: the last one counts.
    once = {card.slug: card for card in reversed(cards)}
    return Row(
        "continue",
        "Continue watching",
        tuple(card for card in cards if once[card.slug] is card),
        None,
    )


def _new(db: Database, most: int) -> Row:
    cards = _cards(db, _NEW, limit=most + 1)
    more = "/new" if len(cards) > most else None
    return Row("new", "New in the library", tuple(cards[:most]), more)


def _genres(db: Database, settings: Settings) -> Iterable[Row]:
    most = settings.portal.home_cards
    genres = db.conn.execute(_GENRES, {"rows": settings.portal.home_genres})
    for genre_id, slug, name in genres.fetchall():
        cards = _cards(db, _OF_GENRE, genre=genre_id, limit=most + 1)
        more = f"/genre/{slug}" if len(cards) > most else None
        yield Row(f"genre-{slug}", name, tuple(cards[:most]), more)


def _cards(db: Database, sql: str, **params: object) -> list[Card]:
    rows = db.conn.execute(sql, params).fetchall()
    if not rows:
        return []
    newest = db.now(days=-_NEW_DAYS)
    return [_card(row, newest) for row in rows]


def _card(row: tuple[Any, ...], newest: str) -> Card:
    (slug, name, synopsis, year, rating, genres, seconds, art, poster, published) = row[
        :10
    ]
    position, duration = row[10:]
    return Card(
        slug,
        name,
        synopsis,
        year,
        rating,
        tuple(genres.split("\x1f")) if genres else (),
        round(seconds / 60) if seconds else None,
        art,
        poster,
        position / duration if duration else None,
        round((duration - position) / 60) if duration else None,
        published is not None and published >= newest,
    )
