"""``matinee logs``: what all parts of an installation have said, in one place."""

import heapq
import json
import re
from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import click

from appliance.checks.examined import Examined
from appliance.cli import log_following, log_lines
from appliance.cli.installation import Installation, pass_installation
from appliance.cli.log_following import Grown
from appliance.cli.log_lines import LEVELS, PARTS, Line, Wanted
from appliance.clock import SystemClock, to_text
from appliance.errors import InvalidInput

_AGO = re.compile(r"(\d{1,6})\s*(s|min|m|h|d)")
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::\d\d)?Z?)?")
_UNITS = {"s": "seconds", "min": "minutes", "m": "minutes", "h": "hours", "d": "days"}


@click.command()
@click.argument("part", type=click.Choice(list(PARTS)), default="all")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is said from now.")
@click.option(
    "--since",
    default="1d",
    show_default=True,
    help="From when on: as 30min, 6h, 2d, or 2026-02-01.",
)
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    default="debug",
    show_default=True,
    help="From which level on.",
)
@click.option("--request-id", default="", help="Only what belongs to that request.")
@click.option(
    "--lines",
    type=click.IntRange(1, 100_000),
    default=200,
    show_default=True,
    help="At most so many lines, the last ones.",
)
@pass_installation
def logs(
    installation: Installation,
    part: str,
    follow: bool,
    since: str,
    level: str,
    request_id: str,
    lines: int,
) -> None:
    """Show what was said by PART: web, control, media, nginx or all of them.

    On an appliance that is journald, and nginx's own files; in a checkout these files
    alone, as `matinee serve` speaks to whoever started it. An answer of the portal has
    its request id in the header X-Request-Id.
    """
    wanted = Wanted(part, moment(since), level, request_id)
    folder = Path(installation.settings.nginx.log)
    journal = Examined(installation.settings).is_appliance
    # Before what was said until now is read: nothing is lost in between.
    grown = Grown.of(part, folder)
    found = deque(merged(wanted, folder, journal=journal), maxlen=lines)
    if follow:
        _show(installation, found)
        _show(installation, log_following.said(wanted, grown, journal=journal))
    elif installation.out.json:
        installation.out.result([each.as_document() for each in found], "")
    elif found:
        _show(installation, found)
    else:
        installation.out.say("Nothing was said.")


def moment(text: str) -> str:
    """Return the moment that somebody means, as UTC text. Errors: ``InvalidInput``."""
    if found := _AGO.fullmatch(text.strip()):
        ago = timedelta(**{_UNITS[found[2]]: int(found[1])})
        return to_text(SystemClock().now() - ago)
    day = re.fullmatch(
        r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::\d\d)?Z?)?", text.strip()
    )
    if day is None:
        raise InvalidInput(
            "logs.since", f"“{text[:40]}” is no moment: as 30min, 6h, 2d or 2026-02-01."
        )
    return f"{day[1]}T{day[2] or '00:00'}:00.000000Z"


def merged(wanted: Wanted, folder: Path, *, journal: bool) -> Iterator[Line]:
    """Yield the lines of all places in the order in which they were said."""
    files = sorted(log_lines.from_files(wanted, folder), key=lambda each: each.at)
    told = log_lines.from_journal(wanted) if journal else iter(())
    return heapq.merge(told, files, key=lambda each: each.at)


def _show(installation: Installation, lines: Iterator[Line] | deque[Line]) -> None:
    for each in lines:
        document = json.dumps(each.as_document(), ensure_ascii=False)
        click.echo(document if installation.out.json else str(each))
