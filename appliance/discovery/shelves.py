"""The rows of the home page that everybody of one audience sees alike.

They stay the same as long as :func:`edition` does: then something in the library
changed, a window or a schedule opened or closed, or what was new has grown old.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from appliance.db import Database
from appliance.discovery import cards, home_rows, lists
from appliance.discovery.audience import Audience
from appliance.discovery.cards import Card, Row
from appliance.discovery.filters import Filters
from appliance.discovery.home_rows import HomeRow, RowKind
from appliance.permissions import Actor, visible
from appliance.settings import Settings

_LEAVING_DAYS = 30
_LEAST_OF_GENRE = 2


@dataclass(frozen=True, slots=True)
class Shelves:
    """``rows`` in their order; a personal one is only named, as it is drawn for each.

    ``until`` is when a window or a schedule changes them next, UTC text.
    """

    hero: Card | None
    rows: tuple[Row | RowKind, ...]
    until: str


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A row before its cards are read."""

    key: str
    heading: str
    ids: tuple[int, ...]
    more_url: str | None


def edition(db: Database) -> int:
    """Return what changes with everything that shelves are made of, but time."""
    return int(db.value("select version from library_version"))


def shelves(
    db: Database, settings: Settings, viewer: Actor, audience: Audience
) -> Shelves:
    """Return the shelves of an audience; ``viewer`` is any one of it."""
    now, plan = db.now(), list[_Chosen | RowKind]()
    hero: tuple[int, ...] = ()
    for row in home_rows.shown(db, audience, now):
        if row.kind in home_rows.PERSONAL:
            plan.append(row.kind)
        elif row.kind is RowKind.HERO:
            hero = (
                *_chosen_titles(db, viewer, row, settings.portal.home_cards),
                *lists.newest(db, viewer, settings.portal.home_cards),
            )
        else:
            plan += _KINDS[row.kind](db, settings, viewer, row, audience)
    drawn = cards.of_ids(
        db,
        viewer,
        [
            *hero,
            *(each for part in plan if isinstance(part, _Chosen) for each in part.ids),
        ],
        audience.language,
    )
    return Shelves(
        hero=_hero([drawn[each] for each in hero]),
        rows=tuple(_drawn(plan, drawn)),
        until=_until(db, now),
    )


def _new(
    db: Database, settings: Settings, viewer: Actor, row: HomeRow, audience: Audience
) -> Iterator[_Chosen]:
    most = settings.portal.home_cards
    found = lists.newest(db, viewer, most + 1)
    yield _Chosen(
        "new", _heading(row, audience), found[:most], _more(found, most, "/new")
    )


def _leaving(
    db: Database, settings: Settings, viewer: Actor, row: HomeRow, audience: Audience
) -> Iterator[_Chosen]:
    predicate, seen = visible(viewer, db.now())
    most = settings.portal.home_cards
    rows = db.conn.execute(
        _LEAVING.format(visible=predicate),
        {
            **seen,
            "now": db.now(),
            "soon": db.now(days=_LEAVING_DAYS),
            "limit": 4 * most,
            "account": viewer.account_id,
            "group": viewer.as_group,
            "country": viewer.country,
        },
    )
    # A title with windows for several groups is found by each of them.
    found = tuple(dict.fromkeys(each for (each,) in rows))[:most]
    yield _Chosen("leaving", _heading(row, audience), found, None)


def _genres(
    db: Database, settings: Settings, viewer: Actor, _row: HomeRow, _audience: Audience
) -> Iterator[_Chosen]:
    most, left = settings.portal.home_cards, settings.portal.home_genres
    for slug, name in db.conn.execute(_GENRES).fetchall():
        if not left:
            return
        found = lists.filtered(db, viewer, Filters(genre=slug), most + 1)
        if len(found) >= _LEAST_OF_GENRE:
            left -= 1
            more = _more(found, most, f"/genre/{slug}")
            yield _Chosen(f"genre-{slug}", name, found[:most], more)


def _by_hand(
    db: Database, settings: Settings, viewer: Actor, row: HomeRow, audience: Audience
) -> Iterator[_Chosen]:
    most = settings.portal.home_cards
    found = _chosen_titles(db, viewer, row, most + 1)
    more = _more(found, most, f"/row/{row.public_id}")
    yield _Chosen(row.public_id, _heading(row, audience), found[:most], more)


def _by_rule(
    db: Database, settings: Settings, viewer: Actor, row: HomeRow, audience: Audience
) -> Iterator[_Chosen]:
    most = settings.portal.home_cards
    filters = Filters.read(row.rule)
    found = lists.filtered(db, viewer, filters, most + 1)
    more = _more(found, most, f"/browse?{urlencode(filters.as_words())}")
    yield _Chosen(row.public_id, _heading(row, audience), found[:most], more)


def _collection(
    db: Database, settings: Settings, viewer: Actor, row: HomeRow, audience: Audience
) -> Iterator[_Chosen]:
    most = settings.portal.home_cards
    found = lists.chosen(
        *(db, viewer, "collection_titles", "collection_id", row.collection_id),
        limit=most + 1,
    )
    more = _more(found, most, f"/collection/{row.collection}")
    yield _Chosen(row.public_id, _heading(row, audience), found[:most], more)


_KINDS: Mapping[RowKind, Callable[..., Iterator[_Chosen]]] = {
    RowKind.NEW: _new,
    RowKind.LEAVING: _leaving,
    RowKind.GENRES: _genres,
    RowKind.CHOSEN: _by_hand,
    RowKind.RULE: _by_rule,
    RowKind.COLLECTION: _collection,
}
_GENRES = "select slug, name from genres order by name collate nocase"
# Of what leaves in a month: what stays for this viewer by another window does not.
_LEAVING = """
select titles.id from availability_windows w
cross join titles on titles.id = w.title_id
where w.ends_at > :now and w.ends_at <= :soon
    and titles.parent_id is null and titles.state = 'published' and {{visible}}
    and {applies}
    and not exists (
        select 1 from availability_windows longer
        where longer.title_id = w.title_id
            and coalesce(longer.ends_at, '~') > w.ends_at
            and coalesce(longer.starts_at, '') <= w.ends_at
            and {longer}
    )
order by w.ends_at, titles.id
limit :limit
"""
_APPLIES = """(
    {w}.group_id is null or {w}.group_id = :group or {w}.group_id in (
        select group_id from group_members where account_id = :account
    )
) and (
    {w}.territories = '[]' or exists (
        select 1 from json_each({w}.territories) where value = :country
    )
)"""
_LEAVING = _LEAVING.format(
    applies=_APPLIES.format(w="w"), longer=_APPLIES.format(w="longer")
)


def _chosen_titles(
    db: Database, viewer: Actor, row: HomeRow, limit: int
) -> tuple[int, ...]:
    return lists.chosen(db, viewer, "home_row_titles", "row_id", row.id, limit)


def _heading(row: HomeRow, audience: Audience) -> str:
    """Return what stands over the row; that of our own rows is written at the edge."""
    return row.translations.get(audience.language) or row.heading


def _more(found: tuple[int, ...], most: int, address: str) -> str | None:
    return address if len(found) > most else None


def _drawn(
    plan: list[_Chosen | RowKind], drawn: Mapping[int, Card]
) -> Iterator[Row | RowKind]:
    for part in plan:
        if isinstance(part, RowKind):
            yield part
        elif part.ids:
            found = tuple(drawn[each] for each in part.ids)
            yield Row(part.key, part.heading, found, part.more_url)


def _hero(found: list[Card]) -> Card | None:
    """Return the first with a picture, else the first."""
    return next((card for card in found if card.art), None) or next(iter(found), None)


def _until(db: Database, now: str) -> str:
    """Return when the first window or schedule begins or ends from now on.

    An hour at most: by then something that was new may not be new any more.
    """
    row = db.conn.execute(_NEXT, {"now": now}).fetchone()
    soonest: str = min([db.now(hours=1), *(each for each in row if each)])
    return soonest


_NEXT = """
select
    (select min(starts_at) from availability_windows where starts_at > :now),
    (select min(ends_at) from availability_windows where ends_at > :now),
    (select min(starts_at) from home_rows where starts_at > :now),
    (select min(ends_at) from home_rows where ends_at > :now)
"""
