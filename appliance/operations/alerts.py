"""Alerts: what has been wrong for a while, told once, and once when it is over.

Each look at an installation is noted here. What is found wrong gets a row; when it has
been wrong for ``monitoring.alert_minutes`` that is an alert, which e-mail rules and
webhooks are told of by its event. It is over when it has been right for as long:
what comes and goes is one alert and not one after another.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from appliance.clock import from_text
from appliance.db import Database, Row, write
from appliance.events import Event, record
from appliance.operations.findings import Finding, Level
from appliance.permissions import SYSTEM, Action, Actor, check
from appliance.settings import Settings

# Nobody looked for so long: whether it was wrong all the time is not known.
_UNWATCHED = timedelta(minutes=15)
# A check that is gone, or finds nothing to look at any more, holds no alert open.
_FORGOTTEN = timedelta(days=1)
_KEPT_DAYS = 90


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that is or was wrong; ``cleared_at`` is None while it is."""

    name: str
    level: Level
    sentence: str
    fix: str
    began_at: str
    raised_at: str
    cleared_at: str | None


def note(db: Database, settings: Settings, findings: Iterable[Finding]) -> list[Alert]:
    """Note what was found now; return what was raised or cleared by it."""
    found = {each.id: each for each in findings}
    changed: list[Alert] = []
    with write(db):
        watched = {row["name"]: row for row in db.rows(_OPEN)}
        for name, finding in found.items():
            if finding.level is not Level.OK:
                changed += _wrong(db, settings, watched.get(name), finding)
        for name, row in watched.items():
            if name not in found or found[name].level is Level.OK:
                changed += _right(db, settings, row, looked=name in found)
    return changed


def listing(
    db: Database, actor: Actor, *, over: bool = False, limit: int = 100
) -> list[Alert]:
    """Return the alerts that are open, or also those of before, the newest first.

    Errors: ``Forbidden``.
    """
    check(actor, Action.SYSTEM_SEE)
    rows = db.rows(
        """
        select * from alerts
        where raised_at is not null and (cleared_at is null or :over)
        order by cleared_at is not null, level = 'warn', raised_at desc, id desc
        limit :limit
        """,
        {"over": over, "limit": limit},
    )
    return [_alert(row) for row in rows]


def forget_old(db: Database) -> None:
    """Forget alerts that were over long ago; the audit log keeps them."""
    with write(db):
        db.conn.execute(
            "delete from alerts where cleared_at < ?", (db.now(days=-_KEPT_DAYS),)
        )


_OPEN = "select * from alerts where cleared_at is null"


def _wrong(
    db: Database, settings: Settings, row: Row | None, finding: Finding
) -> list[Alert]:
    """Note that something is wrong; tell it when that lasts, or has become worse."""
    now, level = db.now(), finding.level
    if row is None:
        db.table("alerts").insert(
            {
                "name": finding.id,
                "level": level.value,
                "sentence": finding.sentence,
                "fix": finding.fix,
                "began_at": now,
                "seen_at": now,
            }
        )
        row = db.rows(f"{_OPEN} and name = ?", (finding.id,))[0]
    raised, before = row["raised_at"], Level(row["level"])
    unknown = raised is None and _since(db, row["seen_at"]) > _UNWATCHED
    began = now if unknown else row["began_at"]
    due = raised is None and _since(db, began) >= _patience(settings)
    # What was told as a failure stays one until it is over: no to and fro.
    worse = raised is not None and before is Level.WARN and level is Level.FAIL
    db.table("alerts").update(
        row["id"],
        {
            "level": (before if raised and not worse else level).value,
            "sentence": finding.sentence,
            "fix": finding.fix,
            "began_at": began,
            "seen_at": now,
            "raised_at": now if due or worse else raised,
        },
    )
    return [_told(db, row["id"], Event.ALERT_RAISE)] if due or worse else []


def _right(db: Database, settings: Settings, row: Row, *, looked: bool) -> list[Alert]:
    """Note that something is right again; tell it when that lasts."""
    patience = _patience(settings) if looked else _FORGOTTEN
    if _since(db, row["seen_at"]) < patience:
        return []
    if row["raised_at"] is None:
        db.conn.execute("delete from alerts where id = ?", (row["id"],))
        return []
    db.table("alerts").update(row["id"], {"cleared_at": db.now()})
    return [_told(db, row["id"], Event.ALERT_CLEAR)]


def _told(db: Database, row_id: int, event: Event) -> Alert:
    alert = _alert(db.rows("select * from alerts where id = ?", (row_id,))[0])
    record(
        db,
        SYSTEM,
        event,
        f"alert/{alert.name}",
        level=alert.level.value,
        sentence=alert.sentence,
        fix=alert.fix,
        began_at=alert.began_at,
    )
    return alert


def _patience(settings: Settings) -> timedelta:
    return timedelta(minutes=settings.monitoring.alert_minutes)


def _since(db: Database, moment: str) -> timedelta:
    return db.clock.now() - from_text(moment)


def _alert(row: Row) -> Alert:
    return Alert(
        name=row["name"],
        level=Level(row["level"]),
        sentence=row["sentence"],
        fix=row["fix"],
        began_at=row["began_at"],
        raised_at=row["raised_at"],
        cleared_at=row["cleared_at"],
    )
