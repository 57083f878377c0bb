"""The system's own store of authorities, for every program of the machine."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from appliance.errors import PreconditionFailed
from appliance.operations.authorities import Authority

FOLDER = Path("/usr/local/share/ca-certificates")
"""The folder that Debian's update-ca-certificates reads."""

_UPDATE = "update-ca-certificates"
_SECONDS = 120


def put(
    added: Sequence[Authority], folder: Path = FOLDER, update: str = _UPDATE
) -> bool:
    """Put authorities into it; false where we are not root.

    Errors: ``PreconditionFailed`` when the system's own program fails.
    """
    if os.geteuid() != 0 or shutil.which(update) is None:
        return False
    folder.mkdir(parents=True, exist_ok=True)
    for each in added:
        target = _path(each, folder)
        target.write_bytes(each.path.read_bytes())
        target.chmod(0o644)
    _update(update)
    return True


def take(removed: Authority, folder: Path = FOLDER, update: str = _UPDATE) -> bool:
    """Take an authority out of it; false where it is not in it."""
    target = _path(removed, folder)
    if os.geteuid() != 0 or not target.exists():
        return False
    target.unlink()
    _update(update)
    return True


def _path(each: Authority, folder: Path) -> Path:
    return folder / f"matinee-{each.id}.crt"


def _update(program: str) -> None:
    done = subprocess.run(  # noqa: S603 the system's own program
        [shutil.which(program) or program],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        raise PreconditionFailed(
            "trust.system", f"{program} failed: {done.stderr.strip()[-300:]}"
        )
