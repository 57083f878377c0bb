"""The films that are measured on: natural motion and sound, and what is cut from it."""

from dataclasses import dataclass
from pathlib import Path

from tests.bench import figures

_WHOLE = Path("var/films/big-buck-bunny.mp4")
_LARGE = Path("var/films/bench-1080p30.mp4")
_SHORT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Films:
    """The films, made in ``folder`` when they are first asked for."""

    folder: Path

    @property
    def whole(self) -> Path:
        """Ten minutes of 720p24."""
        return _WHOLE.resolve()

    @property
    def short(self) -> Path:
        """Its first two minutes."""
        target = self.folder / "short.mp4"
        if not target.exists():
            seconds = f"-t {_SHORT_SECONDS}"
            figures.run("ffmpeg -y -i", _WHOLE, f"{seconds} -c copy", target)
        return target

    @property
    def large(self) -> Path:
        """A minute of 1080p30, kept for the next time."""
        if not _LARGE.exists():
            _enlarge(_LARGE)
        return _LARGE.resolve()

    @property
    def long(self) -> Path:
        """Four minutes of 1080p30: the same minute again and again.

        What a film costs whatever its length counts for little in it, as in titles.
        """
        target = self.folder / "long.mp4"
        if not target.exists():
            figures.run(
                "ffmpeg -y -v error -stream_loop 3 -i", self.large, "-c copy", target
            )
        return target


def _enlarge(target: Path) -> None:
    """Make a minute of 1080p30 with the grain of a camera, about 12 Mb/s."""
    aside = target.with_suffix(".part.mp4")
    graph = (
        "[0:v]setpts=N/30/TB,fps=30,scale=1920:1080:flags=lanczos,"
        "noise=alls=4:allf=t,format=yuv420p[v];[0:a]atempo=1.25[a]"
    )
    figures.run(
        *("ffmpeg -y -ss 200 -t 76 -i", _WHOLE, "-filter_complex", graph),
        "-map [v] -map [a] -t 60 -frames:v 1800 -c:v libx264 -preset veryfast",
        *("-crf 18 -g 150 -c:a aac -b:a 192k -ar 48000", aside),
    )
    aside.rename(target)
