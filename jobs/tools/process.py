"""The only place that runs other programs.

A program gets its arguments as a list, a session of its own, and dies with the worker
that started it. It is stopped when its work is cancelled, takes too long, or shows no
sign of life for too long. Nothing of its output is kept but a bounded tail.
"""

import logging
import os
import selectors
import shlex
import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from appliance.errors import MatineeError, StorageFull, TryAgain

_LOG_LINES = 200
_OUT_BYTES = 4 * 1024 * 1024
_LINE_BYTES = 1024 * 1024
_SPARE_BYTES = 1024 * 1024
_LOOK_SECONDS = 0.2
_DYING_SECONDS = 10.0
_HIDDEN = "[hidden]"

logger = logging.getLogger(__name__)


class ProcessFailed(TryAgain):
    """A program failed; ``details`` hold its exit status and the tail of its log."""


class Cancelled(MatineeError):
    """The work was cancelled while the program ran."""

    title = "Cancelled"


@dataclass(frozen=True, slots=True)
class Finished:
    """What a program left: standard output (unless a callback took it) and its log."""

    out: str
    log: str


@dataclass(frozen=True, slots=True)
class Run:
    """How to run a program.

    ``writes`` is the folder it writes to: a full disk is told from there. ``timeout``
    and ``stall`` are in seconds; a program stalls when it neither reports progress nor
    reads anything. ``secrets`` never reach a log. ``environ`` is added to the variables
    of this process, for secrets too. ``inherits`` are the open files that
    the program gets besides its three; it finds them as ``/proc/self/fd/<number>``.
    """

    cwd: Path | None = None
    nice: int = 0
    secrets: Sequence[str] = field(default=(), repr=False)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    inherits: Sequence[int] = ()
    writes: Path | None = None
    cancelled: Callable[[], bool] = lambda: False
    timeout: float | None = None
    stall: float | None = None


def run(
    args: Sequence[str | Path],
    how: Run | None = None,
    on_line: Callable[[str], bool] | None = None,
) -> Finished:
    """Run a program to its end.

    ``on_line`` gets every line of its standard output and says whether that line was a
    sign of life; without it the output is returned.
    Errors: ``ProcessFailed`` (``process.failed``, ``.killed``, ``.memory``,
    ``.missing``, ``.stalled``, ``.timeout``, ``.output``), ``Cancelled``,
    ``StorageFull``.
    """
    how = how or Run()
    command = [str(arg) for arg in args]
    name = Path(command[0]).name
    if shutil.which(command[0]) is None:
        raise ProcessFailed(
            "process.missing", f"{name} is not installed on this machine."
        )
    shown = _shown(command, how)
    logger.info("%s", shown)
    running = _Running(name, shown, how, on_line)
    status = running.to_the_end(_wrapped(command, how))
    return running.judged(status)


def in_folder(how: Run, folder: Path) -> Run:
    """Return the same, run in ``folder``."""
    return replace(how, cwd=folder)


@contextmanager
def told_in_memory(
    how: Run, text: str, secrets: Sequence[str]
) -> Iterator[tuple[Run, Path]]:
    """Hold a text for a program where nobody else finds it; give the path it opens.

    It is a file without a name, in memory: unlike arguments, which every user of the
    machine can read, and unlike files, of which something may stay on a disk.
    """
    handle = os.memfd_create("matinee", os.MFD_CLOEXEC)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        told = replace(
            how,
            inherits=(*how.inherits, handle),
            secrets=(*how.secrets, *secrets),
        )
        yield told, Path(f"/proc/self/fd/{handle}")


def _wrapped(command: list[str], how: Run) -> list[str]:
    # A killed worker must leave no encoder behind: the kernel kills it with its parent.
    wrapped = ["setpriv", "--pdeathsig", "KILL", "--"]
    if how.nice:
        wrapped += ["nice", "-n", str(how.nice)]
    return wrapped + command


def _shown(command: list[str], how: Run) -> str:
    """Write the command so that it can be pasted into a shell, without secrets."""
    text = shlex.join(_redacted(arg, how.secrets) for arg in command)
    return f"cd {shlex.quote(str(how.cwd))} && {text}" if how.cwd else text


def _redacted(text: str, secrets: Sequence[str]) -> str:
    for secret in filter(None, secrets):
        text = text.replace(secret, _HIDDEN)
    return text


@dataclass
class _Running:
    name: str
    shown: str
    how: Run
    on_line: Callable[[str], bool] | None
    out: list[str] = field(default_factory=list)
    out_bytes: int = 0
    log: deque[str] = field(default_factory=lambda: deque(maxlen=_LOG_LINES))
    started: float = field(default_factory=time.monotonic)
    lived: float = field(default_factory=time.monotonic)
    bytes_read: int = 0
    starved: int = field(default_factory=lambda: killed_for_memory())

    def to_the_end(self, wrapped: list[str]) -> int:
        """Start it, read what it says, and return its exit status."""
        child = subprocess.Popen(  # noqa: S603 a list, never a shell
            wrapped,
            cwd=self.how.cwd,
            env={**os.environ, **self.how.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=tuple(self.how.inherits),
            start_new_session=True,
        )
        try:
            self._read(child)
            return self._wait(child)
        finally:
            _kill(child)

    def judged(self, status: int) -> Finished:
        """Turn the exit status into a result or the error that explains it."""
        log = "\n".join(self.log)
        if self._disk_is_full(status, log):
            raise StorageFull(
                "storage.full",
                f"The disk that holds {self.how.writes} is full:"
                " free some room and try again.",
                {"log_tail": self._tail()},
            )
        if status == -signal.SIGKILL:
            # That says nothing about the film.
            if killed_for_memory() > self.starved:
                raise self._failure(
                    "process.memory",
                    f"{self.name} was killed for lack of memory: give the machine more,"
                    " or set queue.slots lower.",
                )
            raise self._failure("process.killed", f"{self.name} was killed.")
        if status:
            said = _last_words(self.log) or "it said nothing"
            raise self._failure(
                "process.failed", f"{self.name} ended with status {status}: {said}"
            )
        return Finished("".join(self.out), log)

    def _read(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None
        assert child.stderr is not None
        with selectors.DefaultSelector() as watched:
            out, log = _Lines(self._take_out), _Lines(self._take_log)
            watched.register(child.stdout, selectors.EVENT_READ, out)
            watched.register(child.stderr, selectors.EVENT_READ, log)
            while watched.get_map():
                for key, _ in watched.select(_LOOK_SECONDS):
                    data = os.read(key.fd, 65536)
                    key.data.feed(data)
                    if not data:
                        watched.unregister(key.fileobj)
                self._look(child.pid)

    def _wait(self, child: subprocess.Popen[bytes]) -> int:
        while True:
            try:
                return child.wait(_LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                self._look(child.pid)

    def _take_out(self, line: str) -> None:
        if self.on_line is not None:
            if self.on_line(line.rstrip("\n")):
                self.lived = time.monotonic()
            return
        self.out.append(line)
        self.out_bytes += len(line)
        self.lived = time.monotonic()
        if self.out_bytes > _OUT_BYTES:
            raise self._failure("process.output", f"{self.name} writes without end.")

    def _take_log(self, line: str) -> None:
        said = _redacted(line.rstrip("\n"), self.how.secrets)
        self.log.append(said)
        logger.debug("%s: %s", self.name, said)

    def _look(self, pid: int) -> None:
        """Stop here when the work is cancelled, too slow or dead."""
        if self.how.cancelled():
            raise Cancelled("process.cancelled", "The work was cancelled.")
        now = time.monotonic()
        if self.how.stall is not None and (read := _bytes_read(pid)) > self.bytes_read:
            self.bytes_read, self.lived = read, now
        if self.how.timeout is not None and now - self.started > self.how.timeout:
            raise self._failure(
                "process.timeout",
                f"{self.name} was stopped after {self.how.timeout:g} seconds.",
            )
        if self.how.stall is not None and now - self.lived > self.how.stall:
            raise self._failure(
                "process.stalled",
                f"{self.name} made no progress for {self.how.stall:g} seconds"
                " and was stopped.",
            )

    def _disk_is_full(self, status: int, log: str) -> bool:
        if self.how.writes is None or not self.how.writes.is_dir():
            return False
        if "No space left on device" in log or "Disk quota exceeded" in log:
            return True
        # The packager does not say why it failed.
        return status != 0 and shutil.disk_usage(self.how.writes).free < _SPARE_BYTES

    def _failure(self, code: str, message: str) -> ProcessFailed:
        return ProcessFailed(code, message, {"log_tail": self._tail()})

    def _tail(self) -> str:
        return "\n".join([f"$ {self.shown}", *self.log])


@dataclass
class _Lines:
    """Cuts what arrives into lines; one without an end is cut too."""

    take: Callable[[str], None]
    rest: bytes = b""

    def feed(self, data: bytes) -> None:
        if not data:
            lines, self.rest = [self.rest] if self.rest else [], b""
        else:
            *lines, self.rest = (self.rest + data).split(b"\n")
            lines = [line + b"\n" for line in lines]
            if len(self.rest) > _LINE_BYTES:
                lines, self.rest = [*lines, self.rest], b""
        for line in lines:
            self.take(line.decode("utf-8", "replace"))


def _bytes_read(pid: int) -> int:
    """Return how much a program has read so far; 0 when it ended.

    One that decodes its way to a far chunk, or looks for the next subtitle, has
    nothing to report for long, but it reads.
    """
    try:
        counters = Path(f"/proc/{pid}/io").read_text()
    except OSError:
        return 0
    return int(counters.split("rchar:")[1].split()[0])


def killed_for_memory() -> int:
    """Return how often the kernel has ended a process for lack of memory."""
    try:
        counters = Path("/proc/vmstat").read_text()
    except OSError:
        return 0
    _, found, rest = counters.partition("\noom_kill ")
    return int(rest.split()[0]) if found else 0


def _last_words(log: Sequence[str]) -> str:
    return next((line.strip() for line in reversed(log) if line.strip()), "")


def _kill(child: subprocess.Popen[bytes]) -> None:
    """Leave nothing of its session running, however the reading ended."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        try:
            child.wait(_DYING_SECONDS)
        except subprocess.TimeoutExpired:
            # It hangs in the kernel, in a driver or on a share that went away, and
            # dies when that lets it go. Whoever started it must not hang as well.
            logger.warning("process %d does not die: its device hangs", child.pid)
    for pipe in (child.stdout, child.stderr):
        if pipe is not None:
            pipe.close()
