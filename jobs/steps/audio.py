"""Audio: one stream of the source as AAC, exactly as long as the picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ffmpeg as graph

from appliance.errors import TryAgain
from jobs.steps import loudness
from jobs.steps.loudness import Loudness
from jobs.tools import ffmpeg, mp4
from jobs.work import Work

SAMPLE_RATE = 48000
FILE = "audio.mp4"
PACKET = 1024
STEREO, SURROUND = 2, 6
_LAYOUTS = {STEREO: "stereo", SURROUND: "5.1"}
# How long measuring takes of the whole.
_MEASURING = 0.3


def run(spec: dict[str, Any], work: Work) -> dict[str, Any]:
    """Write ``audio.mp4``; returns ``{"bytes", "packets", "gain"}``.

    ``gain`` is by how many dB it was made louder, None when it was left as it was.
    """
    target, source = work.folder / FILE, work.storage.existing(spec["source"])
    gain, begun = None, 0.0
    if spec.get("loudness") is not None:
        measured, begun = _measured(spec, source, work), _MEASURING
        gain = loudness.gain(measured, spec["loudness"], spec["true_peak"])
    args = audio_args(spec, source, target, gain)
    ffmpeg.run(args, work, seconds=spec["duration"], report=work.part(begun, 1))
    found = mp4.facts(target)
    least = int(spec["duration"] * SAMPLE_RATE) // PACKET
    if found.samples < least:
        raise TryAgain(
            "audio.short",
            f"The sound has {found.samples} packets of {least}: it is encoded again.",
        )
    return {"bytes": target.stat().st_size, "packets": found.samples, "gain": gain}


def audio_args(
    spec: Mapping[str, Any], source: Path, target: Path, gain: float | None = None
) -> list[str]:
    """Return the ffmpeg command for one stream, made louder by ``gain`` dB."""
    stream = _aligned(spec, source)
    if gain:
        stream = stream.filter("volume", f"{gain}dB")
    output = stream.output(
        ffmpeg.url(target),
        **{"f": "mp4", "c:a": "aac", "b:a": f"{spec['kbps']}k"},
        **{"ac": channels(spec), "map_metadata": -1, "map_chapters": -1, "vn": None},
    )
    return ffmpeg.compile_graph([output], flags=("-copyts",))


def channels(spec: Mapping[str, Any]) -> int:
    """Return how many channels the track is to have."""
    return int(spec.get("channels", STEREO))


def _measured(spec: Mapping[str, Any], source: Path, work: Work) -> Loudness:
    """Measure what is about to be encoded: after it was folded into its channels."""
    output = loudness.metered(_aligned(spec, source)).output("-", f="null")
    args = ffmpeg.compile_graph([output], flags=("-copyts", *loudness.SAID))
    done = ffmpeg.run(
        args, work, seconds=spec["duration"], report=work.part(0, _MEASURING)
    )
    return loudness.read(done.log)


def _aligned(spec: Mapping[str, Any], source: Path) -> Any:
    """Return the stream in its channels, from the picture's zero to its end."""
    samples = round(spec["duration"] * SAMPLE_RATE)
    stream = graph.input(ffmpeg.url(source), **ffmpeg.SOURCE_INPUT)
    stream = stream[str(spec["stream"])]
    # Zero is where the picture's zero is. Silence fills gaps, so that sound that was
    # lost in the source does not make the rest come too early.
    stream = stream.filter("asetpts", f"round(PTS-({spec['origin']!r})/TB)")
    stream = stream.filter(
        "aresample",
        SAMPLE_RATE,
        **{"async": 1, "min_hard_comp": 0.03, "first_pts": 0},
        ochl=_LAYOUTS[channels(spec)],
        # More channels are folded into two with 3 dB of headroom given up: loud
        # passages stay clear of clipping, dialogue does not become a whisper.
        rematrix_maxval=1.414,
    )
    stream = stream.filter("apad", whole_len=samples)
    return stream.filter("atrim", end_sample=samples)
