"""The rows that hold something else for each profile: what it began, goes on, wants."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from appliance.db import Database
from appliance.discovery import cards
from appliance.discovery.cards import Begun, Row
from appliance.discovery.home_rows import HEADINGS, RowKind
from appliance.permissions import Actor, visible
from appliance.settings import Settings

# Films that were replaced, and several episodes of a series, make one card together.
_ALIKE = 4
_RECENT = 200


@dataclass(frozen=True, slots=True)
class Picked:
    """What stands in a row, before its cards are read.

    ``ids`` are keys of titles, ``begun`` how far somebody is in them; one more than a
    row holds says that there is more.
    """

    kind: RowKind
    ids: tuple[int, ...]
    begun: tuple[Begun, ...] = ()


def rows(
    db: Database, settings: Settings, viewer: Actor, language: str = ""
) -> dict[RowKind, Row]:
    """Return the rows of the viewer's profile, each when it holds something.

    A series that is begun stands in the first of them only.
    """
    return read(db, settings, viewer, picked(db, settings, viewer), language)


def picked(db: Database, settings: Settings, viewer: Actor) -> tuple[Picked, ...]:
    """Return what stands in the rows: as long as that is the same, so are they."""
    begun = _begun(db, settings, viewer)
    busy = {each["whole"] for each in begun}
    found = (
        Picked(
            RowKind.CONTINUE,
            tuple(each["id"] for each in begun),
            tuple(Begun(each["position"], each["duration"]) for each in begun),
        ),
        Picked(RowKind.NEXT, tuple(_next(db, settings, viewer, busy))),
        Picked(
            RowKind.LIST, tuple(_listed(db, viewer, settings.portal.home_cards + 1))
        ),
    )
    return tuple(each for each in found if each.ids)


def read(
    db: Database,
    settings: Settings,
    viewer: Actor,
    found: tuple[Picked, ...],
    language: str = "",
) -> dict[RowKind, Row]:
    """Return the rows of what was picked."""
    drawn = cards.of_ids(
        db,
        viewer,
        [each for row in found for each in row.ids],
        language,
        {key: at for row in found for key, at in zip(row.ids, row.begun, strict=False)},
    )
    most = settings.portal.home_cards
    return {
        row.kind: Row(
            row.kind.value,
            HEADINGS[row.kind],
            tuple(drawn[key] for key in row.ids[:most]),
            "/my-list" if row.kind is RowKind.LIST and len(row.ids) > most else None,
        )
        for row in found
    }


def _begun(db: Database, settings: Settings, viewer: Actor) -> list[dict[str, Any]]:
    """Return what was begun last, once for each title or series.

    One that was taken out of the row hides what was begun of it before.
    """
    most = settings.portal.home_cards
    predicate, seen = visible(viewer, db.now())
    found = db.rows(
        _BEGUN.format(visible=predicate),
        {
            **seen,
            "profile": viewer.profile_id,
            "least": settings.playback.resume_least_percent / 100,
            "limit": _ALIKE * most,
        },
    )
    last = {each["whole"]: each for each in reversed(found)}
    return [
        each for each in found if last[each["whole"]] is each and not each["hidden"]
    ][:most]


def _next(
    db: Database, settings: Settings, viewer: Actor, busy: set[int]
) -> Iterator[int]:
    """Yield the episode after the last one that was finished, series by series."""
    recent = db.rows(_FINISHED, {"profile": viewer.profile_id, "recent": _RECENT})
    last = {each["series"]: each for each in reversed(recent)}
    waiting = [
        each
        for each in recent
        if last[each["series"]] is each and each["series"] not in busy
    ]
    if not waiting:
        return
    predicate, seen = visible(viewer, db.now())
    sql = _AFTER.format(visible=predicate)
    for each in waiting[: settings.portal.home_cards]:
        found = db.value(sql, {**seen, **each, "profile": viewer.profile_id})
        if found is not None:
            yield int(found)


def _listed(db: Database, viewer: Actor, limit: int) -> list[int]:
    predicate, seen = visible(viewer, db.now())
    rows = db.conn.execute(
        _LISTED.format(visible=predicate),
        {**seen, "profile": viewer.profile_id, "limit": limit},
    )
    return [row[0] for row in rows]


_BEGUN = """
select titles.id, coalesce(titles.parent_id, titles.id) as whole,
    progress.position, progress.duration, progress.hidden
from progress
cross join assets on assets.id = progress.asset_id
cross join titles on titles.id = assets.title_id
where progress.profile_id = :profile
    and progress.finished = 0
    and progress.duration > 0
    and progress.position >= progress.duration * :least
    and assets.state = 'ready'
    and titles.state = 'published'
    and titles.kind not in ('trailer', 'extra')
    and {visible}
order by progress.updated_at desc
limit :limit
"""
_FINISHED = """
select titles.parent_id as series, titles.season_number as season,
    titles.episode_number as episode
from (
    select asset_id, updated_at from progress
    where profile_id = :profile and finished = 1
    order by updated_at desc limit :recent
) seen
cross join assets on assets.id = seen.asset_id
cross join titles on titles.id = assets.title_id
where titles.kind = 'episode' and titles.parent_id is not null
order by seen.updated_at desc
"""
# Specials, which are season 0, follow nothing.
_AFTER = """
select titles.id from titles
where titles.parent_id = :series and titles.kind = 'episode'
    and titles.season_number > 0
    and (titles.season_number, titles.episode_number) > (:season, :episode)
    and {visible}
    and exists (
        select 1 from assets
        where assets.title_id = titles.id and assets.role = 'main'
            and assets.state = 'ready'
            and not exists (
                select 1 from progress
                where progress.profile_id = :profile
                    and progress.asset_id = assets.id and progress.finished = 1
            )
    )
order by titles.season_number, titles.episode_number
limit 1
"""
_LISTED = """
select titles.id from my_list
cross join titles on titles.id = my_list.title_id
where my_list.profile_id = :profile and {visible}
order by my_list.added_at desc
limit :limit
"""
