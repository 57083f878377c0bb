"""``matinee brand``: how the portal looks, and what it says of itself."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from appliance.cli.installation import Installation, pass_installation
from appliance.operations import brand as brands
from appliance.operations.brand import Brand, Text

_TEXTS = click.Choice([each.value for each in Text])
_language = click.option(
    "--language", default="en", show_default=True, help="The language of the text."
)


@click.group()
def brand() -> None:
    """Set name, logo and colour of the portal, imprint, privacy and welcome.

    \b
    matinee brand set --name "Acme Academy" --colour '#0b63b6' --logo logo.png
    matinee brand text imprint imprint.txt --language de
    """


@brand.command()
@pass_installation
def show(installation: Installation) -> None:
    """Print the name, the colour, and which texts there are in which language."""
    with installation.db() as db:
        found = brands.read(db, installation.settings)
    _print(installation, found)


@brand.command("set")
@click.option("--name", help="The name of the portal; '' is that of the settings.")
@click.option("--colour", help="As #rrggbb; '' is the one that comes with Matinee.")
@click.option(
    "--logo",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A PNG, WebP or JPEG in place of the name.",
)
@click.option("--no-logo", is_flag=True, help="Show the name again.")
@pass_installation
def put(
    installation: Installation,
    name: str | None,
    colour: str | None,
    logo: Path | None,
    no_logo: bool,
) -> None:
    """Change how the portal looks; what is not named stays."""
    settings, actor = installation.settings, installation.actor
    with installation.db() as db:
        if logo is not None or no_logo:
            brands.set_logo(
                db, installation.storage, settings, actor, None if no_logo else logo
            )
        found = brands.change(db, settings, actor, name=name, colour=colour)
    _print(installation, found)


@brand.command()
@click.argument("kind", type=_TEXTS)
@click.argument("file", type=click.File("r", encoding="utf-8"))
@_language
@pass_installation
def text(installation: Installation, kind: str, file: Any, language: str) -> None:
    """Take the text KIND from FILE (- for standard input); an empty one removes it."""
    with installation.db() as db:
        found = brands.change(
            db,
            installation.settings,
            installation.actor,
            texts={kind: {language: file.read()}},
        )
    _print(installation, found)


def _print(installation: Installation, found: Brand) -> None:
    document = asdict(found)
    lines = [
        f"name      {found.name}",
        f"colour    {found.colour or '(as it comes)'}",
        f"logo      {'yes' if found.logo else 'no'}",
        *(f"{kind:<9} {', '.join(found.texts.get(kind, {})) or '–'}" for kind in Text),
    ]
    installation.out.result(document, "\n".join(lines))
