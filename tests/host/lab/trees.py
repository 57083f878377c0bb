"""The systems that boxes start from: a bare Debian, made once and kept.

Above it lies a layer with what only tests need (the registries' settings of this
machine), so that a disk image can be made without it.
"""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.host.lab.places import CACHE, FIRST_UID
from tests.host.lab.programs import CLEAN, run

# What Debian's installer leaves on a machine without a desktop, and a little less.
BARE = (
    *("systemd", "systemd-sysv", "dbus", "libpam-systemd", "ca-certificates"),
    *("python3", "iproute2", "procps", "netbase", "nftables", "openssh-server"),
    "tzdata",
)

_FORM = 1  # counted up when what is done to a tree changes


def debian(extra: tuple[str, ...] = ()) -> list[Path]:
    """Return the layers of a bare Debian 12, with extra packages if wished."""
    tree = _tree(sorted({*BARE, *extra}))
    return [_settings_layer(tree), tree]


def kept(name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder of the cache; ``make`` fills it when it is not there.

    It appears whole, and is made once however many ask for it.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    place = CACHE / name
    with _alone(name):
        if not place.exists():
            aside = CACHE / f"{name}.new"
            shutil.rmtree(aside, ignore_errors=True)
            make(aside)
            aside.rename(place)
    os.utime(place)
    return place


def copied(layer: Path, name: str) -> Path:
    """Keep a layer in the cache under a name, beyond the life of its network."""
    return kept(name, lambda aside: run("cp", "-a", layer, aside))


def forget(pattern: str, keep: int) -> None:
    """Remove what is oldest of the cache's folders with such names."""
    found = [
        each for each in CACHE.glob(pattern) if each.is_dir() and each.suffix != ".new"
    ]
    for old in sorted(found, key=_time)[:-keep]:
        shutil.rmtree(old, ignore_errors=True)


def shift(tree: Path) -> None:
    """Give a tree to the users of the boxes."""
    for folder, folders, files in os.walk(tree):
        for name in (*folders, *files, "."):
            path = os.path.join(folder, name)  # noqa: PTH118 - a Path drops the "."
            state = os.lstat(path)
            if state.st_uid < FIRST_UID:
                os.lchown(path, state.st_uid + FIRST_UID, state.st_gid + FIRST_UID)
                # chown takes setuid and setgid away
                if not os.path.islink(path) and state.st_mode & 0o6000:  # noqa: PTH114
                    Path(path).chmod(state.st_mode & 0o7777)


def apt_settings() -> list[Path]:
    """Return what this machine's administrator has set for apt."""
    return sorted(Path("/etc/apt/apt.conf.d").glob("99*"))


def _tree(packages: list[str]) -> Path:
    sources = _sources()
    described = json.dumps([packages, sources.read_text(), _FORM])

    def make(aside: Path) -> None:
        lines = [line.strip() for each in apt_settings() for line in _lines(each)]
        run(
            "mmdebstrap",
            "--mode=root",
            "--variant=apt",
            f"--include={','.join(packages)}",
            *(f"--aptopt={line.rstrip(';')}" for line in lines if line),
            "bookworm",
            aside,
            sources,
        )
        _tidy(aside)
        shift(aside)

    return kept(f"debian-{_digest(described.encode())}", make)


def _tidy(tree: Path) -> None:
    for each in (tree / "etc/apt/apt.conf.d").glob("99mmdebstrap"):
        each.unlink()
    run("systemctl", f"--root={tree}", "enable", "systemd-networkd.service")
    # Lists that are not there must not look fresh to Ansible's cache_valid_time.
    os.utime(tree / "var/lib/apt/lists", (0, 0))
    journal = tree / "var/log/journal"
    shutil.rmtree(journal, ignore_errors=True)  # its access lists could not be shifted
    journal.mkdir()


def _settings_layer(tree: Path) -> Path:
    lent = [*apt_settings(), *_authorities()]
    described = b"".join(each.read_bytes() for each in lent) + tree.name.encode()

    def make(aside: Path) -> None:
        with _over(tree, aside) as merged:
            for each in lent:
                (merged / str(each)[1:]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(each, merged / str(each)[1:])
            run("chroot", merged, "update-ca-certificates", env=CLEAN)
        os.chown(aside, FIRST_UID, FIRST_UID)
        shift(aside)

    return kept(f"settings-{_digest(described)}", make)


@contextmanager
def _over(tree: Path, upper: Path) -> Iterator[Path]:
    """Mount a tree with an upper layer that takes what is written."""
    work, merged = upper.with_suffix(".work"), upper.with_suffix(".merged")
    for each in (upper, work, merged):
        each.mkdir(parents=True, exist_ok=True)
    layers = f"lowerdir={tree},upperdir={upper},workdir={work}"
    run("mount", "-t", "overlay", "overlay", "-o", layers, merged)
    try:
        yield merged
    finally:
        run("umount", merged)
        shutil.rmtree(work, ignore_errors=True)
        merged.rmdir()


@contextmanager
def _alone(name: str) -> Iterator[None]:
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sources() -> Path:
    both = ("/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list")
    return next(path for each in both if (path := Path(each)).is_file())


def _authorities() -> list[Path]:
    return sorted(Path("/usr/local/share/ca-certificates").glob("*.crt"))


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def _digest(described: bytes) -> str:
    return hashlib.sha256(described).hexdigest()[:12]


def _time(path: Path) -> float:
    return path.stat().st_mtime
