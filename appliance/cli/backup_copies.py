"""``matinee backup copies`` and ``standby``: another machine that goes on at once."""

import dataclasses
import signal
import threading

import click

from appliance import logs
from appliance.cli import backup_restore
from appliance.cli.installation import Installation, pass_installation
from appliance.cli.output import pairs
from appliance.operations.backups import generations
from jobs import copying
from jobs.tools import litestream


@click.group()
def copies() -> None:
    """Copy the database to another place all the time (backup.copies)."""


@copies.command("run")
@pass_installation
def run_copies(installation: Installation) -> None:
    """Copy until told to stop, as under systemd; what is lost is a second or two.

    When a standby has taken over meanwhile this ends, with exit code 3.
    """
    logs.begin(installation.settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    copying.run(installation.settings, stop)


@copies.command("show")
@pass_installation
def show_copies(installation: Installation) -> None:
    """Show where copies go, and what Litestream is told; no secret is shown."""
    found = copying.copies(installation.settings)
    last = generations.current(found.notes)
    told = litestream.configuration(
        installation.settings.database,
        found.replica(last or generations.Generation(1, "", "")),
    )
    document = {
        "place": found.name,
        "generation": last.number if last else 0,
        "litestream": litestream.program(),
        "configuration": told,
    }
    installation.out.result(document, pairs(document))


@click.command()
@click.option(
    "--refresh",
    is_flag=True,
    help="Bring keys, pictures and films from the last backup, to be ready.",
)
@click.option(
    "--recovery-key-stdin",
    is_flag=True,
    help="With --refresh: read the recovery key, needed the first time, from standard"
    " input.",
)
@click.option("--force", is_flag=True, help="Do not look for signs of life first.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def standby(
    installation: Installation,
    refresh: bool,
    recovery_key_stdin: bool,
    force: bool,
    yes: bool,
) -> None:
    """Take over on this machine, from the newest copy of the database.

    Stop the other machine first: while it copies this is refused. Then start Matinee
    here, and let the name of the portal lead to this machine.
    """
    settings = installation.settings
    home = settings.home
    with backup_restore.as_owner(home):
        if refresh:
            installation.out.confirm(
                f"Replace everything in {home} by the last backup?", yes
            )
            key = backup_restore.read_key() if recovery_key_stdin else None
            restored = backup_restore.restored(installation, settings, "", "last", key)
            changed = copying.stand_by(settings, restored.name)
            installation.out.result(
                {"refreshed": restored.name, "at": restored.at, "changed": changed},
                f"Ready with what was backed up {restored.at[:19]}.",
            )
            return
        installation.out.confirm(
            f"Go on in {home} from the newest copy, in place of the other machine?", yes
        )
        taken = copying.take_over(
            *(settings, installation.storage, installation.actor),
            force=force,
            tell=installation.out.say,
        )
    lacking = len(taken.missing)
    told = f" {lacking} films have no files here: see matinee backup films."
    installation.out.result(
        {
            "applied": taken.applied,
            "safety": str(taken.safety or ""),
            "missing": [dataclasses.asdict(each) for each in taken.missing],
        },
        "The newest copy is in place: start Matinee here now."
        + (told if lacking else ""),
    )
