"""What an installed ffmpeg can do, as it says itself.

Distributions build it differently, and options come and go with its versions: what is
to be used is looked up here first, and never guessed.
"""

import functools
import hashlib
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jobs.tools import process

# Every option with the words that it takes; none for numbers, texts and switches.
Options = Mapping[str, frozenset[str]]

_SECONDS = 30.0
_OPTION = re.compile(r"^ {1,3}-?([A-Za-z0-9][\w+:-]*)\s+<(\w+)>\s+\S*[A-Z.]{8,}")
_CHOICE = re.compile(r"^ {5,}(\S+)\s+(?:-?\d+\s+)?\S*[A-Z.]{8,}")
_PLAIN = re.compile(r"^-([a-z_]\w*)")
_LISTED = re.compile(r"^ [A-Z.]{2,6}\s+(\S+)\s+\S")


@dataclass(frozen=True, slots=True)
class Build:
    """One ffmpeg: ``fingerprint`` differs as soon as it is another build of it."""

    program: str
    version: str
    fingerprint: str
    encoders: frozenset[str]
    filters: frozenset[str]
    accelerators: frozenset[str]


def build(program: str) -> Build:
    """Ask an ffmpeg what it is and has. Errors: ``ProcessFailed``."""
    return _build(*_file(program))


def encoder(program: str, name: str) -> Options:
    """Return the options that an encoder of its own has; none when it is missing."""
    return _help(*_file(program), "encoder", name)


def filter_of(program: str, name: str) -> Options:
    """Return the options of a filter; none when it is missing."""
    return _help(*_file(program), "filter", name)


def shared(program: str) -> Options:
    """Return the options that ffmpeg itself and all its encoders and muxers have."""
    return _shared(*_file(program))


def _file(program: str) -> tuple[str, int, int]:
    """Name the file, and what changes when it is replaced."""
    found = shutil.which(program)
    if found is None:
        raise process.ProcessFailed(
            "process.missing", f"{program} is not installed on this machine."
        )
    status = Path(found).stat()
    return found, status.st_mtime_ns, status.st_size


@functools.lru_cache(maxsize=16)
def _build(program: str, _written: int, _size: int) -> Build:
    told = _ask(program, "-version")
    first = told.splitlines()[0] if told else ""
    return Build(
        program=program,
        version=first.removeprefix("ffmpeg version ").split(" Copyright")[0],
        fingerprint=hashlib.sha256(told.encode()).hexdigest()[:16],
        encoders=_names(_ask(program, "-encoders")),
        filters=_names(_ask(program, "-filters")),
        accelerators=frozenset(_ask(program, "-hwaccels").split("\n")[1:]) - {""},
    )


@functools.lru_cache(maxsize=256)
def _help(program: str, _written: int, _size: int, kind: str, name: str) -> Options:
    return _options(_ask(program, "-h", f"{kind}={name}"))


@functools.lru_cache(maxsize=16)
def _shared(program: str, _written: int, _size: int) -> Options:
    told = _ask(program, "-h", "full")
    own, _, rest = told.partition("AVCodecContext AVOptions:")
    plain = {found[1] for line in own.splitlines() if (found := _PLAIN.match(line))}
    contexts = _options(rest.partition("AVOptions:")[0])
    muxer = _options(_ask(program, "-h", "muxer=mp4"))
    return {name: frozenset[str]() for name in plain} | {**contexts, **muxer}


def _ask(program: str, *args: str) -> str:
    return process.run(
        [program, "-hide_banner", *args], process.Run(timeout=_SECONDS)
    ).out


def _names(listing: str) -> frozenset[str]:
    return frozenset(
        found[1] for line in listing.splitlines() if (found := _LISTED.match(line))
    )


def _options(text: str) -> Options:
    found: dict[str, set[str]] = {}
    last = ""
    for line in text.splitlines():
        if option := _OPTION.match(line):
            last = option[1]
            found.setdefault(last, set())
        elif last and (choice := _CHOICE.match(line)):
            found[last].add(choice[1])
    return {name: frozenset(words) for name, words in found.items()}
