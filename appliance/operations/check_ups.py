"""What the doctor noted at its last check-up, and what has changed since: told once.

A check-up is done at night, with the checks that take long. :mod:`.health` has what the
quick ones say every minute.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass

from appliance import preferences
from appliance.db import Database, write
from appliance.events import Event, record
from appliance.operations.findings import Finding, Level
from appliance.permissions import Action, Actor, check

SUBJECT = "system/health"
_KEY = "check-up"


@dataclass(frozen=True, slots=True)
class CheckUp:
    """What was found when somebody last noted it; ``at`` is empty before."""

    at: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A finding whose level is not what it was."""

    before: Level
    finding: Finding


def last(db: Database) -> CheckUp:
    """Return what was noted last."""
    kept = preferences.read(db, _KEY)
    found = tuple(
        Finding(each["id"], Level(each["level"]), each["sentence"], each["fix"])
        for each in kept.value.get("findings", ())
    )
    return CheckUp(kept.changed_at, found)


def note(
    db: Database, actor: Actor, findings: Sequence[Finding], known: Collection[str]
) -> list[Change]:
    """Keep what was found, and record what differs from the last time, if anything.

    ``known`` are the ids of all checks: of those that were not run now, what was noted
    stays. Errors: ``Forbidden``.
    """
    check(actor, Action.SYSTEM_MANAGE)
    with write(db):
        before = {each.id: each for each in last(db).findings}
        merged = before | {each.id: each for each in findings}
        kept = [asdict(merged[each]) for each in known if each in merged]
        changes = list(_changes(before, findings))
        preferences.change(db, actor, _KEY, {"findings": kept})
        if changes:
            levels = [each["level"] for each in kept]
            record(
                db,
                actor,
                Event.HEALTH_CHANGE,
                SUBJECT,
                changes=[
                    asdict(each.finding) | {"before": each.before} for each in changes
                ],
                failures=levels.count(Level.FAIL),
                warnings=levels.count(Level.WARN),
            )
    return changes


def _changes(
    before: dict[str, Finding], findings: Sequence[Finding]
) -> Iterator[Change]:
    """Yield what is worse or better; what was never looked at was well until now.

    Sentences hold figures that differ every night, and change nothing.
    """
    for finding in findings:
        old = before[finding.id].level if finding.id in before else Level.OK
        if finding.level is not old:
            yield Change(old, finding)
