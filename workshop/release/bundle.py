"""Put a release together: one folder, then one signed file."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.operations import bundle_proof, licences
from workshop.release import (
    archive,
    debian,
    documents,
    notices,
    signing,
    staging,
    wheelhouse,
)
from workshop.release.wheelhouse import Part

# What goes into the bundle as it lies in the tree.
_FOLDERS = ("ansible", "systemd", "images")
_SHARED = Path("ansible") / "files" / "monitoring"


@dataclass(frozen=True, slots=True)
class Wish:
    """What to build, of which tree, and what to build it with.

    ``version`` in place of the tree's own; ``change`` may alter the staged copy.
    """

    checkout: Path
    out: Path
    cache: Path
    secret: Path
    version: str = ""
    speech: bool = True
    debs: bool = False
    change: Callable[[Path], None] = lambda _tree: None


def build(wish: Wish) -> Path:
    """Build a release and return its file; signature and key lie beside it."""
    wish.out.mkdir(parents=True, exist_ok=True)
    wish.cache.mkdir(parents=True, exist_ok=True)
    secret, public = signing.key_pair(wish.secret)
    epoch = _epoch(wish.checkout)
    with tempfile.TemporaryDirectory(dir=wish.cache) as folder:
        tree = Path(folder, "tree")
        staging.stage(wish.checkout, tree)
        if wish.version:
            staging.call_it(tree, wish.version)
        wish.change(tree)
        version = staging.version(tree)
        bundle = Path(folder, f"matinee-{version}")
        _fill(bundle, tree, wish, epoch)
        shutil.copy(public, bundle / bundle_proof.KEY)
        archive.seal(bundle, version, secret)
        target = wish.out / f"matinee-{version}-debian12-amd64.bundle"
        archive.pack(bundle, target, epoch)
    shutil.copy(public, wish.out / bundle_proof.KEY)
    signing.sign(target, secret, f"matinee {version}")
    return target


def _fill(bundle: Path, tree: Path, wish: Wish, epoch: int) -> None:
    version = staging.version(tree)
    sets = dict(wheelhouse.locked(wish.checkout))
    if not wish.speech:
        del sets["speech"]
    wheels = wheelhouse.fetch(sets, wish.cache / "wheels")
    bundle.mkdir()
    ours = staging.wheel(tree, bundle / "wheelhouse", epoch)
    _link(wheels, bundle / "wheelhouse")
    _requirements(bundle, sets, ours, version)
    for name in _FOLDERS:
        _copied(tree / name, bundle / name)
    _copied(tree / _SHARED, bundle / "share")
    _verifier(tree, bundle / "verify")
    if (bundle / "ansible" / "install.sh").is_file():
        shutil.move(bundle / "ansible" / "install.sh", bundle / "install.sh")
    documents.write(tree, bundle / "docs")
    _notices(bundle, tree, wheels, sets, epoch)
    packages = debian.wanted(tree)
    (bundle / "release.json").write_text(_facts(tree, packages, epoch))
    if wish.debs:
        debian.fetch(packages, bundle / "debs", wish.cache / "debs")


def _notices(
    bundle: Path,
    tree: Path,
    wheels: Iterable[Path],
    sets: Mapping[str, Sequence[Part]],
    epoch: int,
) -> None:
    listed = tree / "web" / "static" / "vendor" / licences.LISTED
    parts = notices.of_wheels(wheels, listed)
    (bundle / "licences.txt").write_text(licences.notices(parts))
    locked = [part for each in sets.values() for part in each]
    bill = notices.bill(staging.version(tree), parts, locked, epoch)
    (bundle / "sbom.cdx.json").write_text(bill)


def _verifier(tree: Path, target: Path) -> None:
    """Put in what checks a bundle where nothing of ours is installed."""
    module = Path("appliance") / "operations" / "bundle_proof.py"
    (target / module).parent.mkdir(parents=True)
    shutil.copy(tree / module, target / module)
    for package in ("appliance", "appliance/operations"):
        (target / package / "__init__.py").touch()
    shutil.copy(tree / "workshop/release/verify.py", target / "__main__.py")


def _requirements(
    bundle: Path, sets: Mapping[str, Sequence[Part]], ours: Path, version: str
) -> None:
    """Write what pip installs, each with its sum: the application, or that by name."""
    own = Part("matinee", version, _sum(ours)).line
    for name, parts in sets.items():
        suffix = "" if name == "application" else f"-{name}"
        lines = [part.line for part in parts]
        if name != "ansible":
            lines.append(own)
        path = bundle / f"requirements{suffix}.txt"
        path.write_text("\n".join([*lines, ""]))


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return bundle_proof.digest(file)


def _facts(tree: Path, packages: Sequence[str], epoch: int) -> str:
    facts = {
        "version": staging.version(tree),
        "built_at": datetime.fromtimestamp(epoch, UTC).isoformat(),
        "schema": _schema(tree),
        "needs": {
            "system": ["debian 12", "ubuntu 24.04"],
            "architecture": "x86_64",
            "python": "3.11",
            "packages": list(packages),
        },
    }
    return json.dumps(facts, indent=1) + "\n"


def _schema(tree: Path) -> list[str]:
    """Ask the staged tree itself: it may be another than the one that builds."""
    asked = "from appliance import migrations; print(*migrations.names())"
    told = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=tree,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return told.stdout.split()


def _link(wheels: Iterable[Path], target: Path) -> None:
    for wheel in wheels:
        (target / wheel.name).hardlink_to(wheel)


def _copied(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)


def _epoch(checkout: Path) -> int:
    """Return the moment a release calls its own: that of the last commit."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(given)
    told = subprocess.run(
        ["git", "log", "-1", "--format=%ct"],
        cwd=checkout,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return int(told.stdout)
