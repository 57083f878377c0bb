"""``matinee serve``, ``web`` and ``worker``: the processes of an installation."""

import dataclasses
import os
import socket
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import click

from appliance import migrations
from appliance.cli.installation import Installation, pass_installation
from appliance.settings import Settings
from jobs import supervisor
from jobs.processes import log_to_stderr
from jobs.supervisor import Part

_host = click.option("--host", help="The address to listen on, in place of web.host.")
_port = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="The port to listen on, in place of web.port; 0 takes a free one.",
)


def _address(command: Callable[..., Any]) -> Callable[..., Any]:
    return _host(_port(command))


@click.command()
@_address
@pass_installation
def serve(installation: Installation, host: str | None, port: int | None) -> None:
    """Run everything on this machine: portal, control worker and media worker.

    The address of the portal is printed when it answers there. Ctrl-C or SIGTERM ends
    all of it; work that was under way goes on at the next start.
    """
    settings = _listening(_ready(installation), host, port)
    log_to_stderr()
    with supervisor.listen(settings) as listener:
        url = settings.portal.public_url or _url(settings, listener)
        installation.out.result({"url": url}, url)
        supervisor.supervise(settings, list(Part), listener)


@click.command()
@_address
@pass_installation
def web(installation: Installation, host: str | None, port: int | None) -> None:
    """Run the web server alone, as under systemd."""
    settings = _listening(_ready(installation), host, port)
    if settings.web.socket:
        _hand_over(settings)
    name = settings.web.host
    bind = f"[{name}]" if ":" in name else name
    command = supervisor.web_command(settings, f"{bind}:{settings.web.port}")
    _become(command, settings)


@click.command()
@click.option(
    "--queue",
    type=click.Choice(["control", "cpu", "all"]),
    default="all",
    show_default=True,
    help="Which: control decides and needs the database; cpu encodes.",
)
@pass_installation
def worker(installation: Installation, queue: str) -> None:
    """Run workers: one that decides, one that encodes, or both.

    One control worker runs in an installation, media workers on as many machines as
    share the storage and the queue. SIGINT lets a media worker finish what it has
    begun.
    """
    if queue == "cpu":
        # It knows no database, and its machine may have none.
        settings = installation.settings
        _become(supervisor.worker_command(Part.MEDIA), settings)
    settings = _ready(installation)
    if queue == "control":
        _become(supervisor.worker_command(Part.CONTROL), settings)
    log_to_stderr()
    supervisor.supervise(settings, [Part.CONTROL, Part.MEDIA])


def _ready(installation: Installation) -> Settings:
    """Return the settings of a database that is up to date. Exit code 3 otherwise."""
    migrations.require_current(installation.settings.database)
    return installation.settings


def _listening(settings: Settings, host: str | None, port: int | None) -> Settings:
    asked = host is not None or port is not None
    changed = dataclasses.replace(
        settings.web,
        socket="" if asked else settings.web.socket,
        host=settings.web.host if host is None else host,
        port=settings.web.port if port is None else port,
    )
    return dataclasses.replace(settings, web=changed)


def _hand_over(settings: Settings) -> NoReturn:
    """Become the web server, with the socket that systemd or we have opened for it."""
    environ: dict[str, str] = {}
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        listener = supervisor.listen(settings)
        os.dup2(listener.detach(), _HANDED)
        os.set_inheritable(_HANDED, True)
        environ = {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
    _become(supervisor.web_command(settings), settings, environ)


_HANDED = 3


def _become(
    command: list[str], settings: Settings, environ: Mapping[str, str] | None = None
) -> NoReturn:
    """Turn this process into another, which then gets the signals itself."""
    found = supervisor.environment(settings) | dict(environ or {})
    os.execve(command[0], command, found)  # noqa: S606


def _url(settings: Settings, listener: socket.socket) -> str:
    """Return what to type into a browser on this machine."""
    if settings.web.socket:
        return f"unix:{settings.web.socket}"
    host, port = listener.getsockname()[:2]
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return (
        f"http://[{reached}]:{port}/" if ":" in reached else f"http://{reached}:{port}/"
    )
