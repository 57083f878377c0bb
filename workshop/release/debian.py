"""The Debian packages of an air-gapped installation: a small archive of their own.

Everything that the wanted packages need is fetched, down to the C library, whatever
this machine has: nothing is known of the machine that they will be installed on.
"""

import gzip
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

_PACKAGE = re.compile(r"[a-z0-9][a-z0-9.+-]+")


def wanted(tree: Path) -> tuple[str, ...]:
    """Return the packages that the playbooks and roles of a tree install."""
    found: set[str] = set()
    for path in sorted((tree / "ansible").rglob("*.yml")):
        found.update(_named(yaml.safe_load(path.read_text(encoding="utf-8"))))
    return tuple(sorted(found))


def _named(part: Any) -> Iterator[str]:
    """Yield the names in ``packages_names`` and in tasks of apt, wherever they lie."""
    if isinstance(part, list):
        for each in part:
            yield from _named(each)
    if not isinstance(part, dict):
        return
    for key, value in part.items():
        if key == "packages_names":
            yield from _words(value)
        elif key == "ansible.builtin.apt":
            yield from _words(value.get("name", []))
        else:
            yield from _named(value)


def _words(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        if _PACKAGE.fullmatch(str(each)):
            yield str(each)


def fetch(packages: Sequence[str], target: Path, cache: Path) -> None:
    """Fetch packages with all that they need into ``target``, with its index."""
    target.mkdir(parents=True)
    (cache / "partial").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        status = Path(folder, "status")
        status.touch()
        command = ["apt-get", "--yes", "--quiet=2", "--no-install-recommends"]
        command += ["--option", f"Dir::State::status={status}"]
        command += ["--option", f"Dir::Cache::archives={cache}"]
        command += [
            "--option",
            "APT::Sandbox::User=root",
            "--option",
            "Debug::NoLocking=1",
        ]
        # What lies in the cache it would not name: it is asked as if nothing did.
        none = ["--option", f"Dir::Cache::archives={folder}/none"]
        Path(folder, "none", "partial").mkdir(parents=True)
        listed = _ran([*command, *none, "--print-uris", "install", *packages])
        _ran([*command, "--download-only", "install", *packages])
    for name in re.findall(r"^'\S+' (\S+\.deb) ", listed, re.MULTILINE):
        # apt would read the % of an epoch as the beginning of a code.
        (target / name.replace("%3a", ".")).hardlink_to(cache / name)
    index = _ran(["apt-ftparchive", "packages", "."], target)
    (target / "Packages").write_text(index)
    (target / "Packages.gz").write_bytes(gzip.compress(index.encode(), mtime=0))


def _ran(command: Sequence[str], where: Path | None = None) -> str:
    try:
        done = subprocess.run(
            command, cwd=where, stdout=subprocess.PIPE, text=True, check=False
        )
    except FileNotFoundError:
        sys.exit(f"{command[0]} is missing: make --with-debs bundles on Debian 12.")
    if done.returncode:
        sys.exit(f"{command[0]} could not get the Debian packages; see above.")
    return done.stdout
