"""Options that say what a title is, for the commands that make and change one."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from appliance.catalog.credits import Job
from appliance.catalog.kinds import Kind
from appliance.errors import InvalidInput

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--kind",
        type=click.Choice([each.value for each in Kind]),
        help="What it is; else a film.",
    ),
    click.option(
        "--series",
        "--of",
        "parent",
        help="What it belongs to, by its slug: of an episode the series or course,"
        " of a trailer or an extra any title.",
    ),
    click.option(
        "--season",
        "season_number",
        type=click.IntRange(0, 9999),
        help="Its season; 0 for specials.",
    ),
    click.option(
        "--episode",
        "episode_number",
        type=click.IntRange(0, 9999),
        help="Its number in the season; else the next one.",
    ),
    click.option(
        "--original-title", "original_name", help="What it is called where it is from."
    ),
    click.option("--tag", "tags", multiple=True, help="A tag; may be repeated."),
    click.option(
        "--credit",
        "credits",
        multiple=True,
        metavar="JOB:NAME[:CHARACTER]",
        help=f"Who did what for it; may be repeated. Jobs: {', '.join(Job)}.",
    ),
    click.option(
        "--external-id", help="What it is called in another system; imports use it."
    ),
)


def describing(command: _Command) -> _Command:
    """Give a command the options that say what a title is."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def given(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that were said, as the core takes them."""
    kept = {name: value for name, value in fields.items() if value not in (None, ())}
    if "credits" in kept:
        kept["credits"] = [_credit(text) for text in kept["credits"]]
    return kept


def _credit(text: str) -> dict[str, str]:
    job, colon, rest = text.partition(":")
    name, _, character = rest.partition(":")
    if not colon or not name.strip():
        raise InvalidInput(
            "title.credits",
            f"“{text}” is no credit: write it as JOB:NAME or JOB:NAME:CHARACTER.",
        )
    return {"job": job.strip(), "name": name, "character": character}
