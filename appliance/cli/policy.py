"""``matinee policy``: what licences demand of a device, and how long they hold."""

from typing import Any

import click

from appliance.cli.installation import Installation, pass_installation
from appliance.errors import InvalidInput
from appliance.permissions import SYSTEM
from appliance.protection import policies
from appliance.protection import policy as values
from appliance.protection.policies import Named


@click.group()
def policy() -> None:
    """Set what licences demand of a device, and how long they hold.

    A title names its policy, or a right does; else the default applies. ClearKey has
    no levels: it knows persistence only.

    \b
    matinee policy set studio robustness.hd=3 hdcp.hd=1.0 licence_seconds=86400
    matinee policy show studio
    """


@policy.command("list")
@pass_installation
def listing(installation: Installation) -> None:
    """List every policy, and how many titles and rights name it."""
    with installation.db() as db:
        found = policies.listing(db)
    installation.out.table(
        ("name", "titles", "rights", "changed"),
        [(each.name, each.titles, each.rights, each.updated_at) for each in found],
        [_document(each) for each in found],
        empty="There is no policy: the default applies everywhere.",
    )


@policy.command()
@click.argument("name", required=False)
@pass_installation
def show(installation: Installation, name: str | None) -> None:
    """Print the fields of the policy NAME, or of the default."""
    if name is None:
        document: dict[str, Any] = {"name": None, **values.fields(values.DEFAULT)}
    else:
        with installation.db() as db:
            document = _document(policies.by_name(db, name))
    installation.out.result(document, _lines(document))


@policy.command("set")
@click.argument("name")
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
@pass_installation
def put(installation: Installation, name: str, fields: tuple[str, ...]) -> None:
    """Make the policy NAME or change it: [FIELD=VALUE]... as in hdcp.uhd=2.2.

    Fields are robustness.audio, .sd, .hd, .uhd (1 to 5), hdcp.audio, .sd, .hd, .uhd
    (none, 1.0, 2.0, 2.1, 2.2, 2.3), licence_seconds, rental_seconds,
    playback_seconds (0: no limit) and persistent (yes or no).
    """
    with installation.db() as db:
        document = _document(policies.put(db, SYSTEM, name, dict(map(_pair, fields))))
    installation.out.result(document, _lines(document))


@policy.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@pass_installation
def remove(installation: Installation, name: str, yes: bool) -> None:
    """Remove the policy NAME: what named it falls back to the default."""
    with installation.db() as db:
        found = policies.by_name(db, name)
        installation.out.confirm(
            f"Remove “{found.name}”, which {found.titles} titles and {found.rights}"
            " rights name?",
            yes,
        )
        policies.remove(db, SYSTEM, found.name)
    installation.out.result({"removed": found.name}, f"Removed: {found.name}")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(
            "policy.field", f"“{text}” is no field: write it as FIELD=VALUE."
        )
    return name.strip(), value.strip()


def _document(found: Named) -> dict[str, Any]:
    return {
        "name": found.name,
        **values.fields(found.policy),
        "titles": found.titles,
        "rights": found.rights,
        "updated_at": found.updated_at,
    }


def _lines(document: dict[str, Any]) -> str:
    return "\n".join(f"{name:<18} {_said(value)}" for name, value in document.items())


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "default" if value is None else str(value)
