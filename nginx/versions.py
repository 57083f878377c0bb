"""Configurations in use: each in a folder of its own, the one in use behind a link.

A new one is written and tested aside. Only then the link ``current`` is turned to it,
by one rename, and nginx is asked to read it; when nginx does not, the link goes back.
"""

import fcntl
import os
import secrets
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from appliance.errors import ConfigError, Locked, PreconditionFailed, TryAgain
from appliance.settings import Settings
from nginx import trial
from nginx.trial import Finding

_KEPT = 5
_RELOAD_SECONDS = 20.0
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Installed:
    """What is in use now; ``reloaded`` is false where no nginx runs yet."""

    folder: Path
    reloaded: bool
    findings: tuple[Finding, ...]


def in_use(settings: Settings) -> bool:
    """Say whether this machine has a configuration that was installed."""
    return (Path(settings.nginx.folder) / "current" / "nginx.conf").is_file()


def holds(settings: Settings, files: Mapping[str, str]) -> bool:
    """Say whether just these files are in use."""
    folder = Path(settings.nginx.folder) / "current"
    there = {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    return there == set(files) and all(
        (folder / name).read_text(encoding="utf-8") == text
        for name, text in files.items()
    )


def install(
    settings: Settings,
    files: Mapping[str, str],
    now: datetime,
    patience: float = _RELOAD_SECONDS,
) -> Installed:
    """Put a rendered configuration into use; ``patience`` is in seconds.

    Errors: ``ConfigError`` when nginx refuses it, ``TryAgain`` when nginx did not take
    it over; what was in use before stays in both cases. ``Locked`` while another
    installation runs, ``PreconditionFailed`` without nginx or without the right to
    write.
    """
    folder = Path(settings.nginx.folder)
    with _explained(folder):
        _make_folders(settings)
        with _alone(folder):
            version = folder / f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
            findings = _written(version, files)
            before = _target(folder)
            _turn(folder, version)
            reloaded = _reload(settings, folder, before, patience)
            _forget_old(folder, version, before)
    return Installed(version, reloaded, findings)


def _make_folders(settings: Settings) -> None:
    nginx = settings.nginx
    open_to_all = (nginx.folder, nginx.run, nginx.cache)
    for name, mode in (*((each, 0o755) for each in open_to_all), (nginx.log, 0o750)):
        folder = Path(name)
        if not folder.exists():
            folder.mkdir(mode=mode, parents=True, exist_ok=True)
            # Whatever the umask of this machine's root is.
            folder.chmod(mode)


def _written(version: Path, files: Mapping[str, str]) -> tuple[Finding, ...]:
    """Write and test a version; leave nothing of one that is refused."""
    try:
        version.mkdir()
        # The doctor reads it as the user of the services, whoever wrote it.
        version.chmod(0o755)
        trial.write(files, version)
        findings = trial.test(version)
        refused = [each for each in findings if each.grave]
        if refused:
            raise ConfigError(
                "nginx.refused",
                "nginx refuses this configuration, the one in use stays: "
                + " ".join(f"{each.sentence}. {each.remedy}" for each in refused),
            )
    except BaseException:
        shutil.rmtree(version, ignore_errors=True)
        raise
    return findings


def _target(folder: Path) -> str:
    """Return the name that the link leads to; empty where there is none."""
    try:
        return str((folder / "current").readlink())
    except FileNotFoundError:
        return ""


def _turn(folder: Path, version: Path | str) -> None:
    aside = folder / f".current.{secrets.token_hex(4)}"
    aside.symlink_to(Path(version).name)
    aside.replace(folder / "current")


def _reload(settings: Settings, folder: Path, before: str, patience: float) -> bool:
    """Have a running nginx read the new version; turn back when it does not."""
    master = _master(settings)
    if master is None:
        return False
    workers = _children(master)
    os.kill(master, signal.SIGHUP)
    deadline = time.monotonic() + patience
    while not _taken_over(master, workers):
        if time.monotonic() > deadline:
            if before:
                _turn(folder, before)
            raise TryAgain(
                "nginx.reload",
                "nginx goes on with its old configuration: the end of"
                f" {settings.nginx.log}/nginx-error.log says why.",
            )
        time.sleep(_LOOK_SECONDS)
    return True


def _taken_over(master: int, old: frozenset[int]) -> bool:
    """Say whether new workers are there and no old one takes connections any more."""
    now = _children(master)
    return bool(now - old) and all(map(_is_leaving, now & old))


def _is_leaving(process: int) -> bool:
    try:
        return b"shutting down" in Path(f"/proc/{process}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return True


def _master(settings: Settings) -> int | None:
    """Return the process id of the nginx that runs with our configurations."""
    try:
        number = int((Path(settings.nginx.run) / "nginx.pid").read_text())
        name = Path(f"/proc/{number}/comm").read_text().strip()
    except (OSError, ValueError):
        return None
    return number if name == "nginx" else None


def _children(process: int) -> frozenset[int]:
    text = Path(f"/proc/{process}/task/{process}/children").read_text()
    return frozenset(int(word) for word in text.split())


def _forget_old(folder: Path, version: Path, before: str) -> None:
    named = {version.name, before, "current"}
    others = sorted(
        each for each in folder.iterdir() if each.is_dir() and each.name not in named
    )
    for old in others[: -(_KEPT - 2)]:
        if (old / "nginx.conf").is_file():
            shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Locked(
                "nginx.locked", "Another installation of nginx's configuration runs."
            ) from error
        yield


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise PreconditionFailed(
            "nginx.permission",
            f"{error.filename or folder} can't be written: run it as root.",
        ) from error
