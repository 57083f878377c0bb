"""What a service tells systemd."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance import supervision


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """Listen as systemd does."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as line:
        line.bind(str(tmp_path / "notify"))
        line.settimeout(5)
        yield line


def test_it_hears_that_a_service_is_ready_and_alive(manager: socket.socket) -> None:
    environ = {"NOTIFY_SOCKET": manager.getsockname()}

    supervision.ready(environ)
    supervision.alive(environ)

    assert [manager.recv(100), manager.recv(100)] == [b"READY=1", b"WATCHDOG=1"]


def test_it_hears_who_leads_from_now_on(manager: socket.socket) -> None:
    supervision.leads(17, {"NOTIFY_SOCKET": manager.getsockname()})

    assert manager.recv(100) == b"MAINPID=17\nREADY=1"


def test_the_portal_is_not_called_ready_by_gunicorn(manager: socket.socket) -> None:
    environ = supervision.handed_on({"NOTIFY_SOCKET": manager.getsockname(), "A": "b"})

    supervision.ready(environ)

    assert "NOTIFY_SOCKET" not in environ
    assert manager.recv(100) == b"READY=1"
    assert supervision.handed_back(environ)["NOTIFY_SOCKET"] == manager.getsockname()


def test_without_systemd_nothing_is_said() -> None:
    supervision.ready({})
    supervision.alive({"NOTIFY_SOCKET": "/nowhere/notify"})


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [({"WATCHDOG_USEC": "60000000"}, 20.0), ({}, 0.0), ({"WATCHDOG_USEC": "x"}, 0.0)],
)
def test_it_is_said_three_times_as_often_as_asked_for(
    environ: dict[str, str], seconds: float
) -> None:
    assert supervision.interval(environ) == seconds
