"""What a command works on: the settings, the storage and the database of one home."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import click

from appliance import db as database
from appliance import in_use, migrations
from appliance import settings as configuration
from appliance.cli.output import Output
from appliance.db import Database
from appliance.permissions import SYSTEM, Actor
from appliance.settings import Settings
from appliance.storage import Storage


@dataclass
class Installation:
    """Opened when first asked for, so that help works without a configuration."""

    config: Path | None = None
    out: Output = field(default_factory=Output)

    @cached_property
    def settings(self) -> Settings:
        return configuration.load(self.config)

    @cached_property
    def storage(self) -> Storage:
        return Storage(self.settings.media, self.settings.home)

    @cached_property
    def actor(self) -> Actor:
        """Who acts: an administrator, named in the audit log by the login name."""
        return Actor(username=f"command:{_login()}", roles=SYSTEM.roles)

    @contextmanager
    def db(self) -> Iterator[Database]:
        """Open the database; refused while a migration or a restore is pending."""
        migrations.require_current(self.settings.database)
        with (
            in_use.joined(self.settings.home),
            database.connect(self.settings.database) as connection,
        ):
            yield connection


pass_installation = click.make_pass_decorator(Installation)


def _login() -> str:
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
