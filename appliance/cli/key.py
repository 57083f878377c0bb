"""``matinee key``: the keys of films, where they are, and how they leave and return."""

import dataclasses
import os
import sys
from pathlib import Path

import click

from appliance.cli import watching
from appliance.cli.installation import Installation, pass_installation
from appliance.cli.nginx import put_into_use
from appliance.db import write
from appliance.delivery import tokens
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.events import Event, record
from appliance.permissions import Action, check
from appliance.protection import export as exports
from appliance.protection import kek, keys, rotation
from appliance.protection.export import LEAST_PASSPHRASE, ImportReport
from jobs.making import reencrypt, worker_key
from nginx import versions

_LARGEST_EXPORT = 256 * 1024 * 1024


@click.group()
def key() -> None:
    """List, rotate, export, import and replace the keys of films.

    No command shows a key.

    \b
    matinee key list --title the-first-film
    matinee key export keys.json
    """


@key.command("list")
@click.option("--title", "slug", default="", help="Only those of the title SLUG.")
@pass_installation
def list_keys(installation: Installation, slug: str) -> None:
    """List content keys by KID, without the keys themselves."""
    with installation.db() as db:
        found = keys.listing(db, slug)
    installation.out.table(
        ("KID", "Title", "Asset", "Label", "Scheme", "Gen.", "Provider", "State"),
        [
            (
                each.kid,
                each.title,
                each.asset,
                each.label,
                each.scheme,
                each.generation,
                each.provider,
                each.state,
            )
            for each in found
        ],
        [dataclasses.asdict(each) for each in found],
        empty="There are no content keys.",
    )


@key.command()
@click.argument(
    "kind", type=click.Choice(["content", "media", "worker"]), default="content"
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def rotate(installation: Installation, kind: str, yes: bool) -> None:
    """Put a new key into use in place of the one of that KIND.

    content: a new content-<n>.key wraps all content keys, and the old file is
    removed. Films, segments and sessions are not touched. A backup of the database
    from before opens only with the old file, so make a new one afterwards.

    media: a new media-<n>.key signs the addresses of segments. Those that were
    handed out keep working until they run out; rotate twice to cut them all off. An
    nginx that was installed here learns the key before it signs anything.

    worker: a new worker.key seals content keys on their way to media workers. Those on
    other machines get it by themselves if they joined by a token; it is refused while a
    protected film is in work.
    """
    installation.out.confirm(_QUESTIONS[kind], yes)
    if kind == "content":
        _rotate_content(installation)
    elif kind == "worker":
        _rotate_worker(installation)
    else:
        _rotate_media(installation)


_QUESTIONS = {
    "content": "Wrap all content keys anew, and remove the old content-<n>.key?",
    "media": "Sign the addresses of segments with a new media-<n>.key?",
    "worker": "Seal content keys for media workers with a new worker.key?",
}


def _rotate_content(installation: Installation) -> None:
    with installation.db() as db:
        count = rotation.rotate_kek(db, installation.settings, installation.actor)
    ring = kek.load(installation.settings, afresh=True)
    assert ring.wrapping is not None
    files = sorted(f"{name}.key" for name in ring.names)
    installation.out.result(
        {"kind": "content", "wrapped": count, "in_use": ring.wrapping.name}
        | {"files": files},
        f"{ring.wrapping.name}.key wraps {_keys(count)} now. There is: {_list(files)}.",
    )


def _rotate_worker(installation: Installation) -> None:
    with installation.db() as db:
        worker_key.rotate(db, installation.settings, installation.actor)
    installation.out.result(
        {"kind": "worker", "in_use": "worker.key", "files": ["worker.key"]},
        "A new worker.key is in use. Media workers without it leave protected films to"
        " others until they have it.",
    )


def _rotate_media(installation: Installation) -> None:
    settings, actor = installation.settings, installation.actor
    behind_nginx = versions.in_use(settings)
    if behind_nginx:
        check(actor, Action.KEY_MANAGE)
        tokens.announce(settings.keys)
        put_into_use(settings)
    with installation.db() as db, write(db):
        check(actor, Action.KEY_MANAGE)
        # Last in the transaction: without the file there is nothing to tell of.
        signing = tokens.rotate(settings.keys)
        record(db, actor, Event.KEY_ROTATE, f"media-key/{signing.current}")
    if behind_nginx:
        put_into_use(settings)  # which forgets the key that was dropped
    files = sorted(f"media-{each}.key" for each in signing.secrets)
    installation.out.result(
        {"kind": "media", "in_use": f"media-{signing.current}", "files": files},
        f"media-{signing.current}.key signs now. There is: {_list(files)}.",
    )


@key.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--passphrase-stdin", is_flag=True, help="Read the passphrase from standard input."
)
@pass_installation
def export(installation: Installation, file: Path, passphrase_stdin: bool) -> None:
    """Write all content keys in use to FILE, sealed with a passphrase.

    FILE must not exist yet, and only its owner may read it. Whoever has it and the
    passphrase can decrypt the films: keep the two apart.
    """
    if os.path.lexists(file):
        raise Conflict(
            "command.file-exists", f"{file} exists already: give another name."
        )
    passphrase = _passphrase(passphrase_stdin, new=True)
    with installation.db() as db:
        text = exports.export(db, installation.settings, installation.actor, passphrase)
        count = len([each for each in keys.listing(db) if each.state == "live"])
    _write(file, text)
    installation.out.result(
        {"file": str(file), "keys": count}, f"{file} holds {_keys(count)}."
    )


@key.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--passphrase-stdin", is_flag=True, help="Read the passphrase from standard input."
)
@pass_installation
def import_(installation: Installation, file: Path, passphrase_stdin: bool) -> None:
    """Bring back the content keys that FILE holds, of the assets that are here.

    Keys that are here and open stay as they are; those that do not open are mended.
    """
    text = _read(file)
    passphrase = _passphrase(passphrase_stdin, new=False)
    settings, actor = installation.settings, installation.actor
    with installation.db() as db:
        report = exports.restore(db, settings, actor, text, passphrase)
    installation.out.result(dataclasses.asdict(report), _told(report))


@key.command()
@click.argument("slug")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--wait", is_flag=True, help="Return when the new version plays.")
@pass_installation
def replace(installation: Installation, slug: str, yes: bool, wait: bool) -> None:
    """Encrypt the film of the title SLUG anew, as after its keys have leaked.

    Viewers keep what they watch until the new version is in place; then their
    playback ends, and the old keys open nothing any more. A title whose protection
    was switched on or off is encrypted or decrypted.
    """
    installation.out.confirm(f"Encrypt {slug} anew and end what plays of it then?", yes)
    storage, settings = installation.storage, installation.settings
    with installation.db() as db:
        job = reencrypt.start(db, storage, settings, installation.actor, slug)
    if wait:
        watching.follow(installation, job)
    else:
        installation.out.say(f"Follow it with: matinee job watch {job}")
    told = "is encrypted anew" if wait else "will be encrypted anew"
    installation.out.result({"title": slug, "job": job}, f"{slug} {told}.")


def _passphrase(from_stdin: bool, *, new: bool) -> str:
    if from_stdin:
        line = sys.stdin.readline().rstrip("\r\n")
        if line:
            return line
        raise InvalidInput("passphrase.missing", "Standard input holds no passphrase.")
    if not sys.stdin.isatty():
        raise InvalidInput(
            "passphrase.missing",
            "There is no terminal to ask on: give it with --passphrase-stdin.",
        )
    asked = f"Passphrase (at least {LEAST_PASSPHRASE} characters)"
    answer: str = click.prompt(
        asked if new else "Passphrase",
        hide_input=True,
        confirmation_prompt=new,
        err=True,
    )
    return answer


def _write(file: Path, text: str) -> None:
    """Write a file that only its owner may read and that was not there before."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as open_file:
            open_file.write(text)
            open_file.flush()
            os.fsync(open_file.fileno())
    except OSError as error:
        raise Conflict(
            "command.file", f"{file} can't be written: {error.strerror}."
        ) from error


def _read(file: Path) -> str:
    try:
        if file.stat().st_size > _LARGEST_EXPORT:
            raise InvalidInput("command.file", f"{file} is too large for an export.")
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound("command.file", f"There is no file {file}.") from error
    except UnicodeDecodeError as error:
        raise InvalidInput("command.file", f"{file} holds no text.") from error
    except OSError as error:
        sentence = f"{file} can't be read: {error.strerror}."
        raise InvalidInput("command.file", sentence) from error


def _told(report: ImportReport) -> str:
    lines = [
        f"Imported: {report.imported}",
        f"Already there: {report.present}",
        f"Mended: {report.repaired}",
    ]
    if report.unknown:
        lines.append(f"Left out, no such asset here: {_list(report.unknown)}")
    return "\n".join(lines)


def _keys(count: int) -> str:
    return f"{count} content key{'' if count == 1 else 's'}"


def _list(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names) or "none"
