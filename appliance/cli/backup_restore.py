"""``matinee backup restore``: an installation as it was when a backup was made."""

import dataclasses
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance.cli.installation import Installation, pass_installation
from appliance.errors import InvalidInput, PreconditionFailed
from appliance.operations.backups import recovery, restoring, runs
from appliance.operations.backups.restoring import Restored
from appliance.settings import Settings
from jobs import backing_up

_CONFIGURATION = Path("/etc/matinee")


@click.command()
@click.argument("name", default=runs.LAST)
@click.option(
    "--place",
    default="",
    help="A folder, s3:BUCKET/FOLDER or restic:REPOSITORY; else backup.place.",
)
@click.option(
    "--credentials",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The file with the secrets of that place, in place of backup.credentials.",
)
@click.option(
    "--recovery-key-stdin",
    is_flag=True,
    help="Read the recovery key from standard input.",
)
@click.option(
    "--configuration",
    is_flag=True,
    help="Put the configuration of the backup in place of the one that is here.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def restore(
    installation: Installation,
    name: str,
    place: str,
    credentials: Path | None,
    recovery_key_stdin: bool,
    configuration: bool,
    yes: bool,
) -> None:
    """Put everything back as it was in the backup NAME, the last one without a name.

    Nothing may run meanwhile. What is here is copied first; a backup of an older
    release is brought up to date; cut short, the same command goes on. On a machine
    that did not make the backup the recovery key is needed.
    """
    settings = _with_credentials(installation.settings, credentials)
    installation.out.confirm(
        f"Replace everything in {settings.home} by the backup {name}?", yes
    )
    key = read_key() if recovery_key_stdin else None
    with as_owner(settings.home):
        found = restored(installation, settings, place, name, key)
    files = _configuration(settings, found.configuration, wanted=configuration)
    installation.out.result(
        {
            "name": found.name,
            "version": found.version,
            "at": found.at,
            "applied": found.applied,
            "files": found.files,
            "safety": str(found.safety or ""),
            "configuration": files,
            "missing": [dataclasses.asdict(each) for each in found.missing],
        },
        "\n".join(_told(found, files)),
    )


def restored(
    installation: Installation,
    settings: Settings,
    place: str,
    name: str,
    key: X25519PrivateKey | None,
) -> Restored:
    """Restore, and ask for the recovery key where it is needed and somebody sits."""
    there = backing_up.place(settings, place)
    while True:
        try:
            return restoring.restore(
                *(settings, installation.storage, installation.actor, there, name),
                recovery_key=key,
                tell=installation.out.say,
            )
        except PreconditionFailed as error:
            if error.code != "backup.key-needed" or not sys.stdin.isatty() or key:
                raise
            installation.out.say(error.message)
            key = recovery.from_text(
                click.prompt("Recovery key", hide_input=True, err=True)
            )


def read_key() -> X25519PrivateKey:
    """Read the recovery key from standard input. Errors: ``InvalidInput``."""
    line = sys.stdin.readline().strip()
    if not line:
        raise InvalidInput("backup.key-typo", "Standard input holds no recovery key.")
    return recovery.from_text(line)


def _with_credentials(settings: Settings, file: Path | None) -> Settings:
    if file is None:
        return settings
    named = dataclasses.replace(settings.backup, credentials=str(file.resolve()))
    return dataclasses.replace(settings, backup=named)


@contextmanager
def as_owner(home: Path) -> Iterator[None]:
    """Write as the user whose home it is, where root runs this."""
    home.mkdir(parents=True, exist_ok=True)
    owner = home.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        yield
        return
    groups = os.getgroups()
    os.setgroups([owner.st_gid])
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def _configuration(
    settings: Settings, found: Mapping[str, bytes], *, wanted: bool
) -> dict[str, str]:
    """Put configuration in place where there is none, or it is wanted; else beside.

    Returns what became of each file: restored, unchanged, or where it lies.
    """
    folder = settings.source.parent if settings.source else _CONFIGURATION
    if not os.access(folder, os.W_OK):
        folder = settings.home / "state"
    told = {}
    for name, content in found.items():
        target = folder / name
        there = target.read_bytes() if target.is_file() else None
        if there == content:
            told[name] = "unchanged"
        elif there is None or wanted:
            if there is not None:
                shutil.copy2(target, folder / f"{name}.before-restore")
            _write(target, content)
            told[name] = "restored"
        else:
            beside = folder / f"{name}.from-backup"
            _write(beside, content)
            told[name] = str(beside)
    return told


def _write(target: Path, content: bytes) -> None:
    """Write over a file, with its owner and mode; a new one is for its owner alone."""
    before = target.stat() if target.exists() else None
    recovery.write_private(target, content)
    if before is not None:
        os.chown(target, before.st_uid, before.st_gid)
        target.chmod(before.st_mode & 0o777)


def _told(restored: Restored, files: Mapping[str, str]) -> Iterator[str]:
    yield (
        f"Restored {restored.name} of {restored.at[:19]}, made by Matinee"
        f" {restored.version}, with {restored.files} files."
    )
    if restored.applied:
        yield f"Brought up to date: {', '.join(restored.applied)}."
    if restored.safety:
        yield f"What was here lies in {restored.safety}."
    for name, became in files.items():
        if became not in ("restored", "unchanged"):
            yield f"{name} differs from the one here, and lies in {became}."
    if restored.missing:
        yield (
            f"{len(restored.missing)} films have no files here: see matinee backup"
            " films."
        )
    yield "Where nginx serves, say matinee nginx install before it is started."
