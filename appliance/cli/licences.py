"""``matinee licences``: what of others is in here, and on which terms."""

import dataclasses
from importlib import resources
from pathlib import Path

import click

from appliance.cli.installation import Installation, pass_installation
from appliance.operations import licences as parts

# By its name, as the pages are above the core, and above commands too.
_BROWSER = Path(str(resources.files("web"))) / "static" / "vendor"


@click.command()
@click.option("--full", is_flag=True, help="With the whole text of every licence.")
@pass_installation
def licences(installation: Installation, full: bool) -> None:
    """List what of others is in this installation, and under which licence."""
    found = parts.listing(_BROWSER)
    if full:
        document = [dataclasses.asdict(each) for each in found]
        installation.out.result(document, parts.notices(found))
        return
    installation.out.table(
        ("kind", "name", "version", "licence"),
        [(each.kind, each.name, each.version, each.licence) for each in found],
        [dataclasses.asdict(each) | {"text": ""} for each in found],
    )
