"""Where each profile stopped, and what it may go on watching."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.db import Database, Row, write
from appliance.errors import InvalidInput
from appliance.media.assets import Asset
from appliance.permissions import Actor, visible
from appliance.playback.permission import viewer
from appliance.settings import Settings

# What comes after the credits and is no longer than this is no scene.
_AFTER_CREDITS_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a profile has come in a film; seconds, and UTC text."""

    asset_id: int
    position: float
    duration: float
    finished: bool
    hidden: bool
    updated_at: str

    @property
    def fraction(self) -> float:
        """How much has been watched, from 0 to 1."""
        return self.position / self.duration if self.duration else 0.0


def save(
    db: Database, settings: Settings, actor: Actor, asset: Asset, position: float
) -> Progress:
    """Keep where the actor's profile stands; what was hidden shows again.

    From ``playback.resume_most_percent`` on, or from the credits it ends with, the
    film counts as watched.
    Errors: ``InvalidInput`` for a position that is not in the film.
    """
    _account_id, profile_id = viewer(actor)
    duration = asset.duration or 0.0
    if not 0 <= position <= duration + 60:
        raise InvalidInput(
            "progress.position",
            f"The position is a time in the film: 0 to {duration:.0f} seconds.",
            {"field": "position"},
        )
    position = min(position, duration)
    with write(db):
        finished = position >= _watched_from(db, settings, asset)
        db.conn.execute(
            """
            insert into progress
                (profile_id, asset_id, position, duration, finished, updated_at)
            values (?, ?, ?, ?, ?, ?)
            on conflict (profile_id, asset_id) do update set
                position = excluded.position,
                duration = excluded.duration,
                finished = excluded.finished,
                hidden = 0,
                updated_at = excluded.updated_at
            """,
            (profile_id, asset.id, position, duration, finished, db.now()),
        )
        saved = of_asset(db, actor, asset.id)
    assert saved is not None
    return saved


def of_asset(db: Database, actor: Actor, asset_id: int) -> Progress | None:
    """Return how far the actor's profile has come in a film; None before it began."""
    row = db.one(
        "select * from progress where profile_id = ? and asset_id = ?",
        (actor.profile_id, asset_id),
    )
    return None if row is None else _progress(row)


def of_profile(db: Database, actor: Actor, limit: int = 50) -> list[Progress]:
    """Return every film the actor's profile has begun, the last watched first."""
    rows = db.rows(
        """
        select * from progress where profile_id = ?
        order by updated_at desc limit ?
        """,
        (actor.profile_id, limit),
    )
    return [_progress(row) for row in rows]


def of_titles(
    db: Database, actor: Actor, title_ids: Iterable[int]
) -> dict[int, Progress]:
    """Return how far the actor's profile has come in these titles, by their keys."""
    rows = db.rows(
        """
        select progress.*, assets.title_id from assets
        join progress on progress.asset_id = assets.id and progress.profile_id = ?
        where assets.title_id in (select value from json_each(?))
            and assets.role = 'main' and assets.state = 'ready'
        order by assets.id
        """,
        (actor.profile_id, json.dumps(list(title_ids))),
    )
    return {row["title_id"]: _progress(row) for row in rows}


def resume_at(settings: Settings, progress: Progress | None) -> float:
    """Return where to go on, in seconds: at the start when hardly begun or watched."""
    if progress is None or progress.finished:
        return 0.0
    least = settings.playback.resume_least_percent / 100
    return progress.position if progress.fraction >= least else 0.0


def next_up(db: Database, actor: Actor, series: Title) -> Title | None:
    """Return the episode that the actor's profile goes on with.

    The one it watched last where it did not finish that, else the one after it; the
    first unwatched one before it began, or when nothing comes after. None when every
    episode is watched, or there is none to watch. Specials come last.
    """
    predicate, params = visible(actor, db.now())
    rows = db.rows(
        _EPISODES.format(visible=predicate),
        {**params, "series": series.id, "profile": actor.profile_id},
    )
    begun = [place for place, row in enumerate(rows) if row["watched_at"]]
    last = max(begun, key=lambda place: rows[place]["watched_at"], default=-1)
    if last >= 0 and rows[last]["finished"]:
        last += 1
    following = rows[last : last + 1] if last >= 0 else []
    unwatched = [row for row in rows if not row["finished"]]
    found = (following or unwatched)[:1]
    return titles.by_id(db, found[0]["id"]) if found else None


_EPISODES = """
select titles.id, progress.finished,
    case when progress.finished or progress.position > 0
        then progress.updated_at end as watched_at
from titles
join assets on assets.id = (
    select id from assets
    where title_id = titles.id and role = 'main' and state = 'ready'
    order by id desc limit 1
)
left join progress
    on progress.asset_id = assets.id and progress.profile_id = :profile
where titles.parent_id = :series and titles.kind = 'episode' and {visible}
order by titles.season_number = 0, titles.season_number, titles.episode_number,
    titles.id
"""


def hide(db: Database, actor: Actor, asset_id: int) -> None:
    """Take a film out of “Continue watching”; the position stays."""
    _set_hidden(db, actor, asset_id, True)


def show(db: Database, actor: Actor, asset_id: int) -> None:
    """Put a film back that :func:`hide` took out."""
    _set_hidden(db, actor, asset_id, False)


def _watched_from(db: Database, settings: Settings, asset: Asset) -> float:
    """Return from where on a film counts as watched, in seconds.

    Credits count where nothing but they is left, and most of the film lies before.
    """
    duration = asset.duration or 0.0
    credits = db.value(
        """
        select min(starts_at) from markers
        where asset_id = ? and kind = 'credits' and starts_at > ? and ends_at >= ?
        """,
        (asset.id, duration / 2, duration - _AFTER_CREDITS_SECONDS),
    )
    most = duration * settings.playback.resume_most_percent / 100
    return most if credits is None else min(most, float(credits))


def _set_hidden(db: Database, actor: Actor, asset_id: int, hidden: bool) -> None:
    _account_id, profile_id = viewer(actor)
    with write(db):
        db.conn.execute(
            "update progress set hidden = ? where profile_id = ? and asset_id = ?",
            (hidden, profile_id, asset_id),
        )


def _progress(row: Row) -> Progress:
    return Progress(
        asset_id=row["asset_id"],
        position=row["position"],
        duration=row["duration"],
        finished=bool(row["finished"]),
        hidden=bool(row["hidden"]),
        updated_at=row["updated_at"],
    )
