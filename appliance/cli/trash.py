"""``matinee trash``: titles that are removed but not gone."""

import dataclasses

import click

from appliance.catalog import trash as bin_
from appliance.cli.installation import Installation, pass_installation
from appliance.cli.output import sized


@click.group()
def trash() -> None:
    """See what is in the trash, take it back, or remove it for good.

    \b
    matinee trash list
    matinee trash restore the-first-film
    """


@trash.command("list")
@pass_installation
def listing(installation: Installation) -> None:
    """List what is in the trash, until when, and what removing it frees."""
    with installation.db() as db:
        found = bin_.listing(
            db, installation.actor, installation.settings, limit=10_000
        )
    installation.out.table(
        ("SLUG", "REMOVED", "GONE", "FREES", "NAME"),
        [
            (
                *(each.slug, each.removed_at[:10], each.until[:10]),
                *(sized(each.bytes), each.name),
            )
            for each in found
        ],
        [dataclasses.asdict(each) for each in found],
        empty="The trash is empty.",
    )


@trash.command()
@click.argument("slug")
@pass_installation
def restore(installation: Installation, slug: str) -> None:
    """Take the title SLUG out of the trash, with what belongs to it."""
    with installation.db() as db:
        back = bin_.restore(db, installation.actor, slug)
    installation.out.result(
        {"slug": back.slug, "state": back.state.value}, f"{back.slug}  {back.state}"
    )


@trash.command()
@click.argument("slug", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def empty(installation: Installation, slug: str | None, yes: bool) -> None:
    """Remove all that is in the trash for good, or the title SLUG alone."""
    with installation.db() as db:
        if slug is None:
            found = bin_.listing(
                db, installation.actor, installation.settings, limit=10_000
            )
            slugs, size = [each.slug for each in found], bin_.freed(db)
        else:
            slugs = [slug]
            size = bin_.weight(db, bin_.by_slug(db, slug).id)
        question = f"Remove {len(slugs)} titles for good, which frees {sized(size)}?"
        installation.out.confirm(question, yes)
        for each in slugs:
            bin_.purge(db, installation.storage, installation.actor, each)
    document = {"removed": slugs, "bytes": size}
    installation.out.result(document, f"{len(slugs)} removed, {sized(size)} freed")
