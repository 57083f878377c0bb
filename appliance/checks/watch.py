"""The look that is taken every minute, so that somebody is told what goes wrong.

It runs in a thread of the control worker, and from a timer of the machine as well:
a control worker that is dead, or hangs, can tell nobody.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from appliance import db as database
from appliance.checks import examine
from appliance.checks.examined import Examined
from appliance.clock import from_text
from appliance.operations import alerts, health
from appliance.operations.alerts import Alert
from appliance.operations.findings import Finding, Level
from appliance.settings import Settings
from jobs import control, messenger

# Soon after the start, when all has begun, and then every minute.
_FIRST_SECONDS, _EVERY_SECONDS = 5.0, 60.0
_HANGS = timedelta(minutes=10)
# What the thread itself leaves open when it ends with the process.
_END_SECONDS = 1.0
WATCHING = "jobs.watching"
_WATCHED = Finding(WATCHING, Level.OK, "somebody looks every minute")

logger = logging.getLogger("appliance.checks.watch")


@contextmanager
def beside(settings: Settings, stop: threading.Event) -> Iterator[None]:
    """Look every minute until the block ends or ``stop`` is set."""

    def work() -> None:
        pause = _FIRST_SECONDS
        while not stop.wait(pause):
            pause = _EVERY_SECONDS
            try:
                look(Examined(settings))
            except Exception:  # the next look may go well
                logger.exception("nobody could look how this installation fares")

    thread = threading.Thread(target=work, name="watch", daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join(_END_SECONDS)


def look(examined: Examined, hanging: Finding | None = None) -> list[Alert]:
    """Run the quick checks, leave what they find, and raise or clear alerts."""
    findings = [*examine(examined), hanging or _WATCHED]
    with database.connect(examined.settings.database, examined.clock) as db:
        changed = alerts.note(db, examined.settings, findings)
        if hanging is None:
            health.keep(examined.settings, db.now(), findings)
    for each in changed:
        over = each.cleared_at is not None
        logger.warning(
            "%s %s: %s", each.name, "is well again" if over else "alert", each.sentence
        )
    return changed


def look_over_shoulder(examined: Examined) -> list[Alert] | None:
    """Look in place of a control worker that does not, and tell whom it concerns.

    Return None while it does: then there is nothing to be done here.
    """
    settings = examined.settings
    runs, silent = control.alive(settings), _silent(examined)
    if runs and not silent:
        return None
    changed = look(examined, _hanging(silent) if runs and silent else None)
    with database.connect(settings.database, examined.clock) as db:
        messenger.tell(db, settings)
    return changed


def _silent(examined: Examined) -> timedelta | None:
    """Return for how long nobody has looked, when that is too long."""
    told = health.read(examined.settings)
    if told is None:
        return None
    age = examined.clock.now() - from_text(told.at)
    return age if age > _HANGS else None


def _hanging(silent: timedelta) -> Finding:
    minutes = round(silent.total_seconds() / 60)
    return Finding(
        WATCHING,
        Level.FAIL,
        f"the control worker runs, but has looked at nothing for {minutes} minutes",
        "systemctl restart matinee-control",
    )
