"""What it costs nginx to package a segment when it is asked for, beside sending a file.

The file holds the same bytes: it is what was packaged. One worker; what counts is its
own CPU time. “Cold” is an nginx in which nginx-vod-module keeps nothing, as for the
first viewer of each film: it asks for the mapping and the key, which nginx has kept of
the application, and reads the index of the film again for every segment.
"""

import re
import secrets
import statistics
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance import settings as configuration
from appliance.cenc import KeySystem
from appliance.delivery import vod
from appliance.media.tracks import Track, TrackKind
from tests import just_in_time
from tests.bench import figures, load
from tests.bench.figures import Figure
from tests.bench.films import Films
from tests.host import vod_origin
from tests.host.served_nginx import Nginx, Stack, environment, free_port
from tests.just_in_time import Film

_ROUNDS, _SECONDS = 9, 1
_FILM_SECONDS, _LOOPED_SECONDS = 600, 12
_SEGMENT = "00002.m4s"
_PICTURE, _SOUND = TrackKind.VIDEO, TrackKind.AUDIO


@dataclass(frozen=True, slots=True)
class Asked:
    """One address, and which nginx is asked for it."""

    nginx: Nginx
    address: str

    def rate(self) -> load.Rate:
        return load.rate(self.nginx, self.address, _SECONDS)


def packaging(films: Films, folder: Path) -> Iterator[Figure]:
    """Compare a segment that is packaged, and encrypted, with one that lies there."""
    if not Path(vod_origin.MODULE).is_file():
        print("vod: not measured: MATINEE_VOD_MODULE names no module")
        return
    folder.mkdir(parents=True)
    sources = _sources(films, folder)
    with ExitStack() as running:
        stack = running.enter_context(vod_origin.portal(folder / "home"))
        cold = running.enter_context(_cold(stack, folder / "cold"))
        asked, sizes = _asked(stack, cold, sources)
        rounds = [
            {name: each.rate() for name, each in asked.items()} for _ in range(_ROUNDS)
        ]
    for name, ours, kind in _RATIOS:
        yield _figure(name, rounds, (ours, kind), sizes[kind])


_Pair = tuple[str, TrackKind]
_RATIOS: tuple[tuple[str, str, TrackKind], ...] = (
    ("vod: picture", "clear", _PICTURE),
    ("vod: picture, encrypted", "cenc", _PICTURE),
    ("vod: picture, cold", "clear, cold", _PICTURE),
    ("vod: picture, encrypted, cold", "cenc, cold", _PICTURE),
    ("vod: sound", "clear", _SOUND),
    ("vod: sound, encrypted", "cenc", _SOUND),
)


def _sources(films: Films, folder: Path) -> Mapping[TrackKind, Path]:
    """Make ten minutes of 720p24, with keyframes where segments are to begin."""
    clip, found = folder / "clip.mp4", {kind: folder / kind for kind in _KINDS}
    figures.run(
        *(f"ffmpeg -y -ss 100 -t {_LOOPED_SECONDS} -i", films.whole),
        "-c:v libx264 -preset veryfast -b:v 2500k -maxrate 2500k -bufsize 2500k",
        *("-r 24 -g 96 -keyint_min 96 -sc_threshold 0 -c:a aac -b:a 128k", clip),
    )
    loops = _FILM_SECONDS // _LOOPED_SECONDS
    for kind, stream in _KINDS.items():
        figures.run(
            *(f"ffmpeg -y -stream_loop {loops} -i", clip),
            *(f"-map 0:{stream} -c copy -t {_FILM_SECONDS} -f mp4", found[kind]),
        )
    return found


_KINDS = {_PICTURE: "v", _SOUND: "a"}


def _asked(
    stack: Stack, cold: Nginx, sources: Mapping[TrackKind, Path]
) -> tuple[Mapping[_Pair, Asked], Mapping[TrackKind, int]]:
    """Return what is asked for, and how long the file is that it is compared with."""
    make, found, sizes = stack.portal.make, dict[_Pair, Asked](), {}
    clear = just_in_time.film(make, duration=_FILM_SECONDS)
    locked = just_in_time.film(
        make, duration=_FILM_SECONDS, systems=(KeySystem.CLEARKEY,)
    )
    for kind in _KINDS:
        for name, film in (("clear", clear), ("cenc", locked)):
            track = film.of(kind)[0]
            place = make.storage.path(f"{track.path}/{vod.FILM}")
            place.unlink()
            place.hardlink_to(sources[kind])
            for nginx, when in ((stack.nginx, ""), (cold, ", cold")):
                address = _address(nginx, film, track, vod.prefix(track))
                found[name + when, kind] = Asked(nginx, address)
        segment = stack.nginx.get(_path(found["clear", kind])).content
        sizes[kind] = len(segment)
        still = f"packages/{clear.asset.public_id}/tracks/{secrets.token_hex(8)}"
        make.storage.write(f"{still}/{_SEGMENT}", segment)
        address = _address(stack.nginx, clear, clear.of(kind)[0], "")
        address = address.replace(clear.of(kind)[0].public_id, still[-16:])
        found["static", kind] = Asked(stack.nginx, address)
    return found, sizes


def _address(nginx: Nginx, film: Film, track: Track, prefix: str) -> str:
    asset = film.asset.public_id
    token = nginx.token(seconds=7200, asset=asset)
    place = f"/media/{token}/{asset}/tracks/{track.public_id}/{prefix}{_SEGMENT}"
    return nginx.url + place


def _path(asked: Asked) -> str:
    return asked.address.removeprefix(asked.nginx.url)


@contextmanager
def _cold(stack: Stack, folder: Path) -> Iterator[Nginx]:
    """Run an nginx beside, in front of the same application, that keeps no films."""
    environ = environment(
        folder,
        **{
            name: stack.environ[name]
            for name in (
                *("MATINEE_HOME", "MATINEE_WEB_SOCKET"),
                *("MATINEE_ORIGIN_MODE", "MATINEE_ORIGIN_VOD_MODULE"),
            )
        },
        MATINEE_ORIGIN_VOD_PORT=str(free_port()),
    )
    nginx = Nginx(configuration.load(environ=environ), altered=_forgetful)
    try:
        nginx.start()
        yield nginx
    finally:
        nginx.stop()


def _forgetful(files: Mapping[str, str]) -> Mapping[str, str]:
    """Take out what the module keeps, and nothing else."""
    kept = r"^vod_(metadata|response|mapping|drm_info)_cache .*\n"
    text, count = re.subn(kept, "", files["film_module.conf"], flags=re.MULTILINE)
    assert count == 4
    return {**files, "film_module.conf": text}


def _figure(
    name: str, rounds: list[dict[_Pair, load.Rate]], ours: _Pair, size: int
) -> Figure:
    """Return the median of the rounds' ratios, with both rates for a second of CPU."""
    theirs = ("static", ours[1])
    ratios = [each[ours].cpu / each[theirs].cpu for each in rounds]
    rates = [
        statistics.median(each[pair].cpu for each in rounds) for pair in (ours, theirs)
    ]
    return Figure(
        name=name,
        ours=round(rates[0] * size / 1e9, 3),
        reference=round(rates[1] * size / 1e9, 3),
        ratio=round(statistics.median(ratios), 4),
        goal=None,
        better="higher",
        note=f"GB/s of a CPU second, {ours[0]} ÷ a file of {size / 1e3:.0f} kB;"
        f" {min(ratios):.2f}–{max(ratios):.2f}; {rates[0]:.0f} requests",
    )
