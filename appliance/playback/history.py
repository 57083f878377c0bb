"""What a profile has watched: see it, take one title out, forget all of it."""

from dataclasses import dataclass

from appliance.accounts import profiles
from appliance.db import Database, Row, write
from appliance.errors import NotFound
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check, visible
from appliance.playback.permission import viewer


@dataclass(frozen=True, slots=True)
class Entry:
    """One title that was begun; ``watched_at`` is UTC text, ``fraction`` from 0 to 1.

    ``series`` is the name of what an episode belongs to, ``season`` and ``episode``
    its numbers there; ``art`` is the public id of a picture.
    """

    slug: str
    name: str
    series: str
    season: int | None
    episode: int | None
    art: str | None
    watched_at: str
    fraction: float
    finished: bool


def listing(
    db: Database, actor: Actor, limit: int = 50, offset: int = 0
) -> tuple[Entry, ...]:
    """Return what the actor's profile watched and may still see, the last first."""
    predicate, params = visible(actor, db.now())
    rows = db.rows(
        f"""
        {_SELECT} where progress.profile_id = :profile and {predicate}
        order by progress.updated_at desc, progress.asset_id desc
        limit :limit offset :offset
        """,
        {"profile": actor.profile_id, "limit": limit, "offset": offset, **params},
    )
    return tuple(map(_entry, rows))


def forget(db: Database, actor: Actor, slug: str) -> None:
    """Forget that the actor's profile watched a title, also one it no longer sees.

    Errors: ``NotFound`` when it has not; ``Forbidden`` for a child's profile, whose
    history is there for those who look after it.
    """
    _account_id, profile_id = viewer(actor)
    check(actor, Action.ACCOUNT_OWN)
    with write(db):
        gone = db.conn.execute(
            """
            delete from progress where profile_id = ? and asset_id in (
                select assets.id from assets
                join titles on titles.id = assets.title_id
                where titles.slug = ?
            )
            """,
            (profile_id, slug),
        ).rowcount
        if not gone:
            raise NotFound("history.missing", "This is not in your history any more.")
        _record(db, actor, profile_id, title=slug)


def clear(db: Database, actor: Actor) -> int:
    """Forget all that the actor's profile watched; say how many films that were.

    Errors: ``Forbidden`` for a child's profile.
    """
    _account_id, profile_id = viewer(actor)
    check(actor, Action.ACCOUNT_OWN)
    with write(db):
        gone = db.conn.execute(
            "delete from progress where profile_id = ?", (profile_id,)
        ).rowcount
        if gone:
            _record(db, actor, profile_id, films=gone)
    return gone


# Over the index of what each profile watched last: a page is read, not the whole.
_SELECT = """
select titles.slug, titles.name, coalesce(whole.name, '') as series,
    titles.season_number as season, titles.episode_number as episode,
    coalesce(titles.backdrop, whole.backdrop, titles.poster) as art,
    progress.updated_at as watched_at, progress.position, progress.duration,
    progress.finished
from progress
join assets on assets.id = progress.asset_id
join titles on titles.id = assets.title_id
left join titles whole on whole.id = titles.parent_id
"""


def _entry(row: Row) -> Entry:
    position, duration = row.pop("position"), row.pop("duration")
    finished = bool(row["finished"])
    fraction = 1.0 if finished else position / duration if duration else 0.0
    return Entry(**row | {"finished": finished, "fraction": fraction})


def _record(db: Database, actor: Actor, profile_id: int, **data: object) -> None:
    public_id = db.value("select public_id from profiles where id = ?", (profile_id,))
    if public_id is None:
        raise profiles.missing()
    record(db, actor, Event.HISTORY_CLEAR, f"profile/{public_id}", **data)
