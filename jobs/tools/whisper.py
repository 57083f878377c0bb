"""Whisper, which writes down what is said: its model, and how it is asked.

The model is a folder of this machine, or of a Python package that is installed; nothing
is ever fetched. What recognises runs in a process of its own: it is code that reads
strangers' sound, it can be stopped, and what it breaks is only itself.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from appliance import media_checks
from appliance.captions.rebreaking import Word
from appliance.errors import PreconditionFailed, TryAgain
from appliance.settings import Speech
from jobs.tools import process
from jobs.tools.process import ProcessFailed
from jobs.work import Work

PACKAGE = "package:"
SAMPLE_RATE = 16_000
_MODEL = "model.bin"
# With less, the library would look for the rest on the internet.
_NEEDED = (_MODEL, "config.json", "tokenizer.json")
_VOCABULARIES = ("vocabulary.txt", "vocabulary.json")
# Of Whisper's models those that know one language have a word less.
_ENGLISH_WORDS = 51864
_DEEPEST = 3
_NICE = 10


@dataclass(frozen=True, slots=True)
class Model:
    """A model that may be used; ``languages`` is empty when it knows them all."""

    folder: Path
    sha256: str
    languages: tuple[str, ...]

    def knows(self, language: str) -> bool:
        return not self.languages or _code(language) in self.languages


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said, in which language, and how sure of that the model is."""

    language: str
    sure: float
    words: tuple[Word, ...]


def hindrance(speech: Speech) -> str:
    """Return why this machine writes no captions, in a sentence; empty when it does."""
    try:
        model(speech)
    except PreconditionFailed as error:
        return error.message
    return ""


def model(speech: Speech) -> Model:
    """Return the model that the settings name, whose hash was compared.

    Errors: ``PreconditionFailed`` with ``speech.off``, ``.missing``, ``.incomplete``,
    ``.unpinned``, ``.other``, ``.library``.
    """
    folder = _folder(speech.model.strip())
    for name in _NEEDED:
        if not (folder / name).is_file():
            raise PreconditionFailed(
                "speech.incomplete",
                f"{folder} has no {name}: speech.model is the folder of a Whisper model"
                " in CTranslate2’s form, with its tokenizer.",
            )
    _require_library()
    found = _sha256(folder / _MODEL)
    wanted = speech.sha256.strip().lower()
    if not wanted:
        raise PreconditionFailed(
            "speech.unpinned",
            f"Say which model this is: set speech.sha256 to that of its {_MODEL}, which"
            f" is {found} here, after comparing it with what its maker says.",
        )
    if found != wanted:
        raise PreconditionFailed(
            "speech.other",
            f"{folder / _MODEL} is not the model that speech.sha256 names: it has"
            f" {found}.",
        )
    return Model(folder, found, _languages(folder, speech))


def listen(sound: Path, found: Model, language: str, threads: int, work: Work) -> Heard:
    """Write down a sound: 16-bit samples of one channel at ``SAMPLE_RATE``.

    An empty ``language`` is found out. Errors: ``TryAgain``, ``Cancelled``.
    """
    reader = _Reader(work, sound.stat().st_size / 2 / SAMPLE_RATE)
    asked = {
        "model": str(found.folder),
        "sound": str(sound),
        "language": _code(language or _only(found)),
        "threads": max(1, threads),
    }
    how = process.Run(
        nice=_NICE,
        cwd=work.folder,
        writes=work.folder,
        cancelled=work.cancelled,
        stall=work.stall_seconds,
    )
    program = [sys.executable, "-m", "jobs.tools.recogniser", json.dumps(asked)]
    process.run(program, how, reader.take)
    if not reader.ended:
        raise TryAgain(
            "speech.cut-off", "Recognising speech ended before the sound did."
        )
    return Heard(reader.language, reader.sure, tuple(reader.words))


@dataclass
class _Reader:
    """Reads what the recogniser says, a line of JSON at a time."""

    work: Work
    seconds: float
    language: str = ""
    sure: float = 0.0
    ended: bool = False

    def __post_init__(self) -> None:
        self.words: list[Word] = []

    def take(self, line: str) -> bool:
        """Take one line; every line is a sign of life."""
        try:
            said: dict[str, Any] = json.loads(line)
        except ValueError as error:
            raise ProcessFailed(
                "speech.answer", "What recognises speech said something unknown."
            ) from error
        if "language" in said:
            self.language, self.sure = said["language"], said["sure"]
        self.words += _words(said.get("words", ()))
        if "at" in said and self.seconds:
            self.work.progress(min(1.0, said["at"] / self.seconds))
        self.ended = self.ended or "end" in said
        return True


def _words(found: list[list[Any]]) -> Iterator[Word]:
    for start, end, text, sure in found:
        yield Word(int(start), max(int(end), int(start) + 1), str(text), float(sure))


def _folder(named: str) -> Path:
    if not named:
        raise PreconditionFailed(
            "speech.off",
            "Captions by machine are off: set speech.model to the folder of a Whisper"
            " model.",
        )
    if named.startswith(PACKAGE):
        return _of_package(named.removeprefix(PACKAGE).strip())
    folder = Path(named)
    if not folder.is_dir():
        raise PreconditionFailed(
            "speech.missing", f"There is no folder {folder}: see speech.model."
        )
    return folder


def _of_package(name: str) -> Path:
    """Find the model in a package without running anything of that package."""
    found = find_spec(name) if name.isidentifier() else None
    places = list(found.submodule_search_locations or ()) if found else []
    for place in map(Path, places):
        for depth in range(_DEEPEST):
            for model in sorted(place.glob("/".join(["*"] * depth + [_MODEL]))):
                return model.parent
    raise PreconditionFailed(
        "speech.missing",
        f"There is no Python package {name[:60]} with a {_MODEL} in it: install it into"
        " Matinee’s environment, or name a folder in speech.model.",
    )


def _require_library() -> None:
    if find_spec("faster_whisper") is None:
        raise PreconditionFailed(
            "speech.library",
            "What recognises speech is not installed: install Matinee with its extra"
            " “speech” (pip install 'matinee[speech]').",
        )


def _sha256(path: Path) -> str:
    found = path.stat()
    return _digest(path, found.st_size, found.st_mtime_ns)


@lru_cache(maxsize=4)
def _digest(path: Path, _size: int, _changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _languages(folder: Path, speech: Speech) -> tuple[str, ...]:
    allowed = tuple(map(_code, media_checks.names(speech.languages)))
    return ("en",) if _knows_english_only(folder) else allowed


def _knows_english_only(folder: Path) -> bool:
    for name in _VOCABULARIES:
        path = folder / name
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            words = json.loads(text) if path.suffix == ".json" else text.splitlines()
            return len(words) <= _ENGLISH_WORDS
    return False


def _only(found: Model) -> str:
    return found.languages[0] if len(found.languages) == 1 else ""


def _code(language: str) -> str:
    """Return a language as Whisper calls it."""
    head = language.lower().split("-")[0]
    return "" if head == "und" else media_checks.CALLED.get(head, head)
