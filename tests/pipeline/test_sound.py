"""Sound: how loud it is, in how many channels, and what it says of itself."""

import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from jobs.steps import audio, inspect, loudness
from jobs.steps.loudness import Loudness
from jobs.work import Work
from tests import media_samples
from tests.media_samples import Tone

_SECONDS = 6
_TARGET, _PEAK = -23, -1
# A tone for each channel of 5.1, in ffmpeg's order.
_TONES = (300, 500, 700, 60, 1100, 1300)
_PLACES = "0.0-FL|1.0-FR|2.0-FC|3.0-LFE|4.0-BL|5.0-BR"


def spec(source: str, **more: Any) -> dict[str, Any]:
    return {
        "source": source,
        "stream": 1,
        "origin": 0.0,
        "duration": float(_SECONDS),
        "kbps": 128,
        **more,
    }


def sounding(work: Work, *sound: str, layout: str = "stereo") -> str:
    """Put a clip with a sound, made by ffmpeg's ``sound``, into the storage."""
    target = work.storage.path("sources/film/source.mkv")
    target.parent.mkdir(parents=True)
    picture = f"testsrc2=s=64x64:r=24:d={_SECONDS}"
    media_samples.ffmpeg(
        *("-f", "lavfi", "-i", picture, *sound),
        *("-map", "0:v", "-map", "1:a", *media_samples.FAST),
        *("-c:a", "flac", "-channel_layout", layout, target),
    )
    return "sources/film/source.mkv"


def noise(volume: str) -> tuple[str, ...]:
    found = f"anoisesrc=d={_SECONDS}:c=pink:r=48000:seed=7,volume={volume}"
    return ("-f", "lavfi", "-i", f"{found},aformat=channel_layouts=stereo")


def measured(path: Path) -> Loudness:
    done = subprocess.run(
        [
            *("ffmpeg", "-hide_banner", "-nostdin", "-i", path, *loudness.SAID),
            *("-af", "ebur128=peak=true:framelog=verbose", "-f", "null", "-"),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return loudness.read(done.stderr)


@pytest.mark.parametrize("volume", ["-24dB", "12dB"])
def test_sound_is_brought_to_the_loudness_that_is_asked_for(
    work: Work, volume: str
) -> None:
    source = sounding(work, *noise(volume))

    made = audio.run(spec(source, loudness=_TARGET, true_peak=_PEAK), work)

    found = measured(work.folder / audio.FILE)
    assert abs(made["gain"]) > 3
    assert abs(found.integrated - _TARGET) < 0.7
    assert found.peak < 0


def test_sound_is_left_as_it_is_unless_asked(work: Work) -> None:
    source = sounding(work, *noise("-24dB"))
    before = measured(work.storage.path(source))

    made = audio.run(spec(source), work)

    assert made["gain"] is None
    after = measured(work.folder / audio.FILE)
    assert abs(after.integrated - before.integrated) < 0.7


def test_silence_stays_silent(work: Work) -> None:
    silence = ("-f", "lavfi", "-i", f"anullsrc=r=48000:d={_SECONDS}")
    source = sounding(work, *silence)

    made = audio.run(spec(source, loudness=_TARGET, true_peak=_PEAK), work)

    assert made["gain"] is None
    assert measured(work.folder / audio.FILE).silent


def test_peaks_are_not_pushed_into_clipping() -> None:
    # Quiet speech with one loud clap: as loud as its peak allows, and no louder.
    assert loudness.gain(Loudness(-40, 12, -6.0), -23, -1) == 5.0
    assert loudness.gain(Loudness(-10, 5, 0.5), -23, -1) == -13.0
    assert loudness.gain(Loudness(-23.04, 5, -6), -23, -1) is None
    assert loudness.gain(Loudness(-30, 5, -0.5), -23, -1) == -0.5


def test_surround_keeps_every_channel_in_its_place(work: Work, tmp_path: Path) -> None:
    inputs = [f"sine=frequency={tone}:sample_rate=48000:duration=6" for tone in _TONES]
    joined = f"{';'.join(f'{each}[{n}]' for n, each in enumerate(inputs))};"
    joined += "".join(f"[{n}]" for n in range(6))
    joined += f"join=inputs=6:channel_layout=5.1:map={_PLACES}"
    source = sounding(work, "-f", "lavfi", "-i", joined, layout="5.1")

    audio.run(spec(source, channels=audio.SURROUND, kbps=384), work)

    made = work.folder / audio.FILE
    [[channels]] = media_samples.ffprobe(made, "stream=channels", stream="a:0")
    assert channels == "6"
    assert [strongest(made, channel) for channel in range(6)] == list(_TONES)


def strongest(path: Path, channel: int) -> int:
    """Return which of the tones a channel holds, by its zero crossings."""
    out = media_samples.ffmpeg(
        *("-i", path, "-ss", "1", "-t", "2", "-af", f"pan=mono|c0=c{channel}"),
        *("-f", "s16le", "-ar", "48000", "-"),
    )
    samples = memoryview(out).cast("h")
    crossings = sum(1 for a, b in pairwise(samples) if a < 0 <= b)
    return min(_TONES, key=lambda tone: abs(tone - crossings / 2))


def test_what_a_stream_is_for_is_read_from_flags_and_titles(
    clips: Path, work: Work
) -> None:
    tones = (
        Tone(440, title="Audio Description"),
        Tone(550),
        Tone(660, title="Director’s commentary"),
    )
    film = media_samples.film(
        clips, "roles.mkv", tones=tones, more=("-disposition:a:0", "default")
    )

    found = inspect.inspect(film, work)

    assert [each.role for each in found.sounds] == ["description", "main", "commentary"]


@pytest.mark.parametrize(
    ("title", "role"),
    [
        ("English SDH", "caption"),
        ("English [CC]", "caption"),
        ("Forced", "forced-subtitle"),
        ("English", "subtitle"),
        ("Accordion", "subtitle"),
    ],
)
def test_captions_say_for_whom_they_are(
    clips: Path, work: Work, tmp_path: Path, title: str, role: str
) -> None:
    cues = tmp_path / "cues.srt"
    cues.write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n")
    source = media_samples.film(clips)
    film = tmp_path / "film.mkv"
    named = ("-metadata:s:s:0", f"title={title}")
    media_samples.ffmpeg("-i", source, "-i", cues, "-c", "copy", *named, film)

    [captions] = inspect.inspect(film, work).captions

    assert captions.role == role
