"""How the installation is, in the Studio: services, disks, findings with repairs."""

from dataclasses import dataclass

from flask import render_template
from flask_babel import lazy_gettext as _

from appliance.checks.examined import Examined
from appliance.checks.overview import overview
from appliance.clock import from_text
from appliance.errors import MatineeError
from appliance.media import units, usage
from appliance.operations import alerts
from appliance.operations.backups import runs
from appliance.operations.backups.runs import RunKind, RunState
from appliance.operations.certificates import place
from appliance.operations.findings import Level
from appliance.permissions import Action
from appliance.room import Room
from web import context, guard

_SERVICES = (
    (_("Portal"), "web.front"),
    (_("Web server"), "nginx.config"),
    (_("Database"), "db.migrations"),
    (_("Queue"), "jobs.queue"),
    (_("Control worker"), "jobs.worker_alive"),
    (_("Media workers"), "jobs.media_workers"),
    (_("E-mail"), "mail.send"),
)


@dataclass(frozen=True, slots=True)
class Disk:
    """One disk: what lies there, and in how many days it is full, if anybody knows."""

    words: object
    path: str
    room: Room
    days_left: int | None


@guard.needs(Action.SYSTEM_SEE)
def page() -> str:
    here, db = context.installation(), context.db()
    now = overview(Examined(here.settings, here.clock))
    return render_template(
        "studio/status.html",
        now=now,
        services=[(words, now.get(each)) for words, each in _SERVICES if now.get(each)],
        failures=now.of(Level.FAIL),
        warnings=now.of(Level.WARN),
        lines=units.lines(db),
        disks=list(_disks()),
        backup=runs.last(db, RunKind.CREATE, RunState.DONE),
        certificate_days=_certificate_days(),
        alerts=alerts.listing(db, context.actor()),
        hours_since=_hours_since,
    )


def _disks() -> list[Disk]:
    settings = context.settings()
    found = []
    for words, folder in (
        (_("films"), settings.media),
        (_("the database"), settings.home),
    ):
        try:
            room = Room.of(folder)
        except OSError:
            continue
        films = folder == settings.media
        days = usage.forecast(context.db(), room.free).days_left if films else None
        found.append(Disk(words, str(folder), room, days))
    return found


def _certificate_days() -> int | None:
    """Return for how many days the certificate holds; None where there is none."""
    try:
        found = place.described(place.of(context.settings()))
    except MatineeError:
        return None
    return found.days_left(context.installation().clock.now())


def _hours_since(moment: str) -> int:
    passed = context.installation().clock.now() - from_text(moment)
    return round(passed.total_seconds() / 3600)
