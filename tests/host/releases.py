"""Signed bundles of this tree for tests, built once and kept by a hash of the tree."""

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.host.lab import trees
from tests.host.lab.places import CACHE
from workshop.release import bundle
from workshop.release.bundle import Wish

ROOT = Path(__file__).resolve().parents[2]
SECRET = CACHE / "release-keys" / "matinee.key"
# What a release does not depend on.
_APART = ("tests/", ".ci/", "DECISIONS.md", "CONTRIBUTING.md")
_KEPT = 6


def as_it_is(_tree: Path) -> None:
    """Change nothing in the copy that a release is built from."""


def of_tree(
    version: str = "", change: Callable[[Path], None] = as_it_is, *, debs: bool = False
) -> Path:
    """Return the bundle of the tree as it lies here; ``change`` alters a copy of it.

    A change is told from another by its name.
    """
    wanted = f"{_digest()} {version} {change.__qualname__} {debs}"
    name = f"bundle-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    wish = Wish(
        checkout=ROOT,
        out=CACHE / f"{name}.new",
        cache=CACHE / "release",
        secret=SECRET,
        version=version,
        speech=False,
        debs=debs,
        change=change,
    )
    [made] = trees.kept(name, lambda _: bundle.build(wish)).glob("*.bundle")
    trees.forget("bundle-*", _KEPT)
    return made


def _digest() -> str:
    """Return a sum of all that a release is built from."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    total = hashlib.sha256()
    for name in sorted(filter(None, listed.stdout.split("\0"))):
        path = ROOT / name
        if not name.startswith(_APART) and path.is_file():
            total.update(f"{name} {path.stat().st_mode:o} ".encode())
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
