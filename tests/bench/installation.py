"""A throw-away installation with real workers, driven from the command line."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance import settings
from appliance.db import Database, connect
from appliance.media import reports
from appliance.permissions import SYSTEM
from tests.bench import figures

MATINEE = Path(sys.executable).with_name("matinee")
_LOOK_SECONDS = 0.2


@dataclass
class Installation:
    """One home folder; ``worker`` is the process that does the work."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict)
    worker: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        """Make the database and an administrator, and test the encoders.

        That is done once after a boot, and is no part of what a film costs.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [MATINEE, "init", "--admin", "bench", "--password-stdin", "--yes"],
            input=secrets.token_urlsafe(16).encode(),
            env=self._environ(),
            stdout=subprocess.DEVNULL,
            check=True,
        )
        self.command("encoder", "probe")

    def start(self) -> None:
        """Start the control and the media worker."""
        self.worker = subprocess.Popen(
            [MATINEE, "worker"],
            env=self._environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(self.home / "worker.log").open("ab"),
        )

    def stop(self) -> None:
        """End the workers as a service manager would, and wait for them."""
        if self.worker is not None:
            self.worker.send_signal(signal.SIGTERM)
            self.worker.wait()
            self.worker = None

    def kill(self) -> None:
        """End the workers without a warning."""
        if self.worker is not None:
            self.worker.kill()
            self.worker.wait()
            self.worker = None

    def ingest(self, film: Path, title: str) -> None:
        """Add a film and wait until it is ready."""
        self.command("title", "add", film, "--title", title, "--wait")

    def command(self, *args: str | Path) -> Any:
        """Run a command and return the document it prints."""
        out = figures.run(MATINEE, "--json", *map(Path, args), environ=self._environ())
        return json.loads(out) if out.strip() else None

    def wait_for_progress(self, fraction: float) -> None:
        """Return as soon as the newest job has come so far.

        Looks from here: a command for each look would count as cost.
        """
        found = settings.load(environ={"MATINEE_HOME": str(self.home)})
        with connect(found.database) as db:
            while _percent(db) < fraction * 100:
                time.sleep(_LOOK_SECONDS)

    def _environ(self) -> dict[str, str]:
        return {**os.environ, "MATINEE_HOME": str(self.home), **self.environ}


@contextmanager
def installed(home: Path, **environ: str) -> Iterator[Installation]:
    """Give an installation whose workers run, and end them afterwards."""
    installation = Installation(home, environ)
    installation.prepare()
    with running(installation):
        yield installation


@contextmanager
def running(installation: Installation) -> Iterator[Installation]:
    """Run the workers of what was prepared, and end them afterwards."""
    installation.start()
    try:
        yield installation
    finally:
        installation.stop()


def _percent(db: Database) -> float:
    listed = reports.listing(db, SYSTEM)
    return listed[0].percent if listed else 0.0
