"""One process that keeps the others running, for one box without systemd.

It holds the listening socket, so that nobody is refused while the web server comes
back. Its children die with it, whatever kills it: the kernel sees to that.
"""

import errno
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from appliance.errors import PreconditionFailed
from appliance.settings import Settings

_SETPRIV = "/usr/bin/setpriv"
_LOOK_SECONDS = 0.1
_STOP_SECONDS = 10.0
_BIND_SECONDS = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0
# A child that lived this long has started well; its next death counts as the first.
_SETTLED_SECONDS = 5.0
_BACKLOG = 512
# The protocol of systemd: descriptor 3, and who it is meant for.
_HAND_OVER = (
    *("/bin/bash", "-c"),
    'exec 3<&"$1"; shift; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"',
    "hand-over",
)

# What goes on in the control worker besides: somebody looks how all of it fares.
_BESIDE = ("appliance.checks.watch",)

logger = logging.getLogger(__name__)


class Part(StrEnum):
    """The processes of an installation."""

    WEB = "web"
    CONTROL = "control"
    MEDIA = "media"
    FAR = "far"


@dataclass(slots=True)
class _Child:
    """A process with what it takes to start it again."""

    part: Part
    command: Sequence[str]
    environment: Mapping[str, str]
    handles: Sequence[int] = ()
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    due: float = 0.0
    deaths: int = field(default=0)

    def look(self, now: float) -> None:
        """Start it when it is due, and note its death."""
        if self.process is None:
            if now >= self.due:
                self._start(now)
            return
        status = self.process.poll()
        if status is None:
            return
        self.process = None
        self.deaths = 0 if now - self.started > _SETTLED_SECONDS else self.deaths + 1
        pause = min(_FIRST_PAUSE * 2**self.deaths, _LONGEST_PAUSE)
        self.due = now + pause
        logger.warning(
            "%s ended (%d), it starts again in %.1f s", self.part, status, pause
        )

    def _start(self, now: float) -> None:
        # A session of its own: Ctrl-C in a terminal reaches the supervisor only.
        self.process = subprocess.Popen(  # noqa: S603 a list of our own, never a shell
            [_SETPRIV, "--pdeathsig", "KILL", "--", *self.command],
            env=self.environment,
            pass_fds=self.handles,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.started = now
        logger.info("%s runs as process %d", self.part, self.process.pid)


def listen(settings: Settings) -> socket.socket:
    """Open the address of the web server, which a predecessor may be just leaving.

    Errors: ``PreconditionFailed`` when another program holds it.
    """
    web = settings.web
    deadline = time.monotonic() + _BIND_SECONDS
    while True:
        try:
            return _unix(Path(web.socket)) if web.socket else _tcp(web.host, web.port)
        except OSError as error:
            if time.monotonic() > deadline:
                place = web.socket or f"{web.host} port {web.port}"
                raise PreconditionFailed(
                    "web.address",
                    f"{place} can't be used: {error.strerror or error}."
                    " Stop the other program or choose another --port.",
                ) from error
            time.sleep(_LOOK_SECONDS)


def _tcp(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def _unix(path: Path) -> socket.socket:
    """Listen at a path that our user and its group may use.

    It appears by a rename: nobody meets it with other rights or not yet listening.
    """
    if _answers(path):
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(aside))
        aside.chmod(0o660)
        listener.listen(_BACKLOG)
        aside.replace(path)
    except OSError:
        listener.close()
        aside.unlink(missing_ok=True)
        raise
    return listener


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as trial:
        try:
            trial.connect(str(path))
        except OSError:
            return False
    return True


def web_command(settings: Settings, bind: str = "") -> list[str]:
    """Return the command of the web server; ``bind`` is as gunicorn has it.

    Without it the server takes the socket that it is handed over as systemd does it.
    """
    return [
        sys.executable,
        "-m",
        "gunicorn",
        # Its control socket would be one more door, under a name that others share.
        "--no-control-socket",
        # Whom to believe about a client is the application's matter (web/front.py).
        *("--forwarded-allow-ips", ""),
        *("--config", "python:web.serving"),
        # Players ask again every few seconds. A server that hangs up in between resets
        # a request that is just on its way.
        *("--keep-alive", "75"),
        *(("--bind", bind) if bind else ()),
        *("--worker-class", "gthread"),
        *("--workers", str(settings.web.workers)),
        *("--threads", str(settings.web.threads)),
        *("--graceful-timeout", "5"),
        *("--log-level", "warning"),
        "web.wsgi:app",
    ]


def worker_command(part: Part) -> list[str]:
    """Return the command of a worker; that of media never loads the database."""
    module = {
        Part.CONTROL: "jobs.control",
        Part.MEDIA: "jobs.media_worker",
        Part.FAR: "jobs.exchange.far_worker",
    }[part]
    beside = _BESIDE if part is Part.CONTROL else ()
    return [sys.executable, "-m", module, *beside]


def environment(settings: Settings) -> dict[str, str]:
    """Return what a child needs to find the same settings."""
    found = dict(os.environ) | {
        "MATINEE_HOME": str(settings.home),
        "MATINEE_QUEUE_ROLES": settings.queue.roles,
        "MATINEE_QUEUE_LABELS": settings.queue.labels,
    }
    if settings.source is not None:
        found["MATINEE_CONFIG"] = str(settings.source)
    return found


def supervise(
    settings: Settings, parts: Sequence[Part], listener: socket.socket | None = None
) -> None:
    """Keep the parts running until SIGTERM or SIGINT, then end them all and wait."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    children = [_child(settings, part, listener) for part in parts]
    try:
        while not stop.is_set():
            now = time.monotonic()
            for child in children:
                child.look(now)
            stop.wait(_LOOK_SECONDS)
    finally:
        _end(children)


def _child(settings: Settings, part: Part, listener: socket.socket | None) -> _Child:
    if part is not Part.WEB:
        return _Child(part, worker_command(part), environment(settings))
    assert listener is not None
    handle = listener.fileno()
    if settings.web.socket:
        # gunicorn would remove the path of a socket that it gets as fd://.
        command = [*_HAND_OVER, str(handle), *web_command(settings)]
    else:
        command = web_command(settings, f"fd://{handle}")
    return _Child(part, command, environment(settings), (handle,))


def _end(children: Sequence[_Child]) -> None:
    """Ask every child to end, and after a while make it."""
    running = [child.process for child in children if child.process is not None]
    for process in running:
        with suppress(ProcessLookupError):
            process.terminate()
    deadline = time.monotonic() + _STOP_SECONDS
    for process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
