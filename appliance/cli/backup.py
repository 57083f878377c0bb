"""``matinee backup``: make, list, verify and restore backups, and keep their key."""

import dataclasses
import sys
from collections.abc import Callable
from typing import Any

import click
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance.cli.backup_copies import copies, standby
from appliance.cli.backup_restore import restore
from appliance.cli.installation import Installation, pass_installation
from appliance.cli.output import sized
from appliance.errors import InvalidInput, PreconditionFailed
from appliance.operations.backups import (
    making,
    missing,
    recovery,
    runs,
    verifying,
)
from appliance.operations.backups.making import Backup, Unread
from appliance.permissions import Action, check
from appliance.settings import Settings
from jobs import backing_up, queue


@click.group()
def backup() -> None:
    """Back up database, keys, pictures and films, verify that, and restore it.

    Captions go with the pictures; films as backup.media says.

    \b
    matinee backup key new
    matinee backup create
    matinee backup verify
    """


def _place(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--place",
        default="",
        help="A folder, s3:BUCKET/FOLDER or restic:REPOSITORY; else backup.place.",
    )(command)


backup.add_command(restore)
backup.add_command(standby)
backup.add_command(copies)


@backup.command()
@_place
@click.option(
    "--media",
    type=click.Choice(["none", "sources", "all"]),
    help="What of the films goes with it, in place of backup.media.",
)
@click.option(
    "--key-saved",
    is_flag=True,
    help="Before the first one, make the recovery key and show it, without asking.",
)
@click.option("--new-place", is_flag=True, help="Begin anew in an empty place.")
@click.option("--no-prune", is_flag=True, help="Remove no older backups afterwards.")
@pass_installation
def create(
    installation: Installation,
    place: str,
    media: str | None,
    key_saved: bool,
    new_place: bool,
    no_prune: bool,
) -> None:
    """Make a backup; everything goes on meanwhile.

    The first one shows the recovery key, which opens all backups where this machine is
    no more. It is shown this once: write it down, and keep it somewhere else.
    """
    settings = _with_media(installation.settings, media)
    shown = _first_key(installation, key_saved)
    there = backing_up.place(settings, place)
    with installation.db() as db:
        made = making.create(
            *(db, settings, installation.storage, installation.actor, there),
            new_place=new_place,
            tell=installation.out.say,
        )
        removed = (
            [] if no_prune else making.prune(db, settings, installation.actor, there)
        )
    document = dataclasses.asdict(made) | {"removed": removed} | shown
    installation.out.result(document, f"{_told(made)}{_gone(removed)}")


@backup.command("list")
@_place
@pass_installation
def list_backups(installation: Installation, place: str) -> None:
    """List the backups that are kept, the oldest first."""
    there = backing_up.place(installation.settings, place)
    with installation.db() as db:
        verified = runs.verified(db)
    found = making.listing(there)
    installation.out.table(
        ("Name", "Release", "Media", "Size", "Files", "Verified"),
        [
            (each.name, each.trouble, "", "", "", "")
            if isinstance(each, Unread)
            else (
                each.name,
                each.version,
                each.media,
                sized(each.bytes),
                f"{each.files} of {sized(each.file_bytes)}",
                verified.get(each.name, "")[:10],
            )
            for each in found
        ],
        [
            dataclasses.asdict(
                each if isinstance(each, Unread) else making.described(each, there)
            )
            | {"verified_at": verified.get(each.name)}
            for each in found
        ],
        empty=f"There is no backup in {there.name}.",
    )


@backup.command()
@click.argument("name", default=runs.LAST)
@_place
@click.option("--every-file", is_flag=True, help="Read all of its files, not a few.")
@click.option(
    "--recovery-key-stdin",
    is_flag=True,
    help="Open it with the recovery key, read from standard input.",
)
@pass_installation
def verify(
    installation: Installation,
    name: str,
    place: str,
    every_file: bool,
    recovery_key_stdin: bool,
) -> None:
    """Restore the backup NAME aside, the last one without a name, and try it.

    All hashes are compared, the database is checked, and of three titles, chosen by
    chance, keys are opened and files read.
    """
    settings = installation.settings
    key = _recovery_key() if recovery_key_stdin else None
    with installation.db() as db:
        found = verifying.verify(
            *(db, settings, installation.actor, backing_up.place(settings, place)),
            name,
            every_file=every_file,
            recovery_key=key,
            tell=installation.out.say,
        )
    installation.out.result(
        dataclasses.asdict(found),
        f"{found.name} is whole: {found.keys} content keys opened, {found.files} files"
        f" there, {found.hashed} of them read"
        f" ({', '.join(found.titles) or 'there are no titles'}).",
    )


@backup.command()
@_place
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def prune(installation: Installation, place: str, yes: bool) -> None:
    """Remove the backups that have had their time (backup.keep_daily and others)."""
    wishes = installation.settings.backup
    installation.out.confirm(
        f"Keep the last backups of {wishes.keep_daily} days, {wishes.keep_weekly} weeks"
        f" and {wishes.keep_monthly} months, and remove all others?",
        yes,
    )
    there = backing_up.place(installation.settings, place)
    with installation.db() as db:
        gone = making.prune(db, installation.settings, installation.actor, there)
    installation.out.result({"removed": gone}, _gone(gone).strip() or "Nothing to do.")


@backup.command()
@click.option("--look-again", is_flag=True, help="Put those back whose files are back.")
@click.option("--make-again", is_flag=True, help="Make those again that have a source.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def films(
    installation: Installation, look_again: bool, make_again: bool, yes: bool
) -> None:
    """List the films that came back from a backup without their files.

    Copy their files back into the storage, and say --look-again; or let them be made
    again from their sources with --make-again.
    """
    back, made = [], []
    storage, actor = installation.storage, installation.actor
    with installation.db() as db:
        if look_again:
            back = missing.look_again(db, storage, actor)
        if make_again:
            installation.out.confirm("Make these films again?", yes)
            made = missing.make_again(db, storage, actor)
            for job in made:
                queue.wake(installation.settings, job.public_id)
        found = missing.listing(db)
    if back:
        installation.out.say(f"Back: {', '.join(each.title for each in back)}.")
    if made:
        installation.out.say(f"{len(made)} are made again: see matinee job list.")
    installation.out.table(
        ("Title", "Name", "Source", "Tracks missing"),
        [
            (each.title, each.name, "missing" if each.source else "here", each.tracks)
            for each in found
        ],
        [dataclasses.asdict(each) for each in found],
        empty="All films have their files.",
    )


@backup.group()
def key() -> None:
    """Make the recovery key, and see which one backups are sealed to."""


@key.command("new")
@click.option("--key-saved", is_flag=True, help="Do not ask whether it was saved.")
@click.option(
    "--replace", is_flag=True, help="Another one, for the backups that come from now."
)
@pass_installation
def new_key(installation: Installation, key_saved: bool, replace: bool) -> None:
    """Make the recovery key and show it, this once.

    It opens backups where this machine is no more. It is not kept here: write it down,
    and keep it apart from the backups. Without it nobody opens them.
    """
    check(installation.actor, Action.SYSTEM_MANAGE)
    text = recovery.make(installation.settings, replace=replace)
    _show_key(installation, text, key_saved)
    found = recovery.load(installation.settings)
    installation.out.result(
        {"recovery_key": text, "id": found.id, "made_at": found.made_at},
        f"Backups are sealed to the recovery key {found.id} now.",
    )


@key.command("show")
@pass_installation
def show_key(installation: Installation) -> None:
    """Show which recovery key backups are sealed to; not the key itself."""
    found = recovery.load(installation.settings)
    installation.out.result(
        {"id": found.id, "made_at": found.made_at},
        f"The recovery key {found.id}, made {found.made_at[:10]}.",
    )


@key.command("check")
@pass_installation
def check_key(installation: Installation) -> None:
    """Say whether the recovery key given on standard input is the one in use."""
    found = recovery.load(installation.settings)
    given = recovery.identity_of(_recovery_key())
    if given != found.id:
        raise PreconditionFailed(
            "backup.key-wrong",
            f"That is the recovery key {given}; backups are sealed to {found.id}. If"
            " that one is lost, make another: matinee backup key new --replace",
        )
    installation.out.result({"id": given}, f"That is the recovery key {given}.")


def _first_key(installation: Installation, key_saved: bool) -> dict[str, str]:
    """Make and show the recovery key if there is none, and somebody can write it."""
    try:
        recovery.load(installation.settings)
    except PreconditionFailed:
        if not key_saved and (installation.out.json or not sys.stdin.isatty()):
            raise
    else:
        return {}
    check(installation.actor, Action.SYSTEM_MANAGE)
    text = recovery.make(installation.settings)
    _show_key(installation, text, key_saved)
    return {"recovery_key": text}


def _show_key(installation: Installation, text: str, saved: bool) -> None:
    if not installation.out.json:
        click.echo(f"\n    {text}\n", err=True)
    installation.out.say(
        "This recovery key opens the backups where this machine is no more. It is shown"
        " this once: write it down, and keep it apart from the backups."
    )
    if not saved and sys.stdin.isatty():
        click.confirm("Is it written down?", abort=True, err=True)


def _recovery_key() -> X25519PrivateKey:
    if sys.stdin.isatty():
        return recovery.from_text(
            click.prompt("Recovery key", hide_input=True, err=True)
        )
    line = sys.stdin.readline().strip()
    if not line:
        raise InvalidInput("backup.key-typo", "Standard input holds no recovery key.")
    return recovery.from_text(line)


def _with_media(settings: Settings, media: str | None) -> Settings:
    if media is None:
        return settings
    return dataclasses.replace(
        settings, backup=dataclasses.replace(settings.backup, media=media)
    )


def _told(made: Backup) -> str:
    told = [
        f"{made.name} is in {made.place}: {sized(made.bytes)}, and {made.files} files"
        f" of {sized(made.file_bytes)}."
    ]
    if made.elsewhere:
        told.append(f"{made.elsewhere} tracks lie in the object storage: not copied.")
    if made.lost:
        told.append(f"{made.lost} files were missing in the storage: see doctor.")
    return "\n".join(told)


def _gone(removed: list[str]) -> str:
    return f"\nRemoved: {', '.join(removed)}." if removed else ""
