"""``matinee support-bundle``: what somebody needs who helps, and no secret."""

import io
import os
import socket
import tarfile
from pathlib import Path

import click

from appliance.checks.examined import Examined
from appliance.cli.installation import Installation, pass_installation
from appliance.cli.support_contents import CONTENTS, Gathering
from appliance.clock import SystemClock
from appliance.errors import Conflict
from appliance.operations import redaction
from appliance.operations.redaction import Redactor


@click.command("support-bundle")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file that is written; else one with the time in its name, here.",
)
@click.option("--list", "only_list", is_flag=True, help="Say what would be in it.")
@pass_installation
def support_bundle(
    installation: Installation, output: Path | None, only_list: bool
) -> None:
    """Write down what somebody needs who helps with this installation.

    The doctor's findings, versions, units, settings, figures, nginx's configuration and
    the logs of two days; secrets are taken out, names of people and films are not. In a
    cluster, say it on each machine that has trouble.
    """
    if only_list:
        installation.out.result(list(CONTENTS), "\n".join(CONTENTS))
        return
    now = SystemClock().now()
    name = f"matinee-support-{socket.gethostname()}-{now:%Y%m%d-%H%M%S}"
    path = output or Path(f"{name}.tar.gz")
    if path.exists():
        raise Conflict("command.file-exists", f"{path} is there: name another file.")
    settings = installation.settings
    gathering = Gathering(Examined(settings), Redactor(redaction.known(settings)))
    files = dict(gathering.contents())
    for each, text in files.items():
        installation.out.say(f"{len(text.encode()):>10,} bytes  {each}")
    _write(path, name, files, int(now.timestamp()))
    installation.out.result(
        {
            "file": str(path),
            "contents": {each: len(text.encode()) for each, text in files.items()},
            "warnings": gathering.warnings,
        },
        f"{path} holds that. Look at it before you give it away.",
    )


def _write(path: Path, folder: str, files: dict[str, str], at: int) -> None:
    """Write the archive whole, for its owner alone."""
    aside = path.with_name(f".{path.name}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with (
            os.fdopen(os.open(aside, flags, 0o600), "wb") as file,
            tarfile.open(fileobj=file, mode="w:gz") as archive,
        ):
            for name, text in files.items():
                content = text.encode("utf-8", "replace")
                entry = tarfile.TarInfo(f"{folder}/{name}")
                entry.size, entry.mode, entry.mtime = len(content), 0o600, at
                archive.addfile(entry, io.BytesIO(content))
        aside.rename(path)
    finally:
        aside.unlink(missing_ok=True)
