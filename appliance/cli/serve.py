"""``matinee serve``, ``web`` and ``worker``: the processes of an installation."""

import dataclasses
import os
import socket
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import click

from appliance import file_systems, logs, media_checks, migrations, supervision
from appliance.cli.installation import Installation, pass_installation
from appliance.errors import ConfigError
from appliance.settings import Settings
from jobs import supervisor
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
    logs.begin(settings)
    with supervisor.listen(settings) as listener:
        url = settings.portal.public_url or _url(settings, listener)
        installation.out.result({"url": url}, url)
        supervisor.supervise(settings, _ONE_BOX, listener)


@click.command()
@_address
@pass_installation
def web(installation: Installation, host: str | None, port: int | None) -> None:
    """Run the web server alone, as under systemd."""
    settings = _listening(_ready(installation), host, port)
    if settings.web.socket or _is_handed():
        _hand_over(settings)
    name = settings.web.host
    bind = f"[{name}]" if ":" in name else name
    command = supervisor.web_command(settings, f"{bind}:{settings.web.port}")
    _become_web(command, settings)


@click.command()
@click.option("--control", is_flag=True, help="Decide; this needs the database.")
@click.option("--media", is_flag=True, help="Do media work; this needs no database.")
@click.option(
    "--roles",
    help="What of the media work, in place of queue.roles: cpu,gpu,speech.",
)
@click.option(
    "--labels", help="Words to find this machine by, in place of queue.labels."
)
@pass_installation
def worker(
    installation: Installation,
    control: bool,
    media: bool,
    roles: str | None,
    labels: str | None,
) -> None:
    """Run workers: one that decides, one that encodes, or both.

    One control worker runs in an installation, media workers on as many machines as
    share its storage and its Redis server (queue.url). SIGINT lets a media worker
    finish what it has begun; to empty a machine first, see `matinee node drain`.
    """
    settings = _with_queue(installation.settings, roles, labels)
    if media and not control:
        # It knows no database, and its machine may have none.
        far = settings.queue.exchange == "objects"
        _become(supervisor.worker_command(Part.FAR if far else Part.MEDIA), settings)
    _ready(installation)
    if control and not media:
        _become(supervisor.worker_command(Part.CONTROL), settings)
    logs.begin(settings)
    supervisor.supervise(settings, [Part.CONTROL, Part.MEDIA])


def _with_queue(settings: Settings, roles: str | None, labels: str | None) -> Settings:
    """Return the settings with what was asked for. Exit code 2 for nonsense."""
    queue = settings.queue
    changed = dataclasses.replace(
        queue,
        roles=queue.roles if roles is None else roles,
        labels=queue.labels if labels is None else labels,
    )
    for right, sentence in media_checks.of_queue(changed):
        if not right:
            raise ConfigError("config.value", sentence)
    return dataclasses.replace(settings, queue=changed)


def _ready(installation: Installation) -> Settings:
    """Return the settings of a database that is up to date. Exit code 3 otherwise."""
    file_systems.require_local(installation.settings)
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
    if not _is_handed():
        listener = supervisor.listen(settings)
        os.dup2(listener.detach(), _HANDED)
        os.set_inheritable(_HANDED, True)
        environ = {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
    _become_web(supervisor.web_command(settings), settings, environ)


def _is_handed() -> bool:
    """Say whether systemd has opened the socket, and means us."""
    return os.environ.get("LISTEN_PID") == str(os.getpid())


_HANDED = 3
# The machine that has the folder of films needs nobody who works without it.
_ONE_BOX = (Part.WEB, Part.CONTROL, Part.MEDIA)


def _become_web(
    command: list[str], settings: Settings, environ: Mapping[str, str] | None = None
) -> NoReturn:
    found = supervisor.environment(settings) | dict(environ or {})
    os.execve(command[0], command, supervision.handed_on(found))  # noqa: S606


def _become(command: list[str], settings: Settings) -> NoReturn:
    """Turn this process into another, which then gets the signals itself."""
    os.execve(command[0], command, supervisor.environment(settings))  # noqa: S606


def _url(settings: Settings, listener: socket.socket) -> str:
    """Return what to type into a browser on this machine."""
    if settings.web.socket:
        return f"unix:{settings.web.socket}"
    host, port = listener.getsockname()[:2]
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return (
        f"http://[{reached}]:{port}/" if ":" in reached else f"http://{reached}:{port}/"
    )
