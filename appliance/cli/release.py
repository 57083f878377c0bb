"""``matinee release``: which releases are here, and whether a bundle is to be used."""

import dataclasses
from pathlib import Path

import click

from appliance import __version__
from appliance.cli.installation import Installation, pass_installation
from appliance.cli.output import pairs
from appliance.cli.release_host import Host
from appliance.db import write
from appliance.events import Event, record
from appliance.operations import release_journal, releases
from appliance.operations.releases import Layout

_key = click.option(
    "--key",
    default="",
    help="The public key of your supplier (RW…), in place of the one kept here.",
)


@click.group()
def release() -> None:
    """See the releases on this machine, and check bundles before they are used."""


@release.command("list")
@pass_installation
def list_(installation: Installation) -> None:
    """List the releases that are installed here, the newest first."""
    found = releases.listing(Layout())
    installation.out.table(
        ("version", "built", "state"),
        [
            (each.version, each.built_at[:10], ", ".join(_states(each)))
            for each in found
        ],
        {
            "releases": [dataclasses.asdict(each) for each in found],
            "last_change": _last(),
            "program": __version__,
        },
        empty="No release is installed here: this is a checkout, or done by hand.",
    )


@release.command()
@click.argument("bundle", type=click.Path(path_type=Path))
@_key
@pass_installation
def verify(installation: Installation, bundle: Path, key: str) -> None:
    """Check the signature and every file of BUNDLE, a file or an unpacked folder.

    Ends with 2 when it is not to be used.
    """
    keys = releases.trusted(Layout(), key)
    version = releases.check(bundle, keys)
    installation.out.result(
        {"version": version, "bundle": str(bundle), "key": keys[0].text},
        f"{bundle} is Matinee {version}, whole, and signed by {keys[0].text}.",
    )


@release.command()
@click.argument("version")
@pass_installation
def check(installation: Installation, version: str) -> None:
    """Say whether VERSION, installed here, could be put into use; change nothing."""
    layout = Layout()
    found = releases.require(layout, version)
    host = Host(layout)
    host.check_settings(version)
    trial = host.ask(version, "migrate", "--trial")
    document = {
        "version": version,
        "current": releases.in_use(layout),
        "migrations": trial["would_apply"],
        "stops": bool(trial["contracts"]),
        "built_at": found.built_at,
    }
    installation.out.result(document, pairs(document))


@release.command("record", hidden=True)
@click.argument("kind", type=click.Choice(["upgrade", "rollback"]))
@click.argument("before")
@click.argument("after")
@click.option("--trouble", default="", help="Why it was taken back.")
@pass_installation
def record_(
    installation: Installation, kind: str, before: str, after: str, trouble: str
) -> None:
    """Write a change of releases into the audit log, as who changes them asks.

    KIND is upgrade or rollback; BEFORE and AFTER are the releases.
    """
    back = kind == "rollback" or bool(trouble)
    event = Event.RELEASE_ROLLBACK if back else Event.RELEASE_SWITCH
    with installation.db() as db, write(db):
        record(
            db,
            installation.actor,
            event,
            f"release/{after}",
            before=before,
            trouble=trouble[:500],
        )
    installation.out.result({"recorded": event}, "")


def _states(found: releases.Release) -> list[str]:
    states = {
        "in use": found.current,
        "the one before": found.previous,
        "unfinished": not found.whole,
    }
    return [name for name, holds in states.items() if holds]


def _last() -> dict[str, object] | None:
    last = release_journal.last(Layout())
    return None if last is None else dataclasses.asdict(last)
