"""``matinee upgrade``: put a newer release into use, or the one before again."""

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from appliance.cli.installation import Installation, pass_installation
from appliance.cli.release_change import UPGRADE, Change
from appliance.cli.release_host import Host
from appliance.clock import SystemClock
from appliance.errors import Forbidden, InvalidInput
from appliance.operations import releases
from appliance.operations.release_journal import Outcome
from appliance.operations.releases import Layout

_UNPACKED = Path("/var/cache/matinee-install")


@click.command()
@click.argument("bundle", required=False, type=click.Path(path_type=Path))
@click.option("--to", metavar="VERSION", help="A release that is installed already.")
@click.option("--resume", is_flag=True, help="Bring to its end what was cut short.")
@click.option(
    "--key",
    default="",
    help="The public key of your supplier (RW…), in place of the one kept here.",
)
@click.option(
    "--seconds",
    type=click.IntRange(1, 600),
    default=60,
    show_default=True,
    help="How long all may take to be well before it is taken back.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def upgrade(
    installation: Installation,
    bundle: Path | None,
    to: str | None,
    resume: bool,
    key: str,
    seconds: int,
    yes: bool,
) -> None:
    """Put the release of BUNDLE, a signed file, into use.

    The database is copied first and migrated on a copy; then the services start anew
    while films go on. When all is not well after a minute, the release of before is
    put back. Run again after a power cut, it ends what it began.
    """
    if sum((bundle is not None, to is not None, resume)) != 1:
        raise InvalidInput("command.usage", "Give a BUNDLE, or --to, or --resume.")
    require_root()
    if bundle is not None:
        _install(installation, bundle, key, seconds, yes)
    change = Change(Host(Layout()), SystemClock(), installation.out.say, seconds)
    if to is None:
        show(installation, change.resume())
        return
    installation.out.confirm(f"Put release {to} into use?", yes)
    show(installation, change.to(UPGRADE, to))


def require_root() -> None:
    """Refuse whoever can't change what root owns."""
    if os.geteuid() != 0:
        raise Forbidden("release.root", "Releases are root's: say it with sudo.")


def show(installation: Installation, outcome: Outcome | None) -> None:
    """Print how a change ended."""
    if outcome is None:
        installation.out.result({"changed": False}, "Nothing was cut short.")
        return
    there = outcome.before if outcome.trouble else outcome.after
    document = {
        "changed": outcome.before != there,
        "before": outcome.before,
        "current": there,
        "seconds": outcome.seconds,
        "snapshot": outcome.snapshot,
        "trouble": outcome.trouble,
    }
    if outcome.trouble:
        sentence = f"{there} is in use again: {outcome.trouble}"
    elif outcome.before == there:
        sentence = f"{there} is in use already."
    else:
        sentence = f"{there} is in use, after {outcome.seconds:g} seconds."
    installation.out.result(document, sentence)


def _install(
    installation: Installation, bundle: Path, key: str, seconds: int, yes: bool
) -> NoReturn:
    """Become the installer of a bundle that is whole and signed.

    It puts the release beside the one in use, and then runs ``matinee upgrade --to``.
    """
    keys = releases.trusted(Layout(), key)
    installation.out.say(f"Checking {bundle}")
    folder = releases.unpack(bundle, _UNPACKED, keys)
    words = ["install.sh", f"--seconds={seconds}"]
    words += [f"--key={key}"] if key else []
    words += ["--yes"] if yes else []
    sys.stdout.flush()
    os.execv(folder / "install.sh", words)  # noqa: S606 no shell, our own bundle
