"""From one release to another, and back by itself when the other is not well.

Each step is written down before it is taken, and may be taken again: whatever is cut
short is brought to its end by the next run. Until the database is migrated nothing has
changed; from then on any failure leads back.
"""

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from appliance import clock as clocks
from appliance.cli.release_host import Host
from appliance.clock import Clock
from appliance.errors import InvalidInput, MatineeError, PreconditionFailed
from appliance.operations import release_journal, releases
from appliance.operations.release_journal import Journal, Outcome, Step

UPGRADE, ROLLBACK = "upgrade", "rollback"

_LOOK_SECONDS = 20.0
_PAUSE_SECONDS = 1.0
_GATE = ("release.answers", "release.serves")


class ChangeFailed(PreconditionFailed):
    """The other release was not well; the one before is in use again."""

    exit_code, title = 1, "Taken back"


@dataclass(frozen=True, slots=True)
class Change:
    """How to change releases on a host; ``patience`` is that of the gate, in seconds.

    ``say`` is told what is being done.
    """

    host: Host
    clock: Clock
    say: Callable[[str], None]
    patience: float = 60.0

    def to(self, kind: str, version: str, database: str = "") -> Outcome:
        """Put a release into use; ``database`` is a snapshot to put back with it.

        A change of the same kind to it that was cut short is brought to its end.
        Errors: ``Locked``, ``NotFound``, ``PreconditionFailed``, ``ChangeFailed``.
        """
        with releases.alone(self.host.layout):
            begun = release_journal.read(self.host.layout)
            if begun is not None and begun.step.touched:
                if (begun.kind, begun.after) != (kind, version):
                    raise _cut_short(begun)
                return self._go_on(begun)
            return self._go_on(self._first(kind, version, database))

    def resume(self) -> Outcome | None:
        """Bring to its end what was cut short; None where nothing was."""
        with releases.alone(self.host.layout):
            begun = release_journal.read(self.host.layout)
            return None if begun is None else self._go_on(begun)

    def undo(self) -> Outcome | None:
        """Take back what was cut short; None where nothing was."""
        with releases.alone(self.host.layout):
            begun = release_journal.read(self.host.layout)
            if begun is None:
                return None
            reason = "it was cut short, and taking it back was asked"
            if not begun.step.touched:
                return self._close(begun, time.monotonic(), reason)
            return self._back(begun, reason)

    def _first(self, kind: str, version: str, database: str) -> Journal:
        layout = self.host.layout
        releases.require(layout, version)
        before = releases.in_use(layout)
        if not before:
            raise PreconditionFailed(
                "release.none", "No release is in use here: run install.sh of a bundle."
            )
        if kind == UPGRADE and releases.in_order(version) < releases.in_order(before):
            raise InvalidInput(
                "release.older",
                f"{version} is older than {before}, which is in use: `matinee rollback"
                f" --to {version}` goes back.",
            )
        return Journal(
            kind=kind,
            before=before,
            after=version,
            previous=releases.in_use(layout, "previous"),
            started_at=self._now(),
            database=database,
        )

    def _go_on(self, journal: Journal) -> Outcome:
        """Take every step from where it stands; a failure after the first three leads
        back."""
        started = time.monotonic()
        steps = list(_STEPS)
        if journal.step is Step.BACK:
            return self._back(journal, journal.reason)
        first = journal.step if journal.step.touched else Step.CHECK
        if journal.before == journal.after and not journal.step.touched:
            return Outcome(
                journal.before, journal.after, journal.kind, self._now(), 0.0
            )
        for step in steps[steps.index(first) :]:
            journal = dataclasses.replace(journal, step=step)
            release_journal.write(self.host.layout, journal)
            self.say(_STEPS[step].format(**dataclasses.asdict(journal)))
            try:
                journal = dataclasses.replace(journal, **_TAKE[step](self, journal))
            except (MatineeError, OSError, KeyboardInterrupt) as error:
                reason = str(error) or "it was interrupted"
                if not step.touched:
                    self._close(journal, started, reason)
                    raise
                raise self._taken_back(journal, reason, started) from error
        outcome = self._close(journal, started)
        for gone in releases.forget_old(self.host.layout):
            self.say(f"Removed release {gone}, which nobody goes back to")
        return outcome

    def _check(self, journal: Journal) -> Mapping[str, Any]:
        """See whether both work with the settings, and what was ill before."""
        brings = False
        try:
            self.host.check_settings(journal.after)
        except MatineeError:
            brings = journal.kind == ROLLBACK
            if not brings or not self.host.kept_settings(journal.after).is_file():
                raise
        return {
            "sick": tuple(sorted(self._failing(journal.before))),
            "settings": brings,
        }

    def _snapshot(self, journal: Journal) -> Mapping[str, Any]:
        self.host.keep_settings(journal.before)
        reason = f"before-{journal.after}".lower().replace("+", ".")
        made = self.host.ask(journal.before, "migrate", "--snapshot", reason)
        return {"snapshot": made["snapshot"]}

    def _trial(self, journal: Journal) -> Mapping[str, Any]:
        """Migrate a copy; what takes something away needs everybody to wait."""
        if journal.database:
            return {"stopped": True}
        found = self.host.ask(journal.after, "migrate", "--trial")
        return {"stopped": bool(found["contracts"])}

    def _migrate(self, journal: Journal) -> Mapping[str, Any]:
        """Bring the database to what the new code wants; the old one bears that."""
        if journal.stopped:
            self.host.stop()
        if journal.database:
            self._put_back(journal.before, journal.database)
        self.host.ask(journal.after, "migrate")
        return {}

    def _switch(self, journal: Journal) -> Mapping[str, Any]:
        if journal.settings:
            self.host.put_back_settings(journal.after)
        releases.switch(self.host.layout, journal.after, journal.before)
        return {}

    def _reload(self, journal: Journal) -> Mapping[str, Any]:
        self.host.place_units(journal.after, journal.before)
        self.host.restart(journal.after)
        return {}

    def _gate(self, journal: Journal) -> Mapping[str, Any]:
        """Wait until all is as well as it was. Errors: what is not."""
        until = time.monotonic() + self.patience
        while True:
            failing = self._failing(journal.after, gate=True)
            worse = {
                each: failing[each] for each in failing if each not in journal.sick
            }
            if not worse:
                return {}
            if time.monotonic() > until:
                told = " ".join(f"{each}: {worse[each]}." for each in sorted(worse))
                raise MatineeError(
                    "release.unwell",
                    f"after {self.patience:g} seconds it was not well: {told}",
                )
            time.sleep(_PAUSE_SECONDS)

    def _failing(self, version: str, *, gate: bool = False) -> dict[str, str]:
        """Return the checks that fail, with what they say."""
        looks: list[list[str]] = [["doctor"]]
        if gate:
            looks.append(["doctor", *(f"--only={each}" for each in _GATE)])
        found: dict[str, str] = {}
        for words in looks:
            try:
                told = self.host.ask(version, *words, seconds=_LOOK_SECONDS)
            except MatineeError as error:
                found["doctor"] = error.message
                continue
            for each in told["checks"]:
                if each["level"] == "fail":
                    found[each["id"]] = each["sentence"]
        return found

    def _taken_back(
        self, journal: Journal, reason: str, started: float
    ) -> ChangeFailed:
        self._back(journal, reason, started)
        return ChangeFailed(
            "release.taken-back",
            f"{journal.after} was not put into use: {reason}"
            f" {journal.before} is in use again.",
        )

    def _back(
        self, journal: Journal, reason: str, started: float | None = None
    ) -> Outcome:
        """Put into use what was, with the database as it is where the code bears it."""
        started = time.monotonic() if started is None else started
        journal = dataclasses.replace(journal, step=Step.BACK, reason=reason)
        release_journal.write(self.host.layout, journal)
        self.say(f"Going back to {journal.before}: {reason}")
        releases.switch(self.host.layout, journal.before, journal.previous)
        if journal.settings:
            self.host.put_back_settings(journal.before)
        self._bear(journal)
        self.host.place_units(journal.before, journal.after)
        self.host.restart(journal.before, firmly=True)
        return self._close(journal, started, reason)

    def _bear(self, journal: Journal) -> None:
        """See that the code of before works with the database, whatever it takes."""
        if not journal.database:
            try:
                self.host.ask(journal.before, "migrate")
                return
            except MatineeError as error:
                self.say(error.message)
        self.host.stop()
        self._put_back(journal.before, journal.snapshot)

    def _put_back(self, version: str, snapshot: str) -> None:
        self.say(f"Putting back the database of {snapshot}")
        self.host.ask(version, "migrate", "--put-back", snapshot, "--yes")

    def _close(self, journal: Journal, started: float, trouble: str = "") -> Outcome:
        outcome = Outcome(
            kind=journal.kind,
            before=journal.before,
            after=journal.after,
            ended_at=self._now(),
            seconds=round(time.monotonic() - started, 1),
            snapshot=journal.snapshot,
            trouble=trouble,
        )
        if journal.step.touched:
            self._record(outcome)
        release_journal.close(self.host.layout, outcome)
        return outcome

    def _record(self, outcome: Outcome) -> None:
        """Write it into the audit log; what can't be written stops nothing."""
        version = releases.in_use(self.host.layout)
        words = ["release", "record", outcome.kind, outcome.before, outcome.after]
        try:
            self.host.ask(version, *words, f"--trouble={outcome.trouble}")
        except MatineeError as error:
            self.say(f"The audit log did not take it: {error.message}")

    def _now(self) -> str:
        return clocks.to_text(self.clock.now())


_STEPS = {
    Step.CHECK: "Looking whether {after} can follow {before}",
    Step.SNAPSHOT: "Copying the database",
    Step.TRIAL: "Migrating a copy of the database",
    Step.MIGRATE: "Migrating the database",
    Step.SWITCH: "Putting {after} into use",
    Step.RELOAD: "Starting the services anew; who plays goes on",
    Step.GATE: "Waiting until all is well",
}
_TAKE: Mapping[Step, Callable[[Change, Journal], Mapping[str, Any]]] = {
    Step.CHECK: Change._check,
    Step.SNAPSHOT: Change._snapshot,
    Step.TRIAL: Change._trial,
    Step.MIGRATE: Change._migrate,
    Step.SWITCH: Change._switch,
    Step.RELOAD: Change._reload,
    Step.GATE: Change._gate,
}


def _cut_short(journal: Journal) -> PreconditionFailed:
    return PreconditionFailed(
        "release.cut-short",
        f"The {journal.kind} from {journal.before} to {journal.after} was cut short:"
        " `matinee upgrade --resume` brings it to its end, `matinee rollback` takes it"
        " back.",
    )
