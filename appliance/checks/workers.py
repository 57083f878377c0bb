"""Checks of the workers, and of the queue between them."""

import time
from datetime import timedelta

from appliance.checks.check import Answer, Check, Checks, ok
from appliance.checks.examined import Examined
from appliance.clock import from_text, to_text
from appliance.media import jobs as job_rows
from appliance.media import units
from appliance.operations.findings import Level
from jobs import control, queue, staffing
from jobs.machines import lease, nodes
from jobs.machines.nodes import Node
from jobs.queue import QueueName

_PICKED_UP = 60.0
_A_DAY = timedelta(days=1)
_A_FEW, _OFTEN = 3, 0.2


def _queue(examined: Examined) -> Answer:
    settings = examined.settings
    # Asking for a queue that is not there would make it.
    if not settings.queue.url and not (settings.home / "queue").is_dir():
        return Level.WARN, "nothing has been queued here yet", "matinee serve"
    waiting = queue.line(settings, QueueName.CONTROL).waiting()
    return ok(f"the queue answers; {waiting} hints wait")


def _control(examined: Examined) -> Answer:
    if control.alive(examined.settings):
        return ok("a control worker is at work")
    if host := lease.elsewhere(examined.storage):
        return (
            Level.FAIL,
            f"the control worker of {host} decides over this storage, and refuses one"
            " here: two installations must not share a folder of films",
            "set storage.media to a folder of its own, or run matinee worker --media",
        )
    return Level.WARN, "no control worker runs: films wait", "matinee serve"


def _media(examined: Examined) -> Answer:
    found = nodes.listing(examined.storage, time.time())
    for node in found:
        if node.alive and (node.refused or node.trouble):
            why = node.refused or node.trouble
            return Level.WARN, f"{node.name} does nothing: {why}", "matinee node list"
    with examined.db() as db:
        lacking = staffing.lacks(db, examined.storage)
    for lack in lacking:
        return Level.WARN, lack.sentence, lack.fix
    slots = nodes.slots(examined.storage, time.time())
    if slots:
        if keyless := _keyless(examined, found):
            return keyless
        machines = len({node.name for node in found if node.takes})
        where = f" by {machines} machines" if machines > 1 else ""
        return ok(f"{sum(slots)} work units are taken at once{where}")
    return Level.WARN, "no media worker runs: films wait", "matinee serve"


def _keyless(examined: Examined, found: list[Node]) -> Answer | None:
    """Say so where protected films could not be made, though nothing waits yet."""
    ready = [node for node in found if node.takes]
    if any(node.unseals for node in ready):
        return None
    with examined.db() as db:
        protected = bool(db.value("select max(protected) from titles"))
    if not (protected or examined.settings.protection.protect_new):
        return None
    return (
        Level.WARN,
        "no media worker at work has the worker key: protected films can't be made",
        f"copy worker.key from {examined.settings.keys} into the folder of keys of"
        " a media worker, with mode 0600, or run matinee worker --media here",
    )


def _pickup(examined: Examined) -> Answer:
    """Look for work that lies there while hands are free."""
    with examined.db() as db:
        since, running = units.taken_up(db)
    free = sum(nodes.slots(examined.storage, time.time())) - running
    if not since or free <= 0:
        return ok("work is taken up as soon as hands are free")
    waits = examined.now - from_text(since).timestamp()
    if waits < _PICKED_UP:
        return ok(f"the work that waits was handed out {waits:.0f} s ago")
    return (
        Level.FAIL if waits > 10 * _PICKED_UP else Level.WARN,
        f"work waits for {waits:.0f} s, though hands are free",
        "systemctl restart matinee-media, and look at matinee logs media",
    )


def _failures(examined: Examined) -> Answer:
    """Look at what became of the jobs of a day."""
    with examined.db() as db:
        failed, ended = job_rows.outcome(db, to_text(examined.clock.now() - _A_DAY))
    sentence = f"of {ended} jobs of the last day {failed} failed"
    if failed < _A_FEW or failed < _OFTEN * ended:
        return ok(sentence)
    level = Level.FAIL if failed > ended / 2 else Level.WARN
    return level, sentence, "matinee job list --state failed; matinee job show JOB"


CHECKS: Checks = {
    "jobs.queue": Check(_queue),
    "jobs.worker_alive": Check(_control),
    "jobs.media_workers": Check(_media),
    "jobs.pickup_seconds": Check(_pickup),
    "jobs.fail_rate": Check(_failures),
}
