"""``matinee announce`` and ``matinee maintenance``: what everybody is told."""

from dataclasses import asdict

import click

from appliance.cli.installation import Installation, pass_installation
from appliance.operations import announcements
from appliance.operations import maintenance as closing
from appliance.operations.announcements import Announcement, Level
from appliance.operations.maintenance import Maintenance

_from = click.option("--from", "starts_at", help="From when on; without it: at once.")
_until = click.option("--until", "ends_at", help="Until when; without it: no end.")


@click.group()
def announce() -> None:
    """Tell everybody something at the head of every page.

    \b
    matinee announce add "New films every Friday" --until 2026-12-24
    matinee announce list
    """


@announce.command("add")
@click.argument("text")
@click.option(
    "--level",
    type=click.Choice([each.value for each in Level]),
    default=Level.INFO.value,
    show_default=True,
    help="How much it matters.",
)
@click.option("--stays", is_flag=True, help="Nobody can put it away.")
@_from
@_until
@pass_installation
def add(
    installation: Installation,
    text: str,
    level: str,
    stays: bool,
    starts_at: str | None,
    ends_at: str | None,
) -> None:
    """Announce TEXT, one sentence."""
    with installation.db() as db:
        made = announcements.add(
            db,
            installation.actor,
            text,
            level=level,
            dismissible=not stays,
            starts_at=starts_at,
            ends_at=ends_at,
        )
    installation.out.result(asdict(made), made.id)


@announce.command("list")
@pass_installation
def listing(installation: Installation) -> None:
    """List what is, was and will be announced."""
    with installation.db() as db:
        found = announcements.listing(db, installation.actor)
    installation.out.table(
        ("id", "text", "from", "until"),
        [_row(each) for each in found],
        [asdict(each) for each in found],
        empty="Nothing is announced.",
    )


@announce.command("remove")
@click.argument("announcement")
@pass_installation
def remove(installation: Installation, announcement: str) -> None:
    """Take ANNOUNCEMENT, an id, back."""
    with installation.db() as db:
        gone = announcements.remove(db, installation.actor, announcement)
    installation.out.result({"removed": gone.id}, f"Taken back: {gone.text}")


@click.group()
def maintenance() -> None:
    """Close the portal for a while; what plays goes on, and so does the Studio.

    \b
    matinee maintenance on --from "2026-12-01 22:00" --until "2026-12-01 23:00"
    matinee maintenance off
    """


@maintenance.command("on")
@_from
@_until
@click.option("--message", default="", help="What viewers read meanwhile.")
@pass_installation
def close(
    installation: Installation,
    starts_at: str | None,
    ends_at: str | None,
    message: str,
) -> None:
    """Close the portal, at once or later."""
    with installation.db() as db:
        planned = closing.close(
            db,
            installation.actor,
            starts_at=starts_at,
            ends_at=ends_at,
            message=message,
        )
        _print(installation, planned, db.now())


@maintenance.command("off")
@pass_installation
def open_again(installation: Installation) -> None:
    """Open the portal, or drop the plan to close it."""
    with installation.db() as db:
        planned = closing.open_again(db, installation.actor)
        _print(installation, planned, db.now())


@maintenance.command("status")
@pass_installation
def status(installation: Installation) -> None:
    """Say whether the portal is closed."""
    with installation.db() as db:
        _print(installation, closing.read(db), db.now())


def _row(each: Announcement) -> tuple[str, str, str, str]:
    return each.id, each.text, each.starts_at or "at once", each.ends_at or "–"


def _print(installation: Installation, planned: Maintenance, now: str) -> None:
    closed = planned.closed(now)
    document = asdict(planned) | {"closed": closed}
    sentence = "The portal is open."
    if closed:
        sentence = f"The portal is closed, until {planned.ends_at or 'you open it'}."
    elif planned.planned and (planned.starts_at or "") > now:
        sentence = f"The portal is open; it closes at {planned.starts_at}."
    installation.out.result(document, sentence)
