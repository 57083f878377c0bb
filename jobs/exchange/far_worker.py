"""A media worker on a machine without the folder of films: see :mod:`jobs.exchange`.

``python -m jobs.exchange.far_worker`` runs it. Below the folder ``exchange`` in its
home it has one for its roles, and there each job has a folder that looks like the
storage, with no more in it than the units that are lent need; so steps and runner are
those of every other media worker.
"""

import fcntl
import json
import logging
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from appliance import logs, media_checks, supervision
from appliance import settings as configuration
from appliance.clock import SystemClock, to_text
from appliance.errors import Locked, MatineeError, NotFound, StorageFull
from appliance.objects import ObjectStore
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import broker, runner
from jobs.attempts import Attempt, Heartbeat, Spec
from jobs.encoders import proving
from jobs.exchange import parcels
from jobs.exchange.mailbox import Letter, Mailbox
from jobs.exchange.parcels import Carrier, Known, Parcel, Stamp
from jobs.machines import announcing, lease, nodes, wishes
from jobs.machines.announcing import Announcer
from jobs.machines.board import Board
from jobs.machines.gate import Gate
from jobs.machines.wishes import Wish
from jobs.media_worker import Ending
from jobs.processes import ending_plainly
from jobs.runner import STORAGE_AWAY, Step
from jobs.steps import STEPS
from jobs.tools.process import Cancelled

_ROUND_SECONDS = 0.2
# What was made is worth more patience than what is only to be made.
_UNTIL_FETCHED, _UNTIL_LEFT = 60.0, 900.0
_PAUSE_SECONDS = 30.0
_LOOK_SECONDS = 10.0
# Units of a film come one after another, and read the same source.
_IDLE_SECONDS = 600.0
_NO_CONTROL = (
    "No control worker has answered over Redis yet: does `matinee worker --control` run"
    " with the same queue.url, and with a bucket (objects.bucket)?"
)

logger = logging.getLogger("jobs.exchange.far_worker")  # not __main__

Name = tuple[str, str]


def main() -> None:
    """Work until told to stop: SIGINT lets units end first, SIGTERM does not."""
    settings = configuration.load()
    logs.begin(settings)
    logs.listen(settings)
    ending = Ending()
    ending.by_signals()
    with _only_one(settings):
        proving.tend_beside(settings)
        worker = FarWorker(
            settings, ObjectStore(settings), Mailbox(broker.of(settings)), STEPS
        )
        with announcing.announced(worker.announcer):
            worker.run(ending)


@dataclass(slots=True)
class _Loan:
    """An attempt that is lent to us. ``report`` says why nothing was made of it."""

    attempt: Attempt
    ended: bool = False
    report: dict[str, Any] | None = None
    stopped: bool = False

    def stop(self) -> None:
        """Let go of it, as soon as the step looks up from its work."""
        self.stopped = True
        with suppress(OSError):
            (self.attempt.folder / "cancel").touch()

    def as_told(self) -> Letter:
        now = Heartbeat(to_text(SystemClock().now()))
        # While files are carried nobody beats: that this lives says the letter itself.
        beat = self.attempt.heartbeat() if self.attempt.claimed else None
        if beat is not None and self.attempt.report() is not None:
            beat = Heartbeat(now.at, beat.progress)
        told: Letter = {"heartbeat": asdict(beat or now), "ended": self.ended}
        return told if self.report is None else told | {"report": self.report}


@dataclass(slots=True)
class FarWorker:
    """Does what is lent to this machine; ``root`` holds what that needs."""

    settings: Settings
    objects: ObjectStore
    mailbox: Mailbox
    steps: Mapping[str, Step]
    root: Storage = field(init=False)
    announcer: Announcer = field(init=False)
    board: Board = field(default_factory=Board)
    gate: Gate = field(default_factory=Gate)
    _loans: dict[Name, _Loan] = field(default_factory=dict)
    _used: dict[str, float] = field(default_factory=dict)
    _fetched: dict[str, dict[Stamp, Parcel]] = field(default_factory=dict)
    _fetching: threading.Lock = field(default_factory=threading.Lock)
    _pause: tuple[float, str] = (0.0, "")
    _looked: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.root = Storage(_workshop(self.settings))
        # The units of an earlier process are others' by now; what they read is kept.
        for folder in self.root.path("jobs").glob("*/work/*/attempts"):
            shutil.rmtree(folder, ignore_errors=True)
        slots = announcing.own_slots(self.settings)
        self.announcer = Announcer(
            self.settings, self.root, self.board, self.gate, slots, _NO_CONTROL
        )

    @property
    def key(self) -> str:
        return self.announcer.place.stem

    def run(self, ending: Ending) -> None:
        """Exchange letters until the end, and for units to end if there is time."""
        said = ""
        supervision.ready()
        while not (ending.begun.is_set() and not self._loans):
            try:
                self.round(ending=ending.begun.is_set())
                said = ""
            except (MatineeError, OSError) as error:
                if str(error) != said:
                    logger.warning("%s", error)
                said = str(error)
            supervision.alive()
            if ending.at_once.wait(_ROUND_SECONDS):
                break
        with suppress(MatineeError):
            self.mailbox.tell(self.key, {"node": {}, "ended": True})

    def round(self, *, ending: bool = False) -> None:
        """Do what the last answer says, and tell what there is to tell.

        Errors: ``TryAgain`` without Redis; what is under way goes on.
        """
        answer = self.mailbox.answered(self.key)
        if answer is not None:
            self._heed(answer, ending=ending)
        node = json.loads(self.announcer.place.read_bytes())
        trouble = "It is ending." if ending else self._trouble()
        told = {
            f"{job}/{key}": loan.as_told()
            for (job, key), loan in list(self._loans.items())
        }
        self.mailbox.tell(
            self.key,
            {
                "at": to_text(SystemClock().now()),
                "node": node | ({"trouble": trouble} if trouble else {}),
                "attempts": told,
            },
        )
        self._forget_idle(_IDLE_SECONDS)
        self._look_again()

    def _look_again(self) -> None:
        """A graphics processor may have passed its test meanwhile."""
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            self._looked = time.monotonic()
            self.announcer.slots |= announcing.own_slots(self.settings)

    def _heed(self, answer: Letter, *, ending: bool) -> None:
        self._mirror(answer)
        lent = {(each["job"], each["key"]): each["ready"] for each in answer["work"]}
        for name, loan in list(self._loans.items()):
            if name in lent:
                continue
            loan.stop()
            if loan.ended:
                shutil.rmtree(loan.attempt.folder, ignore_errors=True)
                del self._loans[name]
        for name, ready in lent.items():
            if ready and name not in self._loans and not ending:
                self._begin(*name)

    def _mirror(self, answer: Letter) -> None:
        """Let control worker and wishes look here as they do in the folder."""
        path = self.root.path(lease.PLACE)
        text = json.dumps(answer["control"])
        if answer["control"] and (not path.exists() or path.read_text() != text):
            self.root.write(lease.PLACE, text.encode())
        name, wish = nodes.own_name(self.settings), Wish(**answer["wish"])
        if wishes.of(self.root, name) != wish:
            wishes.put(self.root, name, wish)

    def _begin(self, job: str, key: str) -> None:
        storage = Storage(self.root.path(Path("jobs", job)))
        loan = self._loans[job, key] = _Loan(Attempt(storage, job, key))
        threading.Thread(
            target=self._work, args=(loan,), name=f"lent-{key}", daemon=True
        ).start()

    def _work(self, loan: _Loan) -> None:
        """Fetch what a unit needs, run it, and leave what it made."""
        try:
            report = self._made(loan)
            if not report["ok"]:
                loan.report = self._refused(report)
        except Cancelled:
            logger.info("%s of job %s was taken back", *_named(loan))
        except (MatineeError, OSError) as error:
            said = error.message if isinstance(error, MatineeError) else str(error)
            loan.report = self._given_back(said)
        except Exception:  # a bug fails its unit, not the worker
            logger.exception("a unit of job %s failed", loan.attempt.job)
            loan.report = self._given_back("Carrying it failed unexpectedly.")
        finally:
            self._used[loan.attempt.job] = time.monotonic()
            loan.ended = True

    def _made(self, loan: _Loan) -> dict[str, Any]:
        attempt, carrier = loan.attempt, self._carrier(loan, _UNTIL_FETCHED)
        self._fetch(loan, carrier)
        runner.run(attempt, self.settings, self.steps, _nobody, self.board)
        report = attempt.report()
        if report is None:
            raise Cancelled("process.cancelled", "The work was cancelled.")
        if report["ok"]:
            carrier = self._carrier(loan, _UNTIL_LEFT)
            outputs = carrier.send(attempt.folder, sorted(_outputs(attempt.folder)))
            left = {"report": report, "outputs": parcels.as_documents(outputs)}
            carrier.write(f"attempts/{attempt.key}/result.json", left)
        return report

    def _fetch(self, loan: _Loan, carrier: Carrier) -> None:
        attempt = loan.attempt
        try:
            order = carrier.read(f"attempts/{attempt.key}/order.json")
        except NotFound as error:  # taken back in this moment
            raise Cancelled("process.cancelled", "The work was cancelled.") from error
        inputs = parcels.from_documents(order["inputs"])
        # Units of one film wait for one another: they read the same.
        with self._fetching:
            self._used[attempt.job] = time.monotonic()
            self._make_room(attempt.storage, inputs)
            carrier.fetch(inputs, attempt.storage.root)
        attempt.prepare(Spec(**order["spec"]))
        if loan.stopped:
            raise Cancelled("process.cancelled", "The work was cancelled.")

    def _make_room(self, storage: Storage, inputs: list[Parcel]) -> None:
        missing = sum(
            each.size for each in inputs if not storage.path(each.name).exists()
        )
        try:
            storage.require_room(missing)
        except StorageFull:
            self._forget_idle(0)
            storage.require_room(missing)

    def _carrier(self, loan: _Loan, patience: float) -> Carrier:
        job = loan.attempt.job
        known = Known(fetched=self._fetched.setdefault(job, {}))
        return Carrier(self.objects, job, known, lambda: not loan.stopped, patience)

    def _refused(self, report: dict[str, Any]) -> dict[str, Any]:
        """Return the report of a step; what only this machine lacks is given back."""
        error = report["error"]
        if error["code"] in ("storage.full", STORAGE_AWAY):
            return self._given_back(error["message"])
        return report

    def _given_back(self, reason: str) -> dict[str, Any]:
        """Leave a unit to others, and take none for a moment."""
        name = nodes.own_name(self.settings)
        self._pause = time.monotonic() + _PAUSE_SECONDS, reason
        logger.warning("a unit is given back: %s", reason)
        message = f"The machine {name} gave it back: {reason}"
        return {
            "ok": False,
            "error": {
                "code": STORAGE_AWAY,
                "message": message,
                "retry": True,
                "log_tail": "",
            },
        }

    def _trouble(self) -> str:
        until, reason = self._pause
        return reason if time.monotonic() < until else ""

    def _forget_idle(self, seconds: float) -> None:
        """Remove what jobs needed that are lent no more."""
        busy = {job for job, _ in list(self._loans)}
        now = time.monotonic()
        for folder in self.root.path("jobs").glob("*"):
            used = self._used.setdefault(folder.name, now)
            if folder.name not in busy and now - used >= seconds:
                shutil.rmtree(folder, ignore_errors=True)
                self._used.pop(folder.name, None)
                self._fetched.pop(folder.name, None)


def _outputs(folder: Path) -> Iterator[str]:
    ours = {"spec.json", "claim", "heartbeat.json", "result.json", "cancel"}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_file() and name not in ours and not name.endswith(".part"):
            yield name


def _named(loan: _Loan) -> tuple[str, str]:
    spec = loan.attempt.spec()
    return (spec.unit if spec else "a unit"), loan.attempt.job


def _nobody() -> None:
    """Nobody is to be rung for: the next letter says it."""


def _workshop(settings: Settings) -> Path:
    """Return the folder of the worker of these roles; it is nobody else's."""
    roles = "-".join(sorted(media_checks.names(settings.queue.roles)))
    return settings.home / "exchange" / roles


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Let no second worker use the folder. Errors: ``Locked``."""
    folder = _workshop(settings)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Locked(
                "worker.running",
                f"A media worker runs already for {settings.home} with the roles"
                f" {settings.queue.roles}.",
            ) from None
        yield


if __name__ == "__main__":
    with ending_plainly():
        main()
