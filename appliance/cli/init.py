"""``matinee init``: from an empty folder to an installation somebody can sign in to."""

import sys
from urllib.parse import urlencode

import click

from appliance import keyring, migrations
from appliance.accounts import people, setup
from appliance.cli import passwords
from appliance.cli.installation import Installation, pass_installation
from appliance.db import Database
from appliance.permissions import Role
from appliance.settings import Settings


@click.command()
@click.option("--admin", metavar="NAME", help="The user name of the administrator.")
@click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def init(
    installation: Installation, admin: str | None, password_stdin: bool, yes: bool
) -> None:
    """Set up an installation with its administrator.

    Makes what is missing of the folders, the keys and the database.

    Without --admin it prints a link that makes the first administrator in the browser;
    it works once. Running it again changes nothing that is there.

    \b
    matinee init
    matinee init --admin ada --password-stdin --yes < password.txt
    """
    settings = installation.settings
    if not yes and sys.stdin.isatty() and not settings.database.exists():
        click.confirm(f"Set up Matinee in {settings.home}?", abort=True, err=True)
    _lay_ground(settings)
    installation.storage.require_mounted()
    with installation.db() as db:
        if people.any_administrator(db):
            document = {"home": str(settings.home), "administrator": "unchanged"}
            text = "Matinee is set up already; there is an administrator."
        elif admin is None:
            link = _link(settings, setup.issue(db))
            document = {"home": str(settings.home), "setup": link}
            text = f"Make the first administrator here, within the hour:\n{link}"
        else:
            password = passwords.take(password_stdin)
            _make_administrator(installation, db, admin, password)
            document = {"home": str(settings.home), "administrator": admin}
            text = f"Matinee is set up; {admin} can sign in."
    installation.out.result(document, text)
    installation.out.say("Start it with: matinee serve")


def _lay_ground(settings: Settings) -> None:
    settings.home.mkdir(mode=0o750, parents=True, exist_ok=True)
    settings.media.mkdir(mode=0o750, parents=True, exist_ok=True)
    keyring.key(settings.keys, "web")
    migrations.migrate(settings.database)


def _make_administrator(
    installation: Installation, db: Database, name: str, password: str
) -> None:
    people.create(
        db,
        installation.settings,
        installation.actor,
        name,
        password,
        roles=(Role.ADMINISTRATOR,),
    )


def _link(settings: Settings, token: str) -> str:
    address = settings.portal.public_url or (
        f"http://{settings.web.host}:{settings.web.port}"
    )
    return f"{address.rstrip('/')}/setup?{urlencode({'token': token})}"
