"""``matinee captions``: add, check, shift, export and review captions, or make them."""

import dataclasses
from pathlib import Path
from typing import Any

import click

from appliance.captions import times, writing
from appliance.captions.cues import MOST_BYTES
from appliance.captions.description import Description, Role
from appliance.cli import watching
from appliance.cli.installation import Installation, pass_installation
from appliance.db import Database
from appliance.errors import InvalidInput, NotFound
from appliance.media import captions as core
from appliance.media.caption_tracks import Held
from appliance.objects import Stores
from jobs.making import speech

_FORMATS = {"vtt": writing.webvtt, "srt": writing.subrip}


@click.group()
def captions() -> None:
    """Add, check, shift, export and review captions, or let a machine write them.

    CAPTIONS is the id that `list` shows, or a language that the film has once.

    \b
    matinee captions add the-film film.srt --language en
    matinee captions shift the-film en --by -1.5
    matinee captions make the-film
    """


@captions.command("list")
@click.argument("slug")
@pass_installation
def listing(installation: Installation, slug: str) -> None:
    """List the captions of the title SLUG."""
    with installation.db() as db:
        found = core.listing(db, installation.actor, slug)
    installation.out.table(
        ("ID", "LANGUAGE", "LABEL", "ROLE", "FROM", "CUES"),
        [
            (
                *(each.id, each.language, each.label, each.role, each.origin),
                "" if each.cues is None else each.cues,
            )
            for each in found
        ],
        [dataclasses.asdict(each) for each in found],
        empty="This film has no captions: `matinee captions add` or `make` some.",
    )


@captions.command()
@click.argument("slug")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--language", required=True, help="The language, as en or pt-BR.")
@click.option("--name", default="", help="What menus say; else the language.")
@click.option(
    "--role",
    type=click.Choice([each.value for each in Role]),
    default=Role.SUBTITLE.value,
    show_default=True,
    help="For whom: a caption also tells what is heard besides speech.",
)
@click.option("--encoding", default="", help="The encoding of FILE, if it isn’t seen.")
@pass_installation
def add(
    installation: Installation,
    slug: str,
    file: Path,
    language: str,
    name: str,
    role: str,
    encoding: str,
) -> None:
    """Add FILE (SRT, WebVTT, ASS or TTML) to the film of the title SLUG."""
    described = Description.of(language, name, role)
    with installation.db() as db:
        added = core.add(
            *(db, _stores(installation), installation.actor, slug, _content(file)),
            described,
            source_name=file.name,
            encoding=encoding,
        )
    for remark in added.remarks:
        installation.out.say(f"{file.name}:{remark.line}: {remark.sentence}")
    document = dataclasses.asdict(added.held) | {
        "remarks": [dataclasses.asdict(each) for each in added.remarks]
    }
    installation.out.result(document, _line(added.held))


@captions.command()
@click.argument("slug")
@click.argument("captions")
@click.option(
    "--format",
    "format_",
    type=click.Choice(list(_FORMATS)),
    default="vtt",
    show_default=True,
    help="Which format to write.",
)
@pass_installation
def export(installation: Installation, slug: str, captions: str, format_: str) -> None:
    """Print the CAPTIONS of the title SLUG as a file."""
    with installation.db() as db:
        found = _opened(installation, db, slug, captions)
    text = _FORMATS[format_](found.captions)
    document = {**dataclasses.asdict(found.held), "text": text}
    installation.out.result(document, text.rstrip("\n"))


@captions.command()
@click.argument("slug")
@click.argument("captions")
@click.option("--by", "seconds", type=float, default=0.0, help="Seconds later; -1.5.")
@click.option(
    "--factor", default="1", help="Stretch times before that: 1.04, or 25/23.976."
)
@pass_installation
def shift(
    installation: Installation, slug: str, captions: str, seconds: float, factor: str
) -> None:
    """Show the CAPTIONS of the title SLUG later or earlier."""
    with installation.db() as db:
        held = core.shift(
            *(db, _stores(installation), installation.actor, slug),
            _id(installation, db, slug, captions),
            _milliseconds(seconds),
            times.factor(factor),
        )
    installation.out.result(dataclasses.asdict(held), _line(held))


@captions.command()
@click.argument("slug")
@click.argument("captions")
@pass_installation
def lint(installation: Installation, slug: str, captions: str) -> None:
    """Say what makes the CAPTIONS of the title SLUG hard to read."""
    with installation.db() as db:
        found = _opened(installation, db, slug, captions)
    findings = core.checked(found)
    cues = found.captions.cues
    installation.out.table(
        ("CUE", "AT", "LEVEL", "WHAT"),
        [
            (each.cue, times.write(cues[each.cue - 1].start), each.level, each.sentence)
            for each in findings
        ],
        [dataclasses.asdict(each) for each in findings],
        empty=f"Nothing: all {len(cues)} cues can be read well.",
    )


@captions.command()
@click.argument("slug")
@click.argument("captions")
@pass_installation
def review(installation: Installation, slug: str, captions: str) -> None:
    """Say that the CAPTIONS that a machine made for the title SLUG are right.

    In menus they lose their “(auto)”.
    """
    with installation.db() as db:
        held = core.review(
            *(db, _stores(installation), installation.actor, slug),
            _id(installation, db, slug, captions),
        )
    installation.out.result(dataclasses.asdict(held), _line(held))


@captions.command()
@click.argument("slug")
@click.argument("captions")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def remove(installation: Installation, slug: str, captions: str, yes: bool) -> None:
    """Remove the CAPTIONS from the film of the title SLUG."""
    with installation.db() as db:
        public_id = _id(installation, db, slug, captions)
        installation.out.confirm(f"Remove the captions {captions} of {slug}?", yes)
        held = core.remove(db, installation.actor, slug, public_id)
    installation.out.result(
        dataclasses.asdict(held) | {"removed": True}, f"{_line(held)}  removed"
    )


@captions.command()
@click.argument("slug")
@click.option("--language", default="", help="What is spoken; else as the sound says.")
@click.option("--wait", is_flag=True, help="Return when they are there.")
@pass_installation
def make(installation: Installation, slug: str, language: str, wait: bool) -> None:
    """Let a machine write down what is said in the film of the title SLUG.

    It needs a model: see speech.model and speech.sha256. The captions come when its
    job has ended, and are marked “(auto)” until somebody reviews them.
    """
    with installation.db() as db:
        job = speech.start(
            db, installation.settings, installation.actor, slug, language
        )
    if wait:
        watching.follow(installation, job.public_id)
    else:
        installation.out.say(f"Follow it: matinee job watch {job.public_id}")
    installation.out.result({"job": job.public_id, "title": slug}, job.public_id)


def _stores(installation: Installation) -> Stores:
    return Stores(installation.storage, installation.settings)


def _content(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(MOST_BYTES + 1)


def _milliseconds(seconds: float) -> int:
    if not abs(seconds) < 1_000_000:
        raise InvalidInput("captions.shift", "Captions are shifted by some seconds.")
    return round(seconds * 1000)


def _opened(
    installation: Installation, db: Database, slug: str, captions: str
) -> core.Opened:
    public_id = _id(installation, db, slug, captions)
    stores = _stores(installation)
    return core.opened(db, stores, installation.actor, slug, public_id)


def _id(installation: Installation, db: Database, slug: str, named: str) -> str:
    """Return the id of captions that are named by it, or by their language."""
    found = core.listing(db, installation.actor, slug)
    fitting = [each for each in found if each.id == named]
    fitting = fitting or [
        each for each in found if each.language.lower() == named.lower()
    ]
    if len(fitting) != 1:
        some = "several" if fitting else "no"
        raise NotFound(
            "captions.missing",
            f"The film of “{slug}” has {some} captions {named}: name them by the id"
            f" that `matinee captions list {slug}` shows.",
        )
    return fitting[0].id


def _line(held: Held) -> str:
    said: list[Any] = [held.id, held.language, held.label]
    return "  ".join(str(each) for each in said)
