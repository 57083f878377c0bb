"""Decode samples of a track: its first, middle and last segment, or all of it.

Of an encrypted track also one without its key, which must show nothing of the film.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from appliance.errors import TryAgain
from jobs.steps.clear import Clear
from jobs.tools import encrypted, ffmpeg, packager, process
from jobs.tools.encrypted import Track
from jobs.work import Work

_FRAMES = ("-f", "framemd5")
_PACKETS = ("-c", "copy", *_FRAMES)


def decode(track: Clear, *, everything: bool = False) -> int:
    """Decode three segments, or all of them; return how many were.

    Errors: ``TryAgain`` (``verify.decode``) when a decoder says a single word.
    """
    count = len(track.entry["facts"]["segments"])
    if everything:
        _refuse_complaints(track, 0, None, track.name)
        return count
    chosen = sorted({0, count // 2, count - 1})
    for index in chosen:
        _refuse_complaints(track, index, index, f"Segment {index + 1} of {track.name}")
    return len(chosen)


def refuse_readable(
    track: dict[str, Any], folder: Path, work: Work, key: str, found: Track
) -> None:
    """Look at a segment with and without the key: nothing may be the same.

    Errors: ``TryAgain`` (``verify.readable``).
    """
    facts = track["facts"]
    index = max(facts["clear_segments"], len(facts["segments"]) // 2)
    parts = encrypted.fragments(folder / f"{index + 1:05}.m4s", found)
    protected = [sample.protected for part in parts for sample in part.samples]
    program = ffmpeg.decoder(track["codec"])
    with _sample(folder, index, work) as sample:
        locked, opened = (
            _digests(_run(program, sample, work, each, _PACKETS)[0])
            for each in (None, key)
        )
        guessed, shown = (
            _digests(_run(program, sample, work, each, _FRAMES)[0])
            for each in (None, key)
        )
    # What is too small to hold a block of the cipher stays as it is.
    wrong = [
        counts and before == after
        for counts, before, after in zip(protected, opened, locked, strict=True)
    ]
    if any(wrong) or set(guessed) & _once(shown):
        raise TryAgain(
            "verify.readable",
            f"Segment {index + 1} of {track['name']} shows something of the film"
            " without its key.",
        )


def _refuse_complaints(track: Clear, first: int, last: int | None, what: str) -> None:
    try:
        log = track.run(["-f", "null", "-"], first=first, last=last).log
    except process.ProcessFailed as error:
        if error.code != "process.failed":
            raise
        log = error.details["log_tail"]
    if log:
        raise TryAgain(
            "verify.decode",
            f"{what} can’t be decoded without errors.",
            {"log_tail": log},
        )


@contextmanager
def _sample(folder: Path, index: int, work: Work) -> Iterator[Path]:
    sample = work.folder / "sample.mp4"
    with sample.open("wb") as file:
        for name in (packager.INIT, f"{index + 1:05}.m4s"):
            file.write((folder / name).read_bytes())
    try:
        yield sample
    finally:
        sample.unlink()


def _run(
    program: str, sample: Path, work: Work, key: str | None, output: Iterable[str]
) -> tuple[str, str]:
    """Return what comes out, and what the decoder says about it."""
    with ffmpeg.opening(ffmpeg.url(sample), ffmpeg.how(work), key) as (how, opened):
        # What a browser does, with one core: a check must not take the encoders' place.
        args = [
            *(program, "-hide_banner", "-nostdin", "-v", "error"),
            *("-threads", "1", *opened, *output, "-"),
        ]
        try:
            found = process.run(args, how)
        except process.ProcessFailed as error:
            if error.code != "process.failed":
                raise
            return "", error.details["log_tail"]
    return found.out, found.log


def _digests(listing: str) -> list[str]:
    """Return the sixth field of each line; side data may follow it."""
    lines = [line for line in listing.splitlines() if not line.startswith("#")]
    return [line.split(",")[5].strip() for line in lines]


def _once(digests: list[str]) -> set[str]:
    """Return what is shown only once.

    What stands still, or is black or silent, is also what a decoder without a key
    fills a gap with.
    """
    return {digest for digest, times in Counter(digests).items() if times == 1}
