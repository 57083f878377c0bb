"""``matinee nginx``: the configuration of the web server, from the settings."""

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path

import click

import nginx as web_server
from appliance.cli.installation import Installation, pass_installation
from appliance.clock import SystemClock
from appliance.errors import Conflict
from appliance.settings import Settings
from nginx import PRIVATE, secrets, trial, versions
from nginx.roles import ROLES
from nginx.trial import Finding
from nginx.versions import Installed

_roles = click.option(
    "--role",
    "roles",
    multiple=True,
    type=click.Choice(list(ROLES)),
    help="What this machine does, in place of nginx.roles; may be given again.",
)


@click.group()
def nginx() -> None:
    """Render, check and install the configuration of nginx.

    All of it follows from the settings: change those, never the files.

    \b
    matinee nginx check
    matinee nginx install
    nginx -c /etc/matinee/nginx/current/nginx.conf
    """


@nginx.command()
@_roles
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the files into this folder, which must be empty or new.",
)
@pass_installation
def render(
    installation: Installation, roles: tuple[str, ...], folder: Path | None
) -> None:
    """Show the configuration, or write it into a folder.

    Shown, it holds no secrets; written, secrets.conf has mode 0600.
    """
    files = rendered(installation.settings, roles)
    if folder is None:
        shown = {name: text for name, text in files.items() if name not in PRIVATE}
        text = "\n".join(f"# ==> {name}\n{text}" for name, text in shown.items())
        installation.out.result(shown, text.rstrip("\n"))
        return
    if folder.is_dir() and any(folder.iterdir()):
        raise Conflict(
            "command.file-exists", f"{folder} is not empty: give another folder."
        )
    trial.write(files, folder)
    installation.out.result(
        {"folder": str(folder), "files": list(files)},
        f"{folder} holds {len(files)} files; begin with nginx.conf.",
    )


@nginx.command()
@_roles
@pass_installation
def check(installation: Installation, roles: tuple[str, ...]) -> int:
    """Ask nginx and gixy about the configuration; change nothing.

    Exit code 1 when nginx refuses it or gixy finds something grave.
    """
    with tempfile.TemporaryDirectory(prefix="matinee-nginx-") as temporary:
        folder = Path(temporary)
        trial.write(rendered(_apart(installation.settings, folder), roles), folder)
        findings = trial.examine(folder)
    installation.out.table(
        ("", "FROM", "FINDING", "WHAT TO DO"),
        [
            (
                "wrong" if each.grave else "note",
                each.source,
                each.sentence,
                each.remedy or "–",
            )
            for each in findings
        ],
        [dataclasses.asdict(each) for each in findings],
        empty="nginx takes it, and there is nothing to remark.",
    )
    return 1 if any(each.grave for each in findings) else 0


@nginx.command()
@click.option(
    "--if-changed", is_flag=True, help="Leave all as it is where nothing differs."
)
@pass_installation
def install(installation: Installation, if_changed: bool) -> None:
    """Put the configuration into use, if nginx takes it.

    Else the old one stays. It is written to a folder of its own and tested there; then
    the link “current” is turned to it, and an nginx that runs reads it without losing a
    connection.
    """
    settings = installation.settings
    if if_changed and versions.holds(settings, rendered(settings)):
        folder = str(Path(settings.nginx.folder) / "current")
        installation.out.result(
            {"folder": folder, "changed": False, "reloaded": False, "findings": []},
            f"{folder} is in use, and nothing differs.",
        )
        return
    done = put_into_use(settings)
    told = "nginx has taken it over." if done.reloaded else _START.format(done.folder)
    installation.out.result(
        {
            "folder": str(done.folder),
            "changed": True,
            "reloaded": done.reloaded,
            "findings": [dataclasses.asdict(each) for each in done.findings],
        },
        f"{done.folder} is in use. {told}",
    )
    for each in done.findings:
        installation.out.say(_line(each))


_START = (
    "No nginx runs with it yet: start one with nginx -c {0.parent}/current/nginx.conf"
)


def rendered(settings: Settings, roles: tuple[str, ...] = ()) -> Mapping[str, str]:
    """Return the files of the configuration, with the secrets of this machine."""
    return web_server.render(settings, secrets.load(settings), roles)


def put_into_use(settings: Settings) -> Installed:
    """Render, test and switch; the old configuration stays when the new one fails."""
    return versions.install(settings, rendered(settings), SystemClock().now())


def _apart(settings: Settings, folder: Path) -> Settings:
    """Return settings under which nginx touches nothing outside of ``folder``."""
    place = str(folder)
    kept = dataclasses.replace(settings.nginx, run=place, log=place, cache=place)
    return dataclasses.replace(settings, nginx=kept)


def _line(finding: Finding) -> str:
    return f"{finding.source}: {finding.sentence} {finding.remedy}".rstrip()
