"""``matinee trust``: the company's own authorities, for what we call."""

import dataclasses
from pathlib import Path

import click

from appliance import outbound
from appliance.cli import system_store
from appliance.cli.installation import Installation, pass_installation
from appliance.clock import SystemClock
from appliance.errors import InvalidInput
from appliance.operations import authorities
from appliance.operations.authorities import Authority
from appliance.operations.certificates.place import of_machine
from appliance.permissions import Action, check


@click.group()
def trust() -> None:
    """Believe the company's own authorities in what this installation calls.

    \b
    matinee trust add company-ca.pem
    matinee trust list
    """


@trust.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@pass_installation
def add(installation: Installation, file: Path) -> None:
    """Believe the authorities in FILE, which is in PEM form.

    As root they are put into the system's store too, for every program here.
    """
    check(installation.actor, Action.SYSTEM_MANAGE)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InvalidInput("trust.file", f"{file}: {error.strerror}.") from error
    settings = installation.settings
    added = authorities.add(outbound.of(settings), content, SystemClock().now())
    system = of_machine(settings) and system_store.put(added)
    where = "Matinee and this system" if system else "Matinee"
    installation.out.result(
        {"added": [_document(each) for each in added], "system": system},
        "\n".join(
            f"{each.id}  {each.certificate.subject} is believed by {where}"
            for each in added
        ),
    )
    installation.out.say("Processes that run believe it from their next call on.")


@trust.command("list")
@pass_installation
def show(installation: Installation) -> None:
    """List the authorities that were added here."""
    found = authorities.listing(outbound.of(installation.settings))
    installation.out.table(
        ("ID", "NAME", "HOLDS UNTIL", "SHA-256"),
        [
            (
                each.id,
                each.certificate.subject,
                f"{each.certificate.ends:%Y-%m-%d}",
                each.certificate.fingerprint,
            )
            for each in found
        ],
        [_document(each) for each in found],
        empty="None was added: the authorities of the system are believed.",
    )


@trust.command()
@click.argument("authority")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def remove(installation: Installation, authority: str, yes: bool) -> None:
    """Believe an AUTHORITY no longer, which is its id, or the FILE it came from."""
    check(installation.actor, Action.SYSTEM_MANAGE)
    settings = installation.settings
    word = authority
    if Path(authority).is_file():
        word = authorities.fingerprint(Path(authority).read_bytes())
    installation.out.confirm(f"Believe {authority} no longer?", yes)
    gone = authorities.remove(outbound.of(settings), word)
    system = of_machine(settings) and system_store.take(gone)
    installation.out.result(
        {"removed": _document(gone), "system": system},
        f"{gone.certificate.subject} is not believed any more.",
    )


def _document(each: Authority) -> dict[str, object]:
    return {"id": each.id, **dataclasses.asdict(each.certificate)}
