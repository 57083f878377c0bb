"""``matinee cdn``: how a CDN is set up and tried, pushing films to it, and purging."""

import dataclasses
import secrets
import textwrap

import click

from appliance.catalog import titles
from appliance.checks import through_cdn
from appliance.cli import cdn_push, doctor
from appliance.cli.installation import Installation, pass_installation
from appliance.clock import SystemClock
from appliance.db import Database
from appliance.delivery import routes, shield
from appliance.delivery.cdn import purge as purging
from appliance.delivery.cdn import recipe
from appliance.errors import ConfigError, InvalidInput, PreconditionFailed
from appliance.media import assets
from appliance.permissions import Action, check
from appliance.sections import CDNS


@click.group()
def cdn() -> None:
    """Set up a CDN in front of this installation, prove it, fill it and purge it.

    \b
    matinee cdn setup bunny
    matinee cdn doctor
    matinee cdn push the-first-film
    matinee cdn purge the-first-film
    """


cdn.add_command(cdn_push.push)


@cdn.command("setup")
@click.argument("name", type=click.Choice(CDNS))
@click.option(
    "--show-secret", is_flag=True, help="Write the origin's secret into the recipe."
)
@pass_installation
def set_up(installation: Installation, name: str, show_secret: bool) -> None:
    """Print how the CDN called NAME is set up for this installation.

    With what it keeps and for how long, its cache key, its token, CORS, and the secret
    that opens the origin to it.
    """
    settings = installation.settings
    found = recipe.steps(settings, name, with_secret=show_secret)
    installation.out.result(
        {"cdn": name, "steps": [dataclasses.asdict(each) for each in found]},
        "\n\n".join(
            f"{number}. {each.title}\n\n{textwrap.indent(each.text, '   ')}"
            for number, each in enumerate(found, start=1)
        ),
    )


@cdn.command("doctor")
@click.option("--title", "slug", default="", help="Ask for the film of the title SLUG.")
@click.pass_context
@pass_installation
def examine(installation: Installation, context: click.Context, slug: str) -> None:
    """Prove through the CDN's public address that it works.

    It is asked as viewers ask: does the second request come from the cache, are tokens
    that have run out or belong to another film refused, are keys never kept, do pages
    of the portal get in and strangers not? Ends with 1 when a check failed.
    """
    settings = installation.settings
    through = routes.cdn(settings)
    if through is None:
        raise PreconditionFailed(
            "cdn.none", "No CDN is set up here: see matinee cdn setup."
        )
    portal = settings.portal.public_url.rstrip("/")
    if not portal:
        raise ConfigError(
            "cdn.origin", "Set portal.public_url first: it is tried beside the CDN."
        )
    with installation.db() as db:
        visitor = through_cdn.visitor(settings, through, _asset(db, installation, slug))
    now = int(SystemClock().now().timestamp())
    findings = list(through_cdn.examine(visitor, portal, now))
    context.exit(doctor.show(installation, findings))


@cdn.command("purge")
@click.argument("slug", metavar="TITLE", default="")
@click.option("--all", "everything", is_flag=True, help="Forget every film.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def forget(installation: Installation, slug: str, everything: bool, yes: bool) -> None:
    """Make the CDN forget the films of TITLE, its slug, or everything.

    Nothing needs this day by day: a new encode has new addresses, and manifests are
    kept for seconds.
    """
    if bool(slug) == everything:
        raise InvalidInput("cdn.purge", "Name one title, or say --all.")
    known: list[str] = []
    with installation.db() as db:
        check(installation.actor, Action.STORAGE_MANAGE)
        if slug:
            title = titles.by_slug(db, installation.actor, slug)
            known = [each.public_id for each in assets.of_title(db, title.id)]
    if slug and not known:
        raise PreconditionFailed("cdn.nothing", f"{slug} has no film yet.")
    if everything:
        installation.out.confirm("Have the CDN fetch every film anew?", yes)
    now, nonce = SystemClock().now(), secrets.token_hex(16)
    target = purging.purge(installation.settings, known, now, nonce)
    installation.out.result(
        {"cdn": target.base, "purged": list(target.folders)},
        f"{target.base} forgets {', '.join(target.folders)}",
    )


@cdn.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def rotate(installation: Installation, yes: bool) -> None:
    """Make a new secret that opens the origin to CDNs.

    The last one still does. Install nginx's configuration, tell the CDN the new one,
    then rotate once more: so the old one is forgotten.
    """
    check(installation.actor, Action.KEY_MANAGE)
    installation.out.confirm("Make a new secret for CDNs?", yes)
    keys = installation.settings.keys
    shield.rotate(keys)
    files = sorted(path.name for path in keys.glob("origin-*.key"))
    installation.out.result(
        {"files": files},
        f"There is: {', '.join(files)}. Next: matinee nginx install, then matinee cdn"
        " setup NAME --show-secret",
    )


def _asset(db: Database, installation: Installation, slug: str) -> str:
    """Return the public id of a film that plays: of a title, or the newest."""
    if slug:
        title = titles.by_slug(db, installation.actor, slug)
        found = assets.playable(db, title.id)
    else:
        found = assets.newest(db)
    if found is None:
        raise PreconditionFailed(
            "cdn.no-film", "There is no film to ask for: add one, or name another."
        )
    return found.public_id
