"""Where each profile stopped, and what it may go on watching."""

from dataclasses import dataclass

from appliance.db import Database, Row, write
from appliance.errors import InvalidInput
from appliance.media.assets import Asset
from appliance.permissions import Actor
from appliance.playback.permission import viewer
from appliance.settings import Settings


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

    From ``playback.resume_most_percent`` on the film counts as watched.
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
    most = duration * settings.playback.resume_most_percent / 100
    with write(db):
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
            (profile_id, asset.id, position, duration, position >= most, db.now()),
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


def resume_at(settings: Settings, progress: Progress | None) -> float:
    """Return where to go on, in seconds: at the start when hardly begun or watched."""
    if progress is None or progress.finished:
        return 0.0
    least = settings.playback.resume_least_percent / 100
    return progress.position if progress.fraction >= least else 0.0


def hide(db: Database, actor: Actor, asset_id: int) -> None:
    """Take a film out of “Continue watching”; the position stays."""
    _set_hidden(db, actor, asset_id, True)


def show(db: Database, actor: Actor, asset_id: int) -> None:
    """Put a film back that :func:`hide` took out."""
    _set_hidden(db, actor, asset_id, False)


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
