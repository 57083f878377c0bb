"""Usage: what films take up by title and by rendition, and when the disk is full."""

from dataclasses import dataclass

from appliance.db import Database
from appliance.media.tracks import TrackKind
from appliance.permissions import Action, Actor, check

_DAYS = 30


@dataclass(frozen=True, slots=True)
class OfTitle:
    """What a title takes up, in bytes: its sources, and its tracks by their place."""

    slug: str
    name: str
    source: int
    local: int
    objects: int

    @property
    def bytes(self) -> int:
        return self.source + self.local + self.objects


@dataclass(frozen=True, slots=True)
class OfRendition:
    """What all tracks of a kind and name take up together, in bytes."""

    kind: TrackKind
    name: str
    tracks: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """How the disk fills: bytes a day over the last ``days``, and what that means.

    ``days_left`` is None where nothing came, and nobody can say.
    """

    days: int
    bytes_per_day: int
    days_left: int | None


def titles(
    db: Database, actor: Actor, *, limit: int = 50, offset: int = 0
) -> list[OfTitle]:
    """Return what titles take up, those with the most first. Errors: ``Forbidden``."""
    check(actor, Action.STORAGE_MANAGE)
    rows = db.rows(
        """
        with films as (
            select title_id, id, case
                when source_removed_at is null then source_bytes else 0
            end as source
            from assets
        ), parts as (
            select asset_id,
                sum(case place when 'local' then bytes else 0 end) as local,
                sum(case place when 'local' then 0 else bytes end) as objects
            from tracks group by asset_id
        )
        select slug, name, sum(source) as source,
            coalesce(sum(local), 0) as local, coalesce(sum(objects), 0) as objects
        from films
        join titles on titles.id = films.title_id
        left join parts on parts.asset_id = films.id
        group by titles.id
        order by sum(source) + coalesce(sum(local + objects), 0) desc, titles.id
        limit :limit offset :offset
        """,
        {"limit": limit, "offset": offset},
    )
    return [OfTitle(**row) for row in rows]


def renditions(db: Database, actor: Actor) -> list[OfRendition]:
    """Return what each rendition, language and kind of text takes up in all titles."""
    check(actor, Action.STORAGE_MANAGE)
    rows = db.rows(
        """
        select kind, name, count(*) as tracks, sum(bytes) as bytes
        from tracks group by kind, name
        order by sum(bytes) desc limit 40
        """
    )
    return [OfRendition(**row | {"kind": TrackKind(row["kind"])}) for row in rows]


def forecast(db: Database, free_bytes: int) -> Forecast:
    """Say when the disk is full if films come as they came in the last month.

    An installation that is younger than that is judged by its own days.
    """
    since = db.now(days=-_DAYS)
    row = db.one(
        """
        select coalesce(sum(bytes), 0) as bytes,
            julianday(:now) - julianday(min(at)) as days
        from (
            select source_bytes as bytes, created_at as at from assets
            where created_at >= :since and source_removed_at is null
            union all
            select bytes, created_at from tracks
            where created_at >= :since and place = 'local'
        )
        """,
        {"since": since, "now": db.now()},
    )
    if row is None or not row["bytes"]:
        return Forecast(_DAYS, 0, None)
    days = min(_DAYS, max(1.0, row["days"]))
    a_day = round(row["bytes"] / days)
    return Forecast(round(days), a_day, int(free_bytes / a_day) if a_day else None)
