"""What gunicorn calls in the processes of the portal; it reads this as its settings."""

import logging
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from appliance import logs, settings, supervision

# The release in use, whichever this process is of.
_IN_USE = Path("/opt/matinee/current/venv/bin/matinee")
_PREDECESSOR = "MATINEE_PREDECESSOR"
_HANDED = 3
_ANSWER_SECONDS = 10.0
_log = logging.getLogger("matinee.web")
_ASK = b"GET /-/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def on_starting(server: Any) -> None:
    """Let what gunicorn itself says have the form of all our logs."""
    for handler in server.log.error_log.handlers:
        handler.setFormatter(logs.formatter(settings.load()))


def post_worker_init(worker: Any) -> None:
    """Say that the portal is ready, now that a process of it has loaded it."""
    _log.info("the portal is ready")
    supervision.leads(os.getppid())
    _relieve(os.getppid())
    every = supervision.interval()
    if every:
        address = worker.sockets[0].sock.getsockname()
        threading.Thread(
            target=_watch, args=(address, every), name="watchdog", daemon=True
        ).start()


def pre_exec(server: Any) -> None:
    """Become the portal of the release in use, at SIGUSR2, beside the one that runs.

    It gets the socket, reads the configuration anew, and sends the other one home as
    soon as it answers: nobody waits, and one that can't start changes nothing.
    """
    if not (_IN_USE.exists() and sys.prefix.startswith("/opt/matinee/")):
        return  # gunicorn becomes itself
    os.dup2(server.LISTENERS[0].fileno(), _HANDED)
    os.set_inheritable(_HANDED, True)
    environ = supervision.handed_back(os.environ) | {
        "LISTEN_FDS": "1",
        "LISTEN_PID": str(os.getpid()),
        _PREDECESSOR: str(os.getppid()),
    }
    os.execve(_IN_USE, [str(_IN_USE), "web"], environ)  # noqa: S606


def _relieve(leader: int) -> None:
    """Send the predecessor home, if it still is the parent of our first process."""
    named = os.environ.get(_PREDECESSOR, "")
    with suppress(OSError, ValueError):
        stat = Path(f"/proc/{leader}/stat").read_text(encoding="utf-8")
        parent = int(stat.rpartition(")")[2].split()[1])
        if parent == int(named):
            os.kill(parent, signal.SIGTERM)


def _watch(address: Any, every: float) -> None:
    """Ask as anybody would, whichever process answers; tell systemd when one did."""
    pause = threading.Event()
    while not pause.wait(every):
        if answers(address):
            supervision.alive()


def answers(address: Any) -> bool:
    """Say whether the portal answers at an address, with whatever but an error."""
    kind = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    if kind is not socket.AF_UNIX and ":" in address[0]:
        kind = socket.AF_INET6
    try:
        with socket.socket(kind) as line:
            line.settimeout(_ANSWER_SECONDS)
            line.connect(address)
            line.sendall(_ASK)
            status = line.recv(64).split(b" ")[1:2]
    except OSError:
        return False
    return bool(status) and status[0] < b"500"
