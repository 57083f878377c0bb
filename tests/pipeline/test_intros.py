"""Intros, recaps and credits: found by what the episodes of a season share."""

import math
import random
import wave
from array import array
from collections.abc import Sequence
from pathlib import Path

import pytest

from appliance.media.markers import MarkerKind, Stretch
from jobs.listening import intros
from jobs.listening.intros import Heard
from jobs.steps import audio, fingerprint
from jobs.work import Work
from tests import media_samples

_RATE = 11000
_INTRO, _CREDITS = 20.0, 16.0


@pytest.fixture(scope="module")
def melodies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("melodies")


def melody(folder: Path, seed: int, seconds: float) -> Path:
    """Write chords that nobody wrote before, the same ones for the same seed."""
    path = folder / f"{seed}-{seconds}.wav"
    if path.exists():
        return path
    dice = random.Random(seed)
    samples = array("h")
    while len(samples) < seconds * _RATE:
        # Whole periods in a tenth of a second, so that it can be repeated.
        chord = [10 * round(5.5 * 2 ** (dice.randrange(12, 52) / 12)) for _ in "abc"]
        tenth = array("h")
        for at in range(_RATE // 10):
            value = sum(math.sin(math.tau * tone * at / _RATE) for tone in chord)
            tenth.append(round(value * 7000 + dice.uniform(-1500, 1500)))
        samples += tenth * dice.randrange(2, 5)
    del samples[round(seconds * _RATE) :]
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, _RATE, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    return path


def heard(work: Work, name: str, parts: Sequence[Path], seconds: float) -> Heard:
    """Put parts after each other, encode them as the pipeline does, and listen."""
    unit = work.storage.path(f"work/{work.job}/done/{name}")
    unit.mkdir(parents=True)
    inputs = [text for part in parts for text in ("-i", part)]
    joined = f"concat=n={len(parts)}:v=0:a=1"
    media_samples.ffmpeg(
        *(*inputs, "-filter_complex", joined, "-ac", "2", "-ar", "48000"),
        *("-c:a", "aac", "-b:a", "128k", unit / audio.FILE),
    )
    made = fingerprint.run({"unit": name, "duration": seconds}, work)
    found = fingerprint.read(work.folder / fingerprint.FILE)
    assert made["items"] == len(found) > 0
    return Heard(list(found), seconds)


def of_kind(stretches: list[Stretch], kind: MarkerKind) -> list[Stretch]:
    return [each for each in stretches if each.kind is kind]


def test_a_season_tells_its_intro_and_its_credits(work: Work, melodies: Path) -> None:
    # Cold opens of different lengths come before the intro.
    opens = (9.0, 4.0, 14.0)
    episodes = []
    for number, first in enumerate(opens):
        parts = [
            melody(melodies, 100 + number, first),
            melody(melodies, 1, _INTRO),
            melody(melodies, 200 + number, 24.0),
            melody(melodies, 2, _CREDITS),
        ]
        whole = first + _INTRO + 24 + _CREDITS
        episodes.append(heard(work, f"audio-{number}", parts, whole))

    found = intros.detect(episodes)

    for first, episode, stretches in zip(opens, episodes, found, strict=True):
        [intro] = of_kind(stretches, MarkerKind.INTRO)
        assert intro.starts_at == pytest.approx(first, abs=1.5)
        assert intro.ends_at == pytest.approx(first + _INTRO, abs=1.5)
        assert intro.confidence == 1.0
        [credits] = of_kind(stretches, MarkerKind.CREDITS)
        assert credits.starts_at == pytest.approx(episode.seconds - _CREDITS, abs=1.5)
        assert credits.ends_at == episode.seconds


def test_a_recap_is_made_of_pieces_of_earlier_episodes(
    work: Work, melodies: Path
) -> None:
    body, intro = melody(melodies, 300, 36.0), melody(melodies, 1, _INTRO)
    first = heard(work, "audio-1", [intro, body], 56.0)
    pieces = []
    for number, at in enumerate((4, 15, 27)):
        piece = melodies / f"piece-{number}.wav"
        media_samples.ffmpeg("-ss", str(at), "-t", "5", "-i", body, piece)
        pieces.append(piece)
    parts = [*pieces, intro, melody(melodies, 301, 36.0)]
    second = heard(work, "audio-2", parts, 71.0)

    [of_first, of_second] = intros.detect([first, second])

    assert of_kind(of_first, MarkerKind.RECAP) == []
    [recap] = of_kind(of_second, MarkerKind.RECAP)
    assert recap.starts_at == pytest.approx(0, abs=2.0)
    assert recap.ends_at == pytest.approx(15, abs=2.5)


def test_films_that_share_nothing_get_nothing(work: Work, melodies: Path) -> None:
    films = [
        heard(work, f"audio-{n}", [melody(melodies, 400 + n, 45.0)], 45.0)
        for n in range(3)
    ]

    assert intros.detect(films) == [[], [], []]


def test_silence_is_no_intro(work: Work, melodies: Path) -> None:
    silent = melodies / "silence.wav"
    media_samples.ffmpeg("-f", "lavfi", "-i", "anullsrc=r=11000:cl=mono:d=20", silent)
    films = [
        heard(work, f"audio-{n}", [silent, melody(melodies, 500 + n, 30.0)], 50.0)
        for n in range(3)
    ]

    assert intros.detect(films) == [[], [], []]


def test_one_episode_alone_tells_nothing() -> None:
    assert intros.detect([Heard([1, 2, 3], 30.0)]) == [[]]
    assert intros.detect([]) == []
