"""``matinee title artwork|translate``: pictures, and words in other languages."""

from pathlib import Path

import click

from appliance.catalog import artwork, titles, translations
from appliance.catalog.artwork import ArtworkKind, ArtworkOrigin
from appliance.cli.installation import Installation, pass_installation
from appliance.errors import InvalidInput, NotFound

_SHOWN = (ArtworkKind.POSTER, ArtworkKind.BACKDROP, ArtworkKind.LOGO)


@click.command(name="artwork")
@click.argument("slug")
@click.argument("kind", type=click.Choice([each.value for each in _SHOWN]))
@click.argument(
    "picture",
    required=False,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--focus",
    metavar="X,Y",
    help="What must be seen, as parts from the left and the top: 0.3,0.25.",
)
@click.option("--remove", is_flag=True, help="Take the picture away.")
@pass_installation
def illustrate(
    installation: Installation,
    slug: str,
    kind: str,
    picture: Path | None,
    focus: str | None,
    remove: bool,
) -> None:
    """Show the title SLUG by PICTURE as its KIND, or cut anew what it has.

    KIND is poster (cut to 2:3), backdrop (16:9) or logo, which keeps what is
    transparent. Without PICTURE, --focus says around what the one there is cut.

    \b
    matinee title artwork dark-water poster poster.png --focus 0.3,0.25
    matinee title artwork dark-water backdrop --focus 0.5,0.1
    """
    storage, actor = installation.storage, installation.actor
    at = _focus(focus) if focus else None
    with installation.db() as db:
        title = titles.by_slug(db, actor, slug)
        if picture is not None:
            kept = artwork.add(
                *(db, storage, actor, title.id, kind, picture),
                origin=ArtworkOrigin.UPLOAD,
                focus=at or artwork.MIDDLE,
            )
        else:
            shown = artwork.shown(db, title.id, ArtworkKind(kind))
            if shown is None:
                raise NotFound("artwork.missing", f"“{title.name}” has no {kind}.")
            if remove:
                artwork.remove(db, storage, actor, shown.public_id)
                document = {"slug": slug, "kind": kind, "removed": True}
                installation.out.result(document, f"{slug}  {kind} removed")
                return
            if at is None:
                raise InvalidInput(
                    "artwork.nothing", "Name a picture, --focus or --remove."
                )
            kept = artwork.refocus(db, storage, actor, shown.public_id, at)
    installation.out.result(
        {
            "slug": slug,
            "kind": kind,
            "artwork": kept.public_id,
            "width": kept.width,
            "height": kept.height,
            "focus": [kept.focal_x, kept.focal_y],
        },
        f"{slug}  {kind}  {kept.width} × {kept.height}",
    )


@click.command()
@click.argument("slug")
@click.argument("language")
@click.option("--title", "name", help="What it is called in that language.")
@click.option("--synopsis", help="What it is about, in that language.")
@pass_installation
def translate(
    installation: Installation,
    slug: str,
    language: str,
    name: str | None,
    synopsis: str | None,
) -> None:
    """Say what the title SLUG is called in LANGUAGE; both empty takes it away.

    \b
    matinee title translate dark-water de --title "Dunkles Wasser"
    """
    if name is None and synopsis is None:
        raise InvalidInput("title.nothing", "Say what to change: see --help.")
    with installation.db() as db:
        title = titles.by_slug(db, installation.actor, slug)
        stored = translations.of_title(db, title.id)
        kept = stored.get(language, translations.Translation())
        told = {
            "name": kept.name if name is None else name,
            "synopsis": kept.synopsis if synopsis is None else synopsis,
        }
        titles.edit(db, installation.actor, slug, translations={language: told})
    installation.out.result(
        {"slug": slug, "language": language, **told}, f"{slug}  {language}"
    )


def _focus(text: str) -> tuple[float, float]:
    left, _, top = text.partition(",")
    try:
        return float(left), float(top)
    except ValueError as error:
        raise InvalidInput(
            "artwork.focus", "Write the focus as two parts of the picture: 0.3,0.25."
        ) from error
