"""The tree that a release is built from: a copy of what git keeps, with its parts.

The checkout itself is never built in: what setuptools leaves behind there would get
into the next wheel, and somebody may be working in it.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

# What git does not keep, but pages need: made by `make vendor`.
_MADE = ("web/static/vendor", "web/static/words", "web/translations")
_VERSION = re.compile(r'__version__ = "([^"]+)"')


def stage(checkout: Path, target: Path) -> None:
    """Copy what git keeps, as it lies in the checkout, and what ``make`` adds to it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=checkout,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (checkout / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(checkout / name, target / name)
    for name in _MADE:
        if not (checkout / name).is_dir():
            sys.exit(f"{name} is missing: run `make vendor` first.")
        shutil.copytree(checkout / name, target / name, dirs_exist_ok=True)


def version(tree: Path) -> str:
    """Return the version that a tree calls itself by."""
    found = _VERSION.search((tree / "appliance" / "__init__.py").read_text())
    assert found is not None
    return found[1]


def call_it(tree: Path, version: str) -> None:
    """Give a staged tree another version."""
    path = tree / "appliance" / "__init__.py"
    path.write_text(_VERSION.sub(f'__version__ = "{version}"', path.read_text()))


def wheel(tree: Path, target: Path, epoch: int) -> Path:
    """Build the wheel of our own packages from a staged tree."""
    target.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel"),
            *("--no-deps", "--no-build-isolation", "--quiet"),
            f"--wheel-dir={target}",
            str(tree),
        ],
        env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)},
        check=False,
    )
    if done.returncode:
        sys.exit("The wheel could not be built; see above.")
    return next(target.glob("matinee-*.whl"))
