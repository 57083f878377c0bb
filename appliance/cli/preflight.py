"""``matinee preflight``: can this machine become, and remain, an appliance?

The one file that looks is run by the installer too, on machines that have Python only.
"""

import runpy
import sys
from pathlib import Path

import click

from appliance.cli.installation import Installation, pass_installation
from appliance.errors import NotFound

_FILE = Path("ansible/files/preflight.py")


@click.command()
@click.option("--media", help="Where films lie or will lie, in place of storage.media.")
@click.option("--public-url", help="The address that viewers use.")
@click.option("--ports", help="The ports that are listened on; else 80,443.")
@click.pass_context
@pass_installation
def preflight(
    installation: Installation,
    context: click.Context,
    media: str | None,
    public_url: str | None,
    ports: str | None,
) -> None:
    """Look whether this machine can become a Matinee; nothing is changed.

    System, memory, cores, disks, ports and who holds them, clock, name, programs. Ends
    with 1 when something stands in the way.
    """
    given = {
        "--media": media,
        "--public-url": public_url,
        "--ports": ports,
    }
    arguments = [
        f"{name}={value}" for name, value in given.items() if value is not None
    ]
    if installation.out.json:
        arguments.append("--json")
    looking = runpy.run_path(str(_file()))
    context.exit(looking["main"](arguments))


def _file() -> Path:
    """Return the file of this release, or of the checkout."""
    places = (Path(sys.prefix).parent, Path(__file__).resolve().parents[2])
    for place in places:
        if (place / _FILE).is_file():
            return place / _FILE
    raise NotFound(
        "preflight.missing",
        f"{_FILE} is not beside this installation: run it from the unpacked release.",
    )
