"""Checks of keys: who may read them, and whether they open what they closed."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

from appliance.checks.check import Answer, Check, Checks, ok
from appliance.checks.examined import Examined
from appliance.operations.findings import Level
from appliance.protection import vault

_NAMED = 20


def _keys(examined: Examined) -> Answer:
    folder = examined.settings.keys
    open_files = [
        path.name for path in folder.glob("*.key") if path.stat().st_mode & 0o077
    ]
    if open_files:
        return (
            Level.FAIL,
            f"others may read {', '.join(open_files)} in {folder}",
            f"chmod 600 {folder}/*.key",
        )
    return ok("only this user may read the keys")


def _content_keys(examined: Examined) -> Answer:
    settings = examined.settings
    with examined.db() as db:
        closed = vault.closed(db, settings)
    if not closed:
        return ok("every content key opens")
    first = next(iter(closed.values()))
    slugs = ", ".join(list(closed)[:_NAMED])
    more = f" and {len(closed) - _NAMED} more" if len(closed) > _NAMED else ""
    fix = "matinee key import FILE, with an export"
    if "kek" in first.details:
        fix = f"put the file back into {settings.keys}; without a backup, {fix}"
    return Level.FAIL, f"{first.message} Titles: {slugs}{more}.", fix


def _files(examined: Examined) -> Answer:
    """Look at files with secrets besides the keys: of our own, and of the installer."""
    kept = [
        *examined.settings.keys.glob("*.toml"),
        *(Path(path) for _, path in _named(examined)),
        examined.file("/etc/matinee/answers.yml"),
        examined.file("/etc/matinee/tls/key.pem"),
    ]
    shared = [path for path in kept if _is_open(path, 0o077)]
    configuration = examined.file("/etc/matinee/matinee.toml")
    if _is_open(configuration, 0o007):
        shared.append(configuration)
    if not shared:
        return ok("only those may read secrets who need them")
    names = " ".join(sorted({str(path) for path in shared}))
    return Level.FAIL, f"others may read {names}", f"chmod o=,g= {names}"


def _lost(examined: Examined) -> Answer:
    """Look for files that settings name, and that are not there."""
    lost = [(key, path) for key, path in _named(examined) if not _is_there(path)]
    if not lost:
        return ok("every file of secrets that a setting names is there")
    told = ", ".join(f"{path} ({key})" for key, path in lost)
    return (
        Level.FAIL,
        f"settings name what is not there: {told}",
        "put it back from the backup, or correct the setting",
    )


def _named(examined: Examined) -> Iterator[tuple[str, str]]:
    """Yield the files of secrets that settings name, each with the setting."""
    for section in fields(examined.settings):
        values = getattr(examined.settings, section.name)
        if (
            is_dataclass(values)
            and hasattr(values, "credentials")
            and values.credentials
        ):
            yield f"{section.name}.credentials", values.credentials
    if key := examined.settings.nginx.tls_key:
        yield "nginx.tls_key", key


def _is_open(path: Path, to: int) -> bool:
    """Say whether others may read a file; one that we can't even see is closed."""
    try:
        return bool(path.stat().st_mode & to)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return False


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except PermissionError:
        return True


CHECKS: Checks = {
    "keys.private": Check(_keys),
    "keys.content": Check(_content_keys, seconds=60),
    "secrets.private": Check(_files),
    "secrets.lost": Check(_lost),
}
