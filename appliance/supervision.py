"""What a service tells the system manager that started it: the protocol of systemd.

Started otherwise, nobody listens, and nothing is said.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

HANDED_ON = "MATINEE_NOTIFY_SOCKET"
"""Where the address stands for the portal: gunicorn would say READY before it is."""


def ready(environ: Mapping[str, str] = os.environ) -> None:
    """Say that the service does its work from now on."""
    _tell(environ, "READY=1")


def leads(pid: int, environ: Mapping[str, str] = os.environ) -> None:
    """Say which process is the service's first from now on, and that it is ready."""
    _tell(environ, f"MAINPID={pid}\nREADY=1")


def alive(environ: Mapping[str, str] = os.environ) -> None:
    """Say that it still does; silent for ``WatchdogSec``, it is started anew."""
    _tell(environ, "WATCHDOG=1")


def interval(environ: Mapping[str, str] = os.environ) -> float:
    """Return after how many seconds to say so again; 0 where nobody waits for it."""
    with suppress(ValueError):
        return int(environ.get("WATCHDOG_USEC", "0")) / 1_000_000 / 3
    return 0.0


def handed_on(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the address where only we look for it."""
    given = dict(environ)
    if "NOTIFY_SOCKET" in given:
        given[HANDED_ON] = given.pop("NOTIFY_SOCKET")
    return given


def handed_back(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with the address where systemd has put it."""
    given = dict(environ)
    if HANDED_ON in given:
        given["NOTIFY_SOCKET"] = given.pop(HANDED_ON)
    return given


def _tell(environ: Mapping[str, str], state: str) -> None:
    address = environ.get("NOTIFY_SOCKET") or environ.get(HANDED_ON, "")
    if not address:
        return
    # A name that begins with @ is one of the kernel's own, and no file.
    name = f"\0{address[1:]}" if address.startswith("@") else address
    # A word that is lost is said again; the last one is the manager's to miss.
    with (
        suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line,
    ):
        line.connect(name)
        line.sendall(state.encode())
