"""``matinee access``: who may watch what, when and where, and why not."""

import dataclasses
from typing import Any

import click

from appliance.access import availability, entitlements
from appliance.access.entitlements import Grant
from appliance.accounts import profiles
from appliance.cli import explained
from appliance.cli.installation import Installation, pass_installation
from appliance.playback import explanation


@click.group()
def access() -> None:
    """Grant rights to watch, open windows, and explain what follows from them.

    \b
    matinee access explain ada solaris
    matinee access grant group:Training --title fire-safety
    """


@access.command()
@click.argument("user")
@click.argument("title")
@click.option("--profile", default="", help="Which profile watches; else the first.")
@click.option(
    "--address", default="", help="Where from; else where USER was seen last."
)
@click.option(
    "--at", default="", help="At which time, as 2026-02-01T20:00 (UTC); else now."
)
@pass_installation
def explain(
    installation: Installation,
    user: str,
    title: str,
    profile: str,
    address: str,
    at: str,
) -> None:
    """Say whether USER may watch TITLE (its slug), with every reason.

    Ends with 0 also when the answer is no: the question has been answered. Programs
    read "allowed" with --json.

    \b
    matinee access explain ada solaris
    matinee access explain ada solaris --at 2026-02-01 --address 203.0.113.7 --json
    """
    with installation.db() as db:
        found = explanation.explain(
            db,
            installation.settings,
            installation.actor,
            user,
            title,
            profile=profile,
            address=address,
            at=at,
        )
    installation.out.result(
        explanation.told(found, everything=True), explained.text(found)
    )


@access.command("list")
@click.option(
    "--subject", default="", help="Only rights of these, as account:ada or everyone."
)
@click.option("--title", default="", help="Only rights to this title, by its slug.")
@pass_installation
def listing(installation: Installation, subject: str, title: str) -> None:
    """List the rights to watch: whose, to what, from where, until when."""
    with installation.db() as db:
        grants = entitlements.listing(db, subject, title)
    installation.out.table(
        ("ID", "WHOSE", "TITLE", "SOURCE", "WHEN", "LIMITS"),
        [
            (
                each.id,
                each.subject,
                _what(each),
                each.source,
                explained.span(each.starts_at, each.ends_at),
                explained.limits(each.streams, each.uhd_streams, each.max_height),
            )
            for each in grants
        ],
        [_document(each) for each in grants],
        empty="There is no such right: nobody may watch without one.",
    )


@access.command()
@click.argument("subject")
@click.option("--title", help="The slug of a title; else every title.")
@click.option("--collection", default="", help="The slug of a collection, instead.")
@click.option("--source", default="", help="Where the right comes from, as plan:basic.")
@click.option("--from", "starts_at", help="When it begins, as 2026-02-01; else now.")
@click.option("--until", "ends_at", help="Before when it ends, as 2026-03-01.")
@click.option("--streams", type=int, help="How many streams at once; 0: no limit.")
@click.option("--uhd-streams", type=int, help="How many of them sharper than 1080p.")
@click.option("--max-height", type=int, help="Up to which height in pixels, as 1080.")
@click.option("--policy", default="", help="The policy of licences, by its name.")
@pass_installation
def grant(
    installation: Installation, /, subject: str, title: str | None, **fields: Any
) -> None:
    """Give SUBJECT the right to watch.

    SUBJECT is everyone, role:NAME, group:NAME or account:NAME. Of several rights the
    most generous one sets each limit.

    \b
    matinee access grant account:ada --title solaris --until 2026-03-01
    matinee access grant group:Basic --source plan:basic --streams 1 --max-height 720
    """
    with installation.db() as db:
        granted = entitlements.grant(db, installation.actor, subject, title, **fields)
    installation.out.result(
        _document(granted),
        f"{granted.subject} may watch {_what(granted)}: right {granted.id}.",
    )


@access.command()
@click.argument("right")
@pass_installation
def withdraw(installation: Installation, right: str) -> None:
    """Take the RIGHT with this id away; what plays by it stops within minutes.

    \b
    matinee access withdraw 3f9c2a71d04be586
    """
    with installation.db() as db:
        gone = entitlements.withdraw(db, installation.actor, right)
    installation.out.result(
        _document(gone), f"{gone.subject} no longer has the right {gone.id}."
    )


@access.command()
@click.argument("user")
@click.argument("age")
@click.option("--profile", default="", help="Which profile of USER; else the first.")
@pass_installation
def limit(installation: Installation, user: str, age: str, profile: str) -> None:
    """Let a profile of USER watch what is for this AGE or younger; none: everything.

    Titles whose rating is missing or unknown are then refused too.

    \b
    matinee access limit ada 12 --profile Kids
    matinee access limit ada none --profile Kids
    """
    with installation.db() as db:
        found = profiles.named(db, user, profile)
        found = profiles.limit(
            db, installation.actor, found.public_id, explained.age(age)
        )
    document = {"username": user, "profile": found.name, "limit": found.rating_limit}
    reach = "everything" if found.rating_limit is None else f"up to {age}"
    installation.out.result(document, f"“{found.name}” of {user} watches {reach}.")


@access.group()
def window() -> None:
    """Say when, where, to whom and how sharp titles are shown.

    A title without a window is always shown; one with windows in those only.
    """


@window.command("add")
@click.argument("title")
@click.option("--from", "starts_at", help="When it opens, as 2026-02-01; else always.")
@click.option("--until", "ends_at", help="Before when it closes, as 2026-03-01.")
@click.option("--group", default="", help="The group that it is for; else everybody.")
@click.option(
    "--in", "countries", default="", help="In which countries, as DE,AT; else all."
)
@click.option("--max-height", type=int, help="Up to which height in pixels, as 1080.")
@pass_installation
def add_window(
    installation: Installation, /, title: str, countries: str, **fields: Any
) -> None:
    """Open a window of TITLE (its slug).

    \b
    matinee access window add solaris --from 2026-02-01 --until 2026-05-01
    matinee access window add solaris --in DE,AT,CH --max-height 1080
    """
    with installation.db() as db:
        added = availability.add(
            db, installation.actor, title, territories=countries.split(","), **fields
        )
    installation.out.result(
        dataclasses.asdict(added), f"“{added.title}” has the window {added.id}."
    )


@window.command("list")
@click.option("--title", default="", help="Only windows of this title, by its slug.")
@pass_installation
def list_windows(installation: Installation, title: str) -> None:
    """List the windows of titles."""
    with installation.db() as db:
        windows = availability.listing(db, title)
    installation.out.table(
        ("ID", "TITLE", "WHEN", "GROUP", "COUNTRIES", "QUALITY"),
        [
            (
                each.id,
                each.title,
                explained.span(each.starts_at, each.ends_at),
                each.group or "everybody",
                ", ".join(each.territories) or "all",
                explained.height(each.max_height),
            )
            for each in windows
        ],
        [dataclasses.asdict(each) for each in windows],
        empty="There is no window: what is published is always shown.",
    )


@window.command("remove")
@click.argument("window_id", metavar="WINDOW")
@pass_installation
def remove_window(installation: Installation, window_id: str) -> None:
    """Remove the WINDOW with this id.

    \b
    matinee access window remove 3f9c2a71d04be586
    """
    with installation.db() as db:
        gone = availability.remove(db, installation.actor, window_id)
    installation.out.result(
        dataclasses.asdict(gone), f"“{gone.title}” has lost the window {gone.id}."
    )


def _what(granted: Grant) -> str:
    if granted.collection:
        return f"the collection “{granted.collection}”"
    return f"“{granted.title}”" if granted.title else "every title"


def _document(granted: Grant) -> dict[str, Any]:
    return dataclasses.asdict(granted)
