"""What checks look at: an installation and the machine it stands on."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from appliance import db as database
from appliance import migrations
from appliance.clock import Clock, SystemClock
from appliance.db import Database
from appliance.settings import Settings
from appliance.storage import Storage


@dataclass(frozen=True, slots=True)
class Examined:
    """One installation; ``root`` is where the files of its machine begin.

    Checks run beside one another, each in a thread: nothing here is kept open.
    """

    settings: Settings
    clock: Clock = field(default_factory=SystemClock)
    root: Path = Path("/")

    @property
    def storage(self) -> Storage:
        return Storage(self.settings.media, self.settings.home)

    @property
    def now(self) -> float:
        return self.clock.now().timestamp()

    @contextmanager
    def db(self) -> Iterator[Database]:
        """Open the database; refused while a migration is pending."""
        migrations.require_current(self.settings.database)
        with database.connect(self.settings.database, self.clock) as connection:
            yield connection

    def file(self, path: str | Path) -> Path:
        """Return where a file of the machine lies, as ``/etc/os-release``."""
        return self.root / str(path).lstrip("/")

    @property
    def is_appliance(self) -> bool:
        """Say whether the installer made this machine what it is.

        A checkout, or an installation by hand, is answerable for its machine itself.
        """
        return self.file("/opt/matinee/current").exists()


def met(paths: Iterable[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield those files that are still there, as ``lstat`` has them.

    An installation is at work while it is looked at: SQLite removes its log as the last
    connection is closed, Litestream what it has sent.
    """
    for path in paths:
        with suppress(FileNotFoundError):
            yield path, path.lstat()
