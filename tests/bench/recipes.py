"""What ours is compared with: plain ffmpeg, and how the peers use it.

All get our x264 settings and our ladder, so that what is compared is the way in which
the work is done. MediaCMS and PeerTube both run one ffmpeg for each rendition, with
sound in each; PeerTube may take the smaller ones from the largest that it made, which
is cheaper and a second generation of loss.
"""

from collections.abc import Sequence
from pathlib import Path

from appliance.settings import Encode
from jobs.planning.ladder import Rendition
from tests.bench import figures

_FFMPEG = "ffmpeg -hide_banner -nostdin -y -loglevel error -i"


def single_decode(
    source: Path, ladder: Sequence[Rendition], encode: Encode, folder: Path
) -> None:
    """Make the ladder with one bare ffmpeg: one decode, cascaded scaling, sound."""
    chain, stream = [], "0:v"
    maps: list[str | Path] = []
    for number, rendition in enumerate(reversed(ladder)):
        last = number == len(ladder) - 1
        scaled = f"scale={rendition.width}:{rendition.height}:flags=bicubic,setsar=1"
        out = f"[v{number}]" if last else f",split=2[v{number}][n{number}]"
        chain.append(f"[{stream}]{scaled}{out}")
        stream = f"n{number}"
        maps += [f"-map [v{number}]", _video(rendition, encode)]
        maps += [folder / f"{rendition.name}.mp4"]
    sound = ("-map 0:a:0", _sound(encode), folder / "sound.mp4")
    graph = ("-filter_complex", ";".join(chain))
    figures.run(_FFMPEG, source, *graph, *maps, *sound)


def each_from_source(
    source: Path, ladder: Sequence[Rendition], encode: Encode, folder: Path
) -> None:
    """Decode and encode the source anew for every rendition, with its sound."""
    for rendition in ladder:
        _one(source, rendition, encode, folder / f"{rendition.name}.mp4")


def smaller_from_largest(
    source: Path, ladder: Sequence[Rendition], encode: Encode, folder: Path
) -> None:
    """Encode the largest first, then each smaller one from the largest."""
    *smaller, largest = ladder
    top = folder / f"{largest.name}.mp4"
    _one(source, largest, encode, top)
    for rendition in reversed(smaller):
        _one(top, rendition, encode, folder / f"{rendition.name}.mp4")


def _one(source: Path, rendition: Rendition, encode: Encode, target: Path) -> None:
    scale = f"scale={rendition.width}:{rendition.height}:flags=bicubic,setsar=1"
    figures.run(
        *(_FFMPEG, source, "-map 0:v:0 -map 0:a:0 -vf", scale),
        *(_video(rendition, encode), _sound(encode), target),
    )


def _video(rendition: Rendition, encode: Encode) -> str:
    keys = f"expr:gte(t,n_forced*{encode.keyframe_seconds})"
    return (
        f"-c:v libx264 -profile:v high -preset {encode.preset} -crf {encode.crf}"
        f" -maxrate {rendition.kbps}k -bufsize {2 * rendition.kbps}k"
        f" -sc_threshold 0 -force_key_frames {keys} -pix_fmt yuv420p -g 250"
    )


def _sound(encode: Encode) -> str:
    return f"-c:a aac -b:a {encode.audio_kbps}k -ac 2 -ar 48000"
