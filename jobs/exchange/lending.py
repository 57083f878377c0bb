"""The control side: lends attempts to far media workers, and collects what they made.

It knows folders, Redis and the object storage, never the database: to settling, an
attempt that is lent looks like one of a worker that has the folder. Whatever is kept in
memory is found again after a restart, by the claims and by the letters.
"""

import json
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from redis.exceptions import RedisError

from appliance.clock import SystemClock
from appliance.errors import MatineeError, NotFound, StorageFull, TryAgain
from appliance.objects import ObjectStore
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import broker, queue
from jobs.attempts import WORK, Attempt, Heartbeat
from jobs.exchange import hands, inputs, parcels
from jobs.exchange.hands import Hands, Loan, Name, may_be_lent
from jobs.exchange.mailbox import Letter, Mailbox, clock
from jobs.exchange.parcels import Carrier, Known, Parcel
from jobs.machines import lease, nodes, wishes
from jobs.runner import STORAGE_AWAY
from jobs.tools.process import Cancelled

_ROUND_SECONDS = 0.3
_SHOW_SECONDS = 2.0
_SILENT_SECONDS = 3.0
_BEAT_SECONDS = 1.0
_SWEEP_SECONDS = 60.0
_CARRIERS = 4
# More than even a large cluster has in hand; a hint that is lost costs a moment.
_MOST_HINTS = 1000
_ASIDE = ("", "")
_COLLECTED = WORK / ".exchange"

logger = logging.getLogger(__name__)


@contextmanager
def beside(
    settings: Settings, storage: Storage, stop: threading.Event
) -> Iterator[None]:
    """Lend from a thread, where there are both a Redis and a bucket to do so."""
    if not (settings.queue.url and settings.objects.bucket):
        yield
        return
    # While nobody lent no letter was read: who is silent shows one lease later.
    hands.keep(storage)
    thread = threading.Thread(
        target=_go_on, args=(settings, storage, stop), name="exchange", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_BEAT_SECONDS)


def _go_on(settings: Settings, storage: Storage, stop: threading.Event) -> None:
    mailbox, said = Mailbox(broker.of(settings)), ""
    lender: Lender | None = None
    while not stop.wait(_ROUND_SECONDS):
        try:
            letters = mailbox.letters()
            if lender is None and letters:
                objects = ObjectStore(settings)
                lender = Lender(settings, storage, objects, mailbox, stop=stop)
            if lender is not None:
                lender.round(letters)
            said = ""
        except (MatineeError, OSError) as error:
            if str(error) != said:
                logger.warning("nothing is lent now: %s", error)
            said = str(error)
            hands.keep(storage)
        except Exception:  # the next round may go better; films at home go on
            logger.exception("lending failed")


@dataclass(slots=True)
class Lender:
    """What the control side does for far workers, one round after another.

    ``ready`` are the loans whose inputs lie there, ``known`` what does, by job; while
    the object storage is ``away`` nothing is lent or collected.
    """

    settings: Settings
    storage: Storage
    objects: ObjectStore
    mailbox: Mailbox
    ready: set[Name] = field(default_factory=set)
    known: dict[str, Known] = field(default_factory=dict)
    away: bool = False
    stop: threading.Event = field(default_factory=threading.Event)
    _shown: dict[str, float] = field(default_factory=dict)
    _heard: dict[str, tuple[str, float]] = field(default_factory=dict)
    _carried: dict[Name, "Future[None]"] = field(default_factory=dict)
    _beaten: dict[Name, float] = field(default_factory=dict)
    _swept: float = float("-inf")
    _pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_CARRIERS, "carry")
    )

    def __post_init__(self) -> None:
        # What was being collected when this was killed is collected anew.
        shutil.rmtree(self.storage.path(_COLLECTED), ignore_errors=True)

    def round(self, letters: Mapping[str, Letter]) -> None:
        """Look once at everything, and answer every letter.

        Errors: ``PreconditionFailed`` while the storage is away, when nothing is known
        of any loan; ``TryAgain`` without Redis.
        """
        self.storage.require_mounted()
        for key, letter in letters.items():
            self._show(key, letter)
        loans, free = self._look(letters)
        for loan in loans:
            self._tend(loan)
        loans += self._lend(loans, free, letters)
        for key, letter in letters.items():
            mine = [loan for loan in loans if loan.worker == key]
            self.mailbox.answer(key, self._answer(letter, mine))
        self._clear_up({loan.name for loan in loans})

    def _show(self, key: str, letter: Letter) -> None:
        """Announce a far worker as the others announce themselves."""
        now, at = time.monotonic(), str(letter.get("at"))
        if self._heard.get(key, ("", 0.0))[0] != at:
            self._heard[key] = at, now
        path = self.storage.path(nodes.FOLDER / f"{nodes.FAR}{key}.json")
        if letter.get("ended"):
            path.unlink(missing_ok=True)
            self._shown.pop(key, None)
            self._heard.pop(key, None)
        elif now - self._shown.get(key, -_SHOW_SECONDS) >= _SHOW_SECONDS:
            path.parent.mkdir(parents=True, exist_ok=True)
            aside = path.with_suffix(".part")
            told = letter["node"] | {"place": ""} | clock(letter)
            aside.write_text(json.dumps(told), encoding="utf-8")
            aside.replace(path)
            self._shown[key] = now

    def _look(
        self, letters: Mapping[str, Letter]
    ) -> tuple[list[Loan], list[tuple[float, Attempt]]]:
        """Return what is lent, and what nobody has claimed, with its age."""
        loans, free = [], []
        for attempt in hands.attempts(self.storage):
            worker = attempt.lent_to()
            if worker:
                told = letters.get(worker, {}).get("attempts", {})
                said = told.get(f"{attempt.job}/{attempt.key}")
                loans.append(Loan(attempt, worker, said))
            elif not attempt.claimed:
                with suppress(FileNotFoundError):
                    age = (attempt.folder / "spec.json").stat().st_mtime
                    free.append((age, attempt))
        return loans, sorted(free, key=lambda each: each[0])

    def _tend(self, loan: Loan) -> None:
        """Note a sign of life, send what is missing, or collect what was made."""
        if loan.name in self._carried or loan.attempt.report() is not None:
            self._beat(loan)
        elif loan.ended:
            assert loan.said is not None
            if "report" in loan.said:
                _end(loan.attempt, loan.said["report"])
            else:
                self._beat(loan)
                self._carry(loan, self._collect)
        elif loan.said is not None:
            self.ready.add(loan.name)
            self._hear(loan, loan.said)
        elif loan.name not in self.ready:
            self._carry(loan, self._send)

    def _lend(
        self,
        loans: list[Loan],
        free: list[tuple[float, Attempt]],
        letters: Mapping[str, Letter],
    ) -> list[Loan]:
        if not free or not letters or self.away:
            return []
        now = SystemClock().now().timestamp()
        found = [each for each in nodes.listing(self.storage, now) if each.takes]
        near = [each for each in found if not each.far]
        taken = Hands(loans)
        lent = []
        for _, attempt in free:
            spec = attempt.spec()
            if spec is None or not may_be_lent(spec, near):
                continue
            for node in found:
                worker = node.key.removeprefix(nodes.FAR)
                if self._listens(worker, letters) and taken.free(node, worker, spec):
                    if attempt.lend(node.name, worker):
                        loan = Loan(attempt, worker, None)
                        lent.append(loan)
                        taken.taken.append(loan)
                        self._carry(loan, self._send)
                    break
        return lent

    def _listens(self, worker: str, letters: Mapping[str, Letter]) -> bool:
        """Say whether a far worker lives, as quickly as it shows."""
        heard = self._heard.get(worker, ("", float("-inf")))[1]
        return worker in letters and time.monotonic() - heard < _SILENT_SECONDS

    def _answer(self, letter: Letter, loans: list[Loan]) -> Letter:
        told = lease.told(self.storage)
        name = str(letter.get("node", {}).get("name", ""))
        return {
            "control": {
                each: told[each] for each in ("versions", "worker_key") if each in told
            },
            "wish": asdict(wishes.of(self.storage, name)),
            "work": [
                {"job": job, "key": key, "ready": (job, key) in self.ready}
                for job, key in (loan.name for loan in loans)
            ],
        }

    def _beat(self, loan: Loan) -> None:
        """Show a sign of life for a worker that waits for us."""
        now = time.monotonic()
        if now - self._beaten.get(loan.name, -_BEAT_SECONDS) < _BEAT_SECONDS:
            return
        self._beaten[loan.name] = now
        hands.beat(loan.attempt)

    def _hear(self, loan: Loan, said: Mapping[str, Any]) -> None:
        heartbeat = Heartbeat(**said["heartbeat"])
        if heartbeat != loan.attempt.heartbeat():
            with suppress(OSError):
                loan.attempt.beat(heartbeat)

    def _carry(self, loan: Loan, how: "Callable[[Attempt], None]") -> None:
        """Do in a thread what takes the object storage long.

        What was made is worth waiting for; what is only to be made is given back.
        """
        if self.away:
            return

        def carry() -> None:
            try:
                how(loan.attempt)
            except Cancelled:
                return
            except (MatineeError, OSError) as error:
                away = isinstance(error, TryAgain) and error.code != parcels.DAMAGED
                self.away = self.away or away
                logger.warning("a loan did not go well: %s", error)
                if loan.ended and away:
                    return
                self.known.pop(loan.attempt.job, None)
                _end(loan.attempt, _failure(error))

        self._carried[loan.name] = self._pool.submit(carry)

    def _ask(self) -> None:
        """Look whether the object storage is back."""
        with suppress(MatineeError):
            self.objects.check()
            self.away = False

    def _carrier(self, attempt: Attempt) -> Carrier:
        job = attempt.job
        if job not in self.known:
            self.known[job] = parcels.known(self.objects, job)
        return Carrier(
            self.objects,
            job,
            self.known[job],
            lambda: not self.stop.is_set() and attempt.spec() is not None,
        )

    def _send(self, attempt: Attempt) -> None:
        spec, carrier = attempt.spec(), self._carrier(attempt)
        if spec is None:
            return
        sent = carrier.send(self.storage.root, inputs.names(self.storage, spec))
        order = {"spec": asdict(spec), "inputs": parcels.as_documents(sent)}
        carrier.write(f"attempts/{attempt.key}/order.json", order)
        self.ready.add((attempt.job, attempt.key))

    def _collect(self, attempt: Attempt) -> None:
        """Fetch what a worker made to a place aside, then into its folder."""
        carrier = self._carrier(attempt)
        left = carrier.read(f"attempts/{attempt.key}/result.json")
        outputs = parcels.from_documents(left["outputs"])
        self.storage.require_room(sum(each.size for each in outputs))
        aside = self.storage.path(_COLLECTED / f"{attempt.job}.{attempt.key}")
        try:
            aside.mkdir(parents=True, exist_ok=True)
            carrier.fetch(outputs, aside)
            carrier.known.pieces.update(_pieces(outputs))
            for path in aside.iterdir():
                path.replace(attempt.folder / path.name)
            attempt.end(left["report"])
        except FileNotFoundError:  # taken back in this moment
            return
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        queue.wake(self.settings, attempt.job)

    def _clear_up(self, lent: set[Name]) -> None:
        """Remove from the object storage what nobody asks for any more."""
        for name, carried in list(self._carried.items()):
            if carried.done():
                del self._carried[name]
        gone = (self.ready | self._beaten.keys()) - lent - self._carried.keys()
        ended = [job for job in list(self.known) if not self._open(job)]
        overdue = time.monotonic() - self._swept > _SWEEP_SECONDS
        if self.away:
            self._aside(self._ask)
        elif gone or ended or overdue:
            self._aside(partial(self._remove, gone, ended, everything=overdue))

    def _aside(self, do: Callable[[], None]) -> None:
        """Do something in a thread, but one thing after another."""
        if _ASIDE not in self._carried:
            self._carried[_ASIDE] = self._pool.submit(do)

    def _remove(self, gone: set[Name], ended: list[str], *, everything: bool) -> None:
        try:
            for job, key in gone:
                for name in ("order.json", "result.json"):
                    self.objects.remove(f"{WORK}/{job}/attempts/{key}/{name}")
                self.ready.discard((job, key))
                self._beaten.pop((job, key), None)
            names = self.objects.listing(str(WORK)) if everything else ()
            there = {name.split("/")[0] for name, _ in names}
            self.storage.require_mounted()
            for job in {*ended, *there}:
                if not self._open(job):
                    self.objects.remove_folder(f"{WORK}/{job}")
                    self.known.pop(job, None)
            if everything:
                self._forget_hints()
                self._swept = time.monotonic()
        except (MatineeError, OSError) as error:
            self.away = self.away or isinstance(error, TryAgain)
            logger.warning("what is left over is removed later: %s", error)

    def _forget_hints(self) -> None:
        """Drop hints that pile up where all media workers are far: none takes them."""
        for name in queue.MEDIA:
            line = queue.line(self.settings, name)
            if line.waiting() > _MOST_HINTS:
                with suppress(RedisError):
                    line.huey.storage.flush_queue()

    def _open(self, job: str) -> bool:
        return self.storage.path(WORK / job).is_dir()


def _pieces(found: list[Parcel]) -> set[str]:
    return {piece for each in found for piece in each.pieces}


def _end(attempt: Attempt, report: dict[str, Any]) -> None:
    with suppress(OSError):  # taken back in this moment
        attempt.end(report)


def _failure(error: MatineeError | OSError) -> dict[str, Any]:
    """Report what stood in the way of carrying; only a full disk is for good."""
    full = isinstance(error, StorageFull)
    said = error.message if isinstance(error, MatineeError) else str(error)
    missing = "What lay in the bucket is gone: " if isinstance(error, NotFound) else ""
    return {
        "ok": False,
        "error": {
            "code": "storage.full" if full else STORAGE_AWAY,
            "message": f"{missing}{said}",
            "retry": not full,
            "log_tail": "",
        },
    }
