"""The program that recognises speech: ``python -m jobs.tools.recogniser JSON``.

It reads samples from a file, never all of a film at once, and writes lines of JSON: the
language, words with their times in milliseconds, and how far it is. It asks nobody
anything: connections are refused to it.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}

import numpy as np
from faster_whisper import WhisperModel

_RATE = 16_000
# A part takes 40 MB as samples. It ends where it is most quiet, so as to cut no word.
_PART = 600 * _RATE
_LOOK_BACK = 30 * _RATE
_BLOCK = _RATE // 10
# Where a text repeats itself so much, nothing was said: it fell into a loop.
_MOST_REPETITION = 2.6

Samples = Any


def main(asked: dict[str, Any]) -> None:
    """Write down the sound that is ``asked`` for."""
    _be_expendable()
    samples = np.memmap(asked["sound"], dtype="<i2", mode="r")
    model = WhisperModel(
        asked["model"],
        device="cpu",
        compute_type="int8",
        cpu_threads=asked["threads"],
        local_files_only=True,
    )
    language = asked["language"]
    for start, part in _parts(samples):
        sound = part.astype(np.float32) / 32768
        if not language:
            language, sure, _ = model.detect_language(
                sound, vad_filter=True, language_detection_segments=4
            )
            _say(language=language, sure=round(float(sure), 3))
        _write_down(model, sound, start / _RATE, language)
        _say(at=(start + len(part)) / _RATE)
    if asked["language"]:
        _say(language=asked["language"], sure=1.0)
    _say(end=True)


def _write_down(model: Any, sound: Samples, start: float, language: str) -> None:
    segments, _ = model.transcribe(
        sound,
        language=language,
        word_timestamps=True,
        vad_filter=True,
        # What went before would make it repeat an error to the end.
        condition_on_previous_text=False,
        hallucination_silence_threshold=2.0,
    )
    for segment in segments:
        words = [
            [
                round((start + word.start) * 1000),
                round((start + word.end) * 1000),
                word.word,
                round(word.probability, 3),
            ]
            for word in segment.words or ()
        ]
        if segment.compression_ratio > _MOST_REPETITION:
            words = []
        _say(words=words, at=start + segment.end)


def _parts(samples: Samples) -> Iterator[tuple[int, Samples]]:
    start = 0
    while start < len(samples):
        end = min(start + _PART, len(samples))
        if end < len(samples):
            end = _most_quiet(samples, end - _LOOK_BACK, end)
        yield start, samples[start:end]
        start = end


def _most_quiet(samples: Samples, start: int, end: int) -> int:
    blocks = samples[start:end].astype(np.float32).reshape(-1, _BLOCK)
    loudness = np.sqrt((blocks**2).mean(axis=1))
    around = np.convolve(loudness, np.ones(5) / 5, mode="same")
    return start + int(around[2:-2].argmin() + 2) * _BLOCK + _BLOCK // 2


def _say(**said: Any) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _be_expendable() -> None:
    """Let the kernel stop this first where memory runs out; refuse connections."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("900")

    def refuse(event: str, _args: object) -> None:
        if event in ("socket.connect", "socket.getaddrinfo"):
            raise OSError("recognising speech needs no network")

    sys.addaudithook(refuse)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
