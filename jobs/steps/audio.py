"""Audio: one stream of the source as stereo AAC, exactly as long as the picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ffmpeg as graph

from appliance.errors import TryAgain
from jobs.tools import ffmpeg, mp4
from jobs.work import Work

SAMPLE_RATE = 48000
FILE = "audio.mp4"
PACKET = 1024


def run(spec: dict[str, Any], work: Work) -> dict[str, Any]:
    """Write ``audio.mp4``; returns ``{"bytes", "packets"}``."""
    target = work.folder / FILE
    args = audio_args(spec, work.storage.existing(spec["source"]), target)
    ffmpeg.run(args, work, seconds=spec["duration"])
    found = mp4.facts(target)
    least = int(spec["duration"] * SAMPLE_RATE) // PACKET
    if found.samples < least:
        raise TryAgain(
            "audio.short",
            f"The sound has {found.samples} packets of {least}: it is encoded again.",
        )
    return {"bytes": target.stat().st_size, "packets": found.samples}


def audio_args(spec: Mapping[str, Any], source: Path, target: Path) -> list[str]:
    """Return the ffmpeg command for one stream."""
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
        ochl="stereo",
        # More channels are folded into two with 3 dB of headroom given up: loud
        # passages stay clear of clipping, dialogue does not become a whisper.
        rematrix_maxval=1.414,
    )
    stream = stream.filter("apad", whole_len=samples)
    stream = stream.filter("atrim", end_sample=samples)
    output = stream.output(
        ffmpeg.url(target),
        **{"f": "mp4", "c:a": "aac", "b:a": f"{spec['kbps']}k", "ac": 2},
        **{"map_metadata": -1, "map_chapters": -1, "vn": None},
    )
    return ffmpeg.compile_graph([output], flags=("-copyts",))
