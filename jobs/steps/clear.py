"""How checks look at a film: at a track as a player gets it, and at its source.

A track that is encrypted is decrypted in memory; nothing of it is written in the clear
but the stretch of sound that is just being compared.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

from jobs.planning.source import Source
from jobs.tools import ffmpeg, mp4, packager, probe, process
from jobs.work import Work

# Enough for where sound begins and ends, and little to reckon with.
HERTZ = 8000
_RAW = "compared.raw"
# What is decoded before what is wanted: seeking is as exact as the container is.
_AHEAD_INDEXED = 1.0
_AHEAD_UNINDEXED = 12.0


@dataclass(frozen=True, slots=True)
class Clear:
    """A track as it is served, opened with its key where it has one."""

    entry: dict[str, Any]
    folder: Path
    work: Work
    key: str | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        return str(self.entry["name"])

    @property
    def starts(self) -> list[float]:
        """When each segment begins, in seconds, and after them when the last ends."""
        facts = self.entry["facts"]
        ticks = accumulate(facts["segments"], initial=0)
        return [each / facts["timescale"] for each in ticks]

    def segments(self, first: int = 0, last: int | None = None) -> list[Path]:
        """Return the files of some segments, by index; ``last`` is included."""
        count = len(self.entry["facts"]["segments"])
        end = count if last is None else min(count, last + 1)
        return [self.folder / f"{n + 1:05}.m4s" for n in range(first, end)]

    @contextmanager
    def opening(
        self, first: int = 0, last: int | None = None
    ) -> Iterator[tuple[process.Run, list[str]]]:
        """Give the input options for some segments. Their times may begin at zero."""
        film = self.entry["facts"].get("film")
        how = ffmpeg.how(self.work)
        if film:
            yield how, _stretch_of_film(self, first, last, self.folder / film)
            return
        names = [self.folder / packager.INIT, *self.segments(first, last)]
        with (
            probe.one_after_another(names, self.work) as address,
            ffmpeg.opening(address, how, self.key) as opened,
        ):
            yield opened

    def run(
        self,
        output: Sequence[str],
        *,
        first: int = 0,
        last: int | None = None,
        said: str = "error",
        keyframes: bool = False,
        on_line: Callable[[str], bool] | None = None,
    ) -> process.Finished:
        """Decode some segments into ``output``, the arguments after the input.

        With ``keyframes`` nothing else is decoded.
        """
        with self.opening(first, last) as (how, opened):
            program = ffmpeg.decoder(self.entry["codec"])
            if keyframes:
                opened = ["-skip_frame", "nokey", *opened]
            return process.run(_own(program, said, opened, output), how, on_line)

    def begins(self, first: int) -> float:
        """Return when the sound of a segment begins that is read without those before.

        The decoder leaves out what primes it, as the edit list tells it to, wherever
        it begins; at the beginning of the film that is what comes before zero.
        """
        if not first or "film" in self.entry["facts"]:
            return self.starts[first]
        found = mp4.facts(self.folder / packager.INIT)
        return self.starts[first] + found.begins / max(1, found.timescale)

    def sound(self, first: int, last: int) -> "array[int]":
        """Return the sound of some segments as samples, all channels in one.

        :meth:`begins` says when it begins.
        """
        channels = int(self.entry.get("channels") or 2)
        chain = f"asetpts=PTS-STARTPTS,{_one_channel(channels)}"
        target = self.work.folder / _RAW
        self.run([*_filtered(chain), *_raw(target)], first=first, last=last)
        return _taken(target)


@dataclass(frozen=True, slots=True)
class Original:
    """The source that a film was made from, to be compared with."""

    path: Path
    facts: Source
    work: Work

    def sound(
        self, stream: int, channels: int, start: float, seconds: float
    ) -> "array[int]":
        """Return a stretch of a stream as samples, folded as its track is.

        Where the source has no sound there is silence.
        """
        rate, layout = 48000, "5.1" if channels == 6 else "stereo"
        chain = ",".join(
            [
                f"asetpts=round(PTS-({self.facts.origin!r})/TB)",
                # `first_pts` counts samples of what comes in: so at that rate.
                f"aresample={rate}",
                f"aresample={rate}:async=1:min_hard_comp=0.03"
                f":first_pts={round(start * rate)}:ochl={layout}:rematrix_maxval=1.414",
                f"asetpts=PTS-{round(start * rate)}",
                f"atrim=end_sample={round(seconds * rate)}",
                _one_channel(channels),
            ]
        )
        target = self.work.folder / _RAW
        args = [*_filtered(chain), *_raw(target)]
        self._run(stream, start, args)
        return _taken(target)

    def picture(
        self,
        filters: str,
        start: float,
        seconds: float,
        on_line: Callable[[str], bool],
    ) -> None:
        """Put a stretch of the picture through ``filters``; its time begins at zero."""
        origin = self.facts.origin
        chain = (
            f"setpts=round(PTS-({origin + start!r})/TB)"
            f",trim=start=0:end={seconds:.3f},{filters}"
        )
        args = ["-vf", chain, "-an", "-f", "null", "-"]
        self._run(self.facts.picture.number, start, args, on_line)

    def _run(
        self,
        stream: int,
        start: float,
        output: Sequence[str],
        on_line: Callable[[str], bool] | None = None,
    ) -> None:
        ahead = _AHEAD_INDEXED if self.facts.indexed else _AHEAD_UNINDEXED
        at = self.facts.origin + start - ahead
        seek: list[str] = []
        if start > ahead:
            seek = ["-seek_timestamp", "1", "-noaccurate_seek", "-ss", f"{at:.3f}"]
        args = [
            *(ffmpeg.FFMPEG, "-hide_banner", "-nostdin", "-y", "-v", "error"),
            *("-copyts", "-threads", "1", *seek, *ffmpeg.options(ffmpeg.SOURCE_INPUT)),
            *("-i", ffmpeg.url(self.path), "-map", f"0:{stream}", *output),
        ]
        process.run(args, ffmpeg.how(self.work), on_line)


def _own(
    program: str, said: str, opened: Sequence[str], output: Sequence[str]
) -> list[str]:
    # One core, as for every check: it must not take the encoders' place.
    return [
        *(program, "-hide_banner", "-nostdin", "-y", "-nostats", "-v", said),
        *("-threads", "1", *opened, *output),
    ]


def _stretch_of_film(
    track: Clear, first: int, last: int | None, film: Path
) -> list[str]:
    """Return the options that read from one file what segments would hold."""
    starts = track.starts
    cut = ["-ss", f"{starts[first]:.6f}"] if first else []
    if last is not None and last + 1 < len(starts):
        cut += ["-t", f"{starts[last + 1] - starts[first]:.6f}"]
    return [*cut, *ffmpeg.options(ffmpeg.OWN_INPUT), "-i", ffmpeg.url(film)]


def _one_channel(channels: int) -> str:
    """Return the filters that mix all channels: builds of ffmpeg differ in how loud."""
    mixed = "+".join(f"{1 / channels:.4f}*c{number}" for number in range(channels))
    return f"pan=mono|c0={mixed},aresample={HERTZ}"


def _filtered(chain: str) -> list[str]:
    return ["-vn", "-sn", "-dn", "-af", chain]


def _raw(target: Path) -> list[str]:
    return ["-f", "s16le", "-c:a", "pcm_s16le", ffmpeg.url(target)]


def _taken(target: Path) -> "array[int]":
    """Read the samples that were written, and remove them."""
    samples = array("h")
    if target.exists():
        data = target.read_bytes()
        samples.frombytes(data[: len(data) // 2 * 2])
        target.unlink()
    return samples
